// Directories that a layer of an overlay needs and does not describe: as the layers below have them.
#include <fmt/format.h>

#include "imgtool/directory_cache.h"
#include "imgtool/layer.h"
#include "imgtool/layer_xattrs.h"
#include "runtime/kernel/xattr.h"
#include "spec/names.h"

namespace skiff::image {
namespace {

constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

enum class Below : std::uint8_t { directory, other, nothing, covered };

// What one layer says of a path; `covered` where it hides all that is below it.
Result<Below> look(kernel::FdView layer, const std::string &path, const std::string &opaque_xattr) {
  for (std::size_t end = path.find('/');; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    const kernel::Fd found = TRY(kernel::find_in_root(layer, part, O_PATH | O_NOFOLLOW));
    if (!found.valid()) return Below::nothing;
    const struct stat status = TRY(kernel::fstat(found));
    if (is_overlay_whiteout(status)) return Below::covered;
    if (S_ISLNK(status.st_mode)) return Below::other;
    if (!S_ISDIR(status.st_mode)) return Below::covered;
    if (end == path.npos) return Below::directory;
    const kernel::Fd readable = TRY(kernel::openat(found, ".", O_RDONLY | O_DIRECTORY));
    const bool opaque = TRY(kernel::fgetxattr(readable, opaque_xattr)) == "y";
    if (opaque && !TRY(kernel::find_in_root(layer, path, O_PATH | O_NOFOLLOW)).valid()) return Below::covered;
  }
}

Status copy_attributes(const kernel::Fd &from, const kernel::Fd &to, const ApplyOptions &options) {
  const struct stat status = TRY(kernel::fstat(from));
  if (!options.rootless) TRY(kernel::fchownat(to, "", status.st_uid, status.st_gid, AT_EMPTY_PATH));
  const XattrRules rules{.overlay = true, .user_xattr = options.user_xattr};
  for (const std::string &name : TRY(kernel::flistxattr(from))) {
    if (!xattr_name_in_layer(name, rules)) continue;
    const std::optional<std::string> value = TRY(kernel::fgetxattr(from, name));
    if (value) TRY(kernel::fsetxattr(to, name, *value));
  }
  TRY(kernel::fchmod(to, status.st_mode & 07777U));
  return kernel::futimens(to, {status.st_mtim, status.st_mtim});
}

Status inherit(kernel::FdView root, const std::string &path, const std::vector<kernel::FdView> &lowers,
               const ApplyOptions &options) {
  for (const kernel::FdView lower : lowers) {
    const Below below = TRY(look(lower, path, overlay_opaque_xattr(options.user_xattr)));
    if (below == Below::covered) return {};
    if (below == Below::nothing) continue;
    if (below == Below::other) {
      return fail("the layer writes through a symlink of a layer below it, which overlayfs cannot show",
                  "unpack to a plain folder");
    }
    const kernel::Fd from = TRY(kernel::open_in_root(lower, path, directory_flags));
    const kernel::Fd to = TRY(kernel::open_in_root(root, path, directory_flags));
    return copy_attributes(from, to, options);
  }
  return {};
}

}  // namespace

Status inherit_directories(kernel::FdView root, const std::vector<std::string> &implicit_directories,
                           const std::vector<kernel::FdView> &lowers, const ApplyOptions &options) {
  for (const std::string &path : implicit_directories) {
    TRY(in(spec::quote(path), inherit(root, path, lowers, options)));
  }
  return {};
}

}  // namespace skiff::image
