// Who an image's process runs as, read from the image's own /etc/passwd and /etc/group.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/kernel/fd.h"
#include "spec/account.h"

namespace skiff::image {

// spec::find_account by the files below `root` (a directory's descriptor): regular ones only, of at most 4 MiB.
[[nodiscard]] Result<spec::Account> find_image_user(kernel::FdView root, std::string_view text,
                                                    std::vector<std::string> &warnings);

}  // namespace skiff::image
