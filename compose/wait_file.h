// Waiting until another program has made a file, or removed it.
#pragma once

#include <chrono>
#include <string>

#include "spec/error.h"

namespace skiff::compose {

// inotify(7) on the directory, which is there. False: not within that time.
[[nodiscard]] Result<bool> wait_for_file(const std::string &directory, const std::string &name,
                                         std::chrono::milliseconds longest);
[[nodiscard]] Result<bool> wait_until_gone(const std::string &directory, const std::string &name,
                                           std::chrono::milliseconds longest);

}  // namespace skiff::compose
