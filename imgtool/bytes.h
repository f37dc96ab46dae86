// Bytes on their way from one part of the tool to the next.
#pragma once

#include <functional>
#include <span>

#include "spec/error.h"

namespace skiff::image {

// Reads up to the size of the span; 0 is the end. It may block, and may be called by one thread at a time.
using ReadBytes = std::function<Result<std::size_t>(std::span<char> into)>;
// Takes all of them.
using WriteBytes = std::function<Status(std::span<const char> bytes)>;

}  // namespace skiff::image
