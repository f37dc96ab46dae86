// What is hidden and what is protected again: config-linux.md, "Masked Paths" and "Readonly Paths".
#include <sys/sysmacros.h>

#include "runtime/filesystem.h"
#include "runtime/kernel/mount.h"
#include "runtime/kernel/path.h"
#include "runtime/mount_attributes.h"
#include "runtime/rootfs.h"

namespace skiff {
namespace {

Result<kernel::Fd> find(const std::string &path, const Rootfs &rootfs) {
  // The last one covers those before it.
  for (std::size_t i = rootfs.kernel_filesystems.size(); i-- > 0;) {
    const auto &[destination, root] = rootfs.kernel_filesystems[i];
    if (path.starts_with(destination + "/")) return kernel::find_in_root(root, path.substr(destination.size()), O_PATH);
  }
  return kernel::find_in_root(rootfs.root, path, O_PATH);
}

// The path, or an invalid descriptor where there is no such path: nothing is to be hidden then.
Result<kernel::Fd> open_if_there(const std::string &path, const Rootfs &rootfs) {
  auto there = find(path, rootfs);
  if (!there && there.error().number == ENOTDIR) return kernel::Fd();
  return there;
}

// ---- directories ----

// One tmpfs for all: one a directory made every host with many containers wait for the kernel's list of superblocks.
Result<kernel::Fd> make_empty_directory() {
  Filesystem tmpfs{.type = "tmpfs",
                   .source = "tmpfs",
                   .options = {{"nr_blocks", "1"}, {"nr_inodes", "1"}},
                   .superblock_flags = MS_RDONLY,
                   .attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC};
  auto mount = make_filesystem(tmpfs);
  if (mount || mount.error().number != EINVAL) return mount;
  // Ubuntu's kernel 5.4 takes no fewer than two inodes.
  tmpfs.options.pop_back();
  return make_filesystem(tmpfs);
}

Status mask_directory(const kernel::Fd &target, const struct stat &status, Rootfs &rootfs) {
  if (!rootfs.masks.valid()) {
    // The first directory takes the tmpfs itself: below Linux 6.15 only a mount that is attached can be cloned.
    auto mount = TRY(make_empty_directory());
    TRY(kernel::move_mount(mount, target));
    rootfs.masks_device = TRY(kernel::fstat(mount)).st_dev;
    rootfs.masks = std::move(mount);
    return {};
  }
  if (rootfs.masks_device == status.st_dev) return {};  // the same path twice
  const auto clone = TRY(kernel::open_tree(rootfs.masks, "", OPEN_TREE_CLONE | AT_EMPTY_PATH));
  return kernel::move_mount(clone, target);
}

// ---- files ----

bool is_null(const struct stat &status) { return S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3); }

// A container's /dev can be made so that its null leads somewhere else, and what is bound from there could be written
// (CVE-2025-31133). What is bound is the descriptor that was checked.
Status open_null(Rootfs &rootfs) {
  auto null = kernel::open_in_root(rootfs.root, "/dev/null", O_PATH | O_NOFOLLOW);
  if (!null)
    return remedy("a masked file is covered with /dev/null, which the container lacks",
                  Status(std::unexpected(null.error())));
  if (!is_null(TRY(kernel::fstat(*null)))) {
    return fail(ENODEV, "the container's /dev/null is not the null device (1:3)",
                "remove what the rootfs or a mount has put there: masked files are covered with it");
  }
  rootfs.null_device = std::move(*null);
  return {};
}

Status mask_file(const kernel::Fd &target, const struct stat &status, Rootfs &rootfs) {
  if (is_null(status)) return {};
  if (!rootfs.null_device.valid()) TRY(open_null(rootfs));
  const auto clone = TRY(kernel::open_tree(rootfs.null_device, "", OPEN_TREE_CLONE | AT_EMPTY_PATH));
  return kernel::move_mount(clone, target);
}

}  // namespace

Status apply(const MaskPath &step, Rootfs &rootfs) {
  const auto target = TRY(open_if_there(step.path, rootfs));
  if (!target.valid()) return {};
  const auto status = TRY(kernel::fstat(target));
  return S_ISDIR(status.st_mode) ? mask_directory(target, status, rootfs) : mask_file(target, status, rootfs);
}

Status apply(const MakeReadonly &step, Rootfs &rootfs) {
  const auto target = TRY(open_if_there(step.path, rootfs));
  if (!target.valid()) return {};
  const auto clone = TRY(kernel::open_tree(target, "", OPEN_TREE_CLONE | AT_EMPTY_PATH | AT_RECURSIVE));
  const MountAttributes readonly{.set = MOUNT_ATTR_RDONLY, .clear = 0};
  auto changed = change_attributes(clone, readonly);
  const bool late = !changed && changed.error().number == ENOSYS;
  if (!changed && !late) return changed;
  TRY(kernel::move_mount(clone, target));
  return late ? change_attached_attributes(clone, readonly, rootfs.proc) : Status();
}

}  // namespace skiff
