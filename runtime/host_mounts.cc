#include "runtime/host_mounts.h"

#include <fcntl.h>
#include <sys/mount.h>

#include <algorithm>

#include "runtime/kernel/mount.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"
#include "runtime/mount_attributes.h"
#include "runtime/mount_info.h"
#include "runtime/mount_sources.h"

namespace skiff {
namespace {

Status detach(const kernel::Fd &mount, const kernel::Procfs &proc) {
  // Whoever has mounted something below it meanwhile may have it shared with its origin.
  TRY(change_propagation(mount, MS_SLAVE | MS_REC, proc));
  const auto here = TRY(kernel::open(".", O_PATH | O_DIRECTORY));
  TRY(kernel::fchdir(mount));
  const Status detached = kernel::umount2(".", MNT_DETACH);  // of the descriptor: a path could lead elsewhere by now
  TRY(kernel::fchdir(here));
  return detached;
}

}  // namespace

Result<kernel::Fd> open_host_rootfs(const std::string &path) {
  const auto directory = TRY(open_rootfs(path));
  auto mount = TRY(kernel::open_tree(directory, "", OPEN_TREE_CLONE | AT_EMPTY_PATH | AT_RECURSIVE));
  TRY(kernel::mount_setattr(mount, "", {.propagation = MS_PRIVATE}, kernel::Recursive::yes));
  return mount;
}

Status detach_host_rootfs(const std::string &path, std::uint64_t mount_id, const kernel::Procfs &proc) {
  if (mount_id == 0) return {};
  const auto top = kernel::open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (top && TRY(kernel::read_unique_mount_id(*top)) == mount_id) return detach(*top, proc);
  const auto mounts = TRY(read_mount_info(proc));
  if (std::ranges::find(mounts, path, &MountInfo::mount_point) == mounts.end()) return {};
  return fail(EBUSY, "the container's mounts stay below " + path + ", which another mount covers by now",
              "unmount that one first, then `umount --recursive --lazy " + path + "`");
}

}  // namespace skiff
