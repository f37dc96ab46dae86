// The last step out of the host's mounts: "/" becomes the rootfs.
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include <string>
#include <string_view>

#include "runtime/kernel/mount.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"
#include "runtime/mount_attributes.h"
#include "runtime/mount_info.h"
#include "runtime/mount_sources.h"
#include "runtime/rootfs.h"

namespace skiff {
namespace {

// pivot_root(".", ".") stacks the old root on the new one, so no directory is needed for it in the rootfs.
Status pivot(const Rootfs &rootfs) {
  const auto old_root = TRY(kernel::open("/", O_PATH | O_DIRECTORY));
  TRY(kernel::fchdir(rootfs.root));
  TRY(remedy("where the host's root is an initramfs, use --no-pivot", kernel::pivot_root(".", ".")));
  // Where the working directory is now, pivot_root(2) leaves open.
  TRY(kernel::fchdir(old_root));
  // Slave, so that the unmount below stays ours; private would keep the host's mounts busy until it happens.
  TRY(change_propagation(old_root, MS_SLAVE | MS_REC, rootfs.proc));
  TRY(kernel::umount2(".", MNT_DETACH));
  return kernel::chdir("/");
}

// Takes one procfs or sysfs of the host away, or covers it where that is refused: after a chroot a complete one that
// can still be reached would let the container mount a complete one of its own.
Status hide(const MountInfo &mount, const Rootfs &rootfs) {
  const auto at = kernel::open(mount.mount_point, O_PATH | O_DIRECTORY);
  if (!at) {
    // Gone with a mount above it that was unmounted before.
    if (at.error().number == ENOENT) return {};
    return std::unexpected(at.error());
  }
  auto isolated = change_propagation(*at, MS_SLAVE | MS_REC, rootfs.proc);
  if (!isolated && isolated.error().number == EINVAL) return {};  // gone too: a plain directory is there
  TRY(std::move(isolated));
  TRY(kernel::fchdir(*at));
  auto unmounted = kernel::umount2(".", MNT_DETACH);
  if (unmounted) return {};
  if (unmounted.error().number != EINVAL && unmounted.error().number != EPERM) return unmounted;
  const auto context = TRY(kernel::fsopen("tmpfs"));
  TRY(kernel::fsconfig_create(context));
  const auto cover = TRY(kernel::fsmount(context, MOUNT_ATTR_RDONLY));
  return kernel::move_mount(cover, *at);
}

bool is_inside(std::string_view path, std::string_view directory) {
  return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

Status move_over_root(const Rootfs &rootfs) {
  for (const MountInfo &mount : TRY(read_mount_info(rootfs.proc))) {
    const bool complete = mount.root == "/" && (mount.type == "proc" || mount.type == "sysfs");
    if (complete && !is_inside(mount.mount_point, rootfs.root_path)) {
      TRY(in(mount.mount_point, hide(mount, rootfs)));
    }
  }
  const auto old_root = TRY(kernel::open("/", O_PATH | O_DIRECTORY));
  TRY(kernel::fchdir(rootfs.root));
  TRY(kernel::move_mount(rootfs.root, old_root));
  TRY(kernel::chroot("."));
  return kernel::chdir("/");
}

// Without a mount namespace of its own the container leaves no mount on the host: the rootfs is a directory only.
Status change_root(Rootfs &rootfs) {
  if (!rootfs.root.valid()) rootfs.root = TRY(open_rootfs(rootfs.plan->rootfs));
  TRY(kernel::fchdir(rootfs.root));
  TRY(kernel::chroot("."));
  return kernel::chdir("/");
}

// Whatever way it went, "/" must be the directory that everything was built in.
Status check_root(const Rootfs &rootfs) {
  const std::string directory = TRY(kernel::getcwd());
  const auto now = TRY(kernel::fstatat(kernel::cwd, "/"));
  const auto wanted = TRY(kernel::fstat(rootfs.root));
  if (directory == "/" && now.st_dev == wanted.st_dev && now.st_ino == wanted.st_ino) return {};
  return fail(EXDEV, "\"/\" is not the rootfs after the change of root (working directory " + directory + ")");
}

bool is_null(const Result<struct stat> &status) {
  return status && S_ISCHR(status->st_mode) && status->st_rdev == makedev(1, 3);
}

// A program whose input or output is nothing has the container's own /dev/null for it: a file of the host that stays
// open could not be checkpointed. A container without one keeps the host's.
void take_own_null(const Rootfs &rootfs) {
  kernel::Fd null;
  for (int number = 0; number <= 2; ++number) {
    if (!is_null(kernel::fstat(kernel::FdView(number)))) continue;
    if (!null.valid()) {
      Result<kernel::Fd> own = kernel::open_in_root(rootfs.root, "/dev/null", O_RDWR | O_NOFOLLOW);
      if (!own || !is_null(kernel::fstat(*own))) return;
      null = *std::move(own);
    }
    (void)kernel::dup_onto(null, number);
  }
}

}  // namespace

Status apply(const PivotRoot &step, Rootfs &rootfs) {
  switch (step.way) {
    case PivotRoot::Way::pivot:
      TRY(pivot(rootfs));
      break;
    case PivotRoot::Way::move:
      TRY(move_over_root(rootfs));
      break;
    case PivotRoot::Way::chroot:
      TRY(change_root(rootfs));
      break;
  }
  TRY(check_root(rootfs));
  rootfs.root_path = "/";
  take_own_null(rootfs);
  return {};
}

}  // namespace skiff
