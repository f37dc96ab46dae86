#include "runtime/rootfs.h"

#include "runtime/kernel/mount.h"
#include "runtime/mount_attributes.h"
#include "runtime/mount_sources.h"
#include "runtime/mount_target.h"

namespace skiff {
namespace {

// Changes the mount that holds this directory. Only the root of a mount takes a propagation: EINVAL says to go up.
Status change_holding_mount(const kernel::Fd &directory, std::uint64_t propagation, const kernel::Procfs &proc) {
  if (propagation == 0) return {};
  auto at = TRY(kernel::openat(directory, ".", O_PATH | O_DIRECTORY));
  for (;;) {
    auto result = change_propagation(at, propagation, proc);
    if (result || result.error().number != EINVAL) return result;
    auto up = TRY(kernel::openat(at, "..", O_PATH | O_DIRECTORY));
    const auto here = TRY(kernel::fstat(at));
    const auto above = TRY(kernel::fstat(up));
    if (here.st_dev == above.st_dev && here.st_ino == above.st_ino) return result;  // "/" is no mount: a chroot
    at = std::move(up);
  }
}

}  // namespace

Rootfs make_rootfs(const Plan &plan, kernel::Procfs proc, std::vector<kernel::Fd> sources) {
  return {.root = {},
          .proc = std::move(proc),
          .plan = &plan,
          .sources = std::move(sources),
          .root_path = {},
          .masks = {},
          .masks_device = 0,
          .null_device = {},
          .kernel_filesystems = {},
          .device_directory = {},
          .late_readonly = {},
          .id_map_outside = {}};
}

Status apply(const SetPropagation &step, Rootfs &rootfs) {
  const auto root = TRY(kernel::open("/", O_PATH | O_DIRECTORY));
  const std::uint64_t recursive = step.recursive ? MS_REC : 0;
  auto result = change_propagation(root, step.propagation | recursive, rootfs.proc);
  if (!result && result.error().number == EPERM) {
    return remedy("a new mount namespace takes CAP_SYS_ADMIN: run as root, or add a user namespace", std::move(result));
  }
  if (!result && result.error().number == EINVAL) {
    return remedy("\"/\" is no mount point here (a chroot): bind it over itself first", std::move(result));
  }
  return result;
}

namespace {

// What is mounted there is the parent's work (host_mounts.h), whose id is in the record by now. Below a shared mount it
// has become shared when it was attached.
Status attach_on_host(const AttachRootfs &step, Rootfs &rootfs) {
  auto mount = take_source(rootfs);
  TRY(kernel::move_mount(mount, TRY(open_rootfs(step.path))));
  TRY(change_propagation(mount, MS_PRIVATE | MS_REC, rootfs.proc));
  rootfs.root = std::move(mount);
  rootfs.root_path = TRY(read_path(rootfs.root, rootfs.proc));
  return {};
}

}  // namespace

Status apply(const AttachRootfs &step, Rootfs &rootfs) {
  if (rootfs.plan->host_mounts) return attach_on_host(step, rootfs);
  auto mount = take_source(rootfs);
  // What the parent has opened lies on a path that cannot be reached from here. Over "/" it is one mount above the old
  // root, which is what pivot_root(2) asks for.
  const auto target = mount.valid() ? TRY(kernel::open("/", O_PATH | O_DIRECTORY)) : TRY(open_rootfs(step.path));
  TRY(change_holding_mount(target, step.parent_propagation, rootfs.proc));
  if (!mount.valid()) {
    mount = TRY(kernel::open_tree(target, "", OPEN_TREE_CLONE | AT_EMPTY_PATH | AT_RECURSIVE));
  }
  TRY(kernel::move_mount(mount, target));
  // pivot_root(2) refuses a shared new root.
  if (step.parent_propagation == MS_PRIVATE) TRY(change_propagation(mount, MS_PRIVATE, rootfs.proc));
  rootfs.root = std::move(mount);
  rootfs.root_path = TRY(read_path(rootfs.root, rootfs.proc));
  return {};
}

Status apply(const SetRootPropagation &step, Rootfs &rootfs) {
  return change_propagation(rootfs.root, step.propagation, rootfs.proc);
}

Status apply(const RootReadonly & /*step*/, Rootfs &rootfs) {
  return change_attached_attributes(rootfs.root, {.set = MOUNT_ATTR_RDONLY}, rootfs.proc);
}

}  // namespace skiff
