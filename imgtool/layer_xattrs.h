// Extended attributes on their way between a layer and a filesystem: which names change, which stay behind.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "imgtool/tar_entry.h"
#include "spec/error.h"

namespace skiff::image {

// What a tree is for decides about overlayfs's own attributes: in a layer of an overlay they would work, so those of
// the image are escaped as overlayfs does it (Linux 6.7), trusted.overlay.X to trusted.overlay.overlay.X.
struct XattrRules {
  bool overlay = false;
  bool user_xattr = false;  // overlayfs is mounted with userxattr: its attributes are user.overlay.*
};

[[nodiscard]] std::string overlay_opaque_xattr(bool user_xattr);
// None: it belongs to the host (security.selinux, system.nfs4_acl) and is not in an image.
[[nodiscard]] std::optional<std::string> xattr_name_on_disk(std::string_view in_layer, const XattrRules &rules);
// The way back. None also for what overlayfs itself has set.
[[nodiscard]] std::optional<std::string> xattr_name_in_layer(std::string_view on_disk, const XattrRules &rules);

// The owner that an unprivileged user cannot set, as umoci and PRoot keep it: a protobuf message {1: uid, 2: gid}.
inline constexpr std::string_view rootless_xattr = "user.rootlesscontainers";
struct RootlessOwner {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};
[[nodiscard]] std::string make_rootless_value(RootlessOwner owner);
[[nodiscard]] Result<RootlessOwner> parse_rootless_value(std::string_view value);

// File capabilities (linux/capability.h) of revision 2 hold for the initial user namespace. For a tree that a user
// namespace runs, whose root is `root_id` on the host, they become revision 3, which holds there only. Anything else
// stays as it is.
[[nodiscard]] std::string shift_capability(std::string_view value, std::uint32_t root_id);
// Revision 2 again, as a layer has it.
[[nodiscard]] std::string unshift_capability(std::string_view value);

}  // namespace skiff::image
