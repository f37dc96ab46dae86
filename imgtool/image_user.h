// Who an image's process runs as: config.md, "User", read from the image's own /etc/passwd and /etc/group.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/kernel/fd.h"

namespace skiff::image {

struct ImageUser {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  // The primary one first (CVE-2023-25173: a group that is missing here may be one that is denied something).
  std::vector<std::uint32_t> groups;
  std::string home;  // empty where /etc/passwd has none for it
};

// `text` is user, uid, user:group, uid:gid, uid:group or user:gid; empty is 0. A number is taken as it is, whether it
// has an entry or not, and never as a name. Without a group the user's own and supplementary ones are taken. Errors: no
// such name; a number above 2147483647, which some kernel interface takes for a negative one (CVE-2024-40635).
// The files are opened below `root` (a directory's descriptor): regular ones only, of at most 4 MiB; for a number one
// that cannot be read counts as missing and is told in `warnings`.
[[nodiscard]] Result<ImageUser> find_image_user(kernel::FdView root, std::string_view text,
                                                std::vector<std::string> &warnings);

}  // namespace skiff::image
