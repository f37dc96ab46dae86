// Device nodes and the links beside them: config-linux.md, "Devices" and "Default Devices".
#include <linux/magic.h>
#include <sys/sysmacros.h>

#include <string>

#include "runtime/kernel/mount.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"
#include "runtime/mount_target.h"
#include "runtime/rootfs.h"

namespace skiff {
namespace {

bool has_number(const MakeDevice &device) { return S_ISCHR(device.mode) || S_ISBLK(device.mode); }

// The same type and, where the type has them, the same numbers.
bool is_this_device(const struct stat &status, const MakeDevice &device) {
  if ((status.st_mode & S_IFMT) != (device.mode & S_IFMT)) return false;
  return !has_number(device) || status.st_rdev == makedev(device.major, device.minor);
}

std::string describe(const MakeDevice &device) {
  if (S_ISFIFO(device.mode)) return "a fifo";
  return std::string(S_ISBLK(device.mode) ? "block" : "character") + " device " + std::to_string(device.major) + ":" +
         std::to_string(device.minor);
}

// Whether the bundle asks for this device by name; the others the runtime brings itself.
bool is_listed(const Rootfs &rootfs) {
  const auto &steps = rootfs.plan->steps;
  return rootfs.step < steps.size() && steps[rootfs.step].field.starts_with("linux.devices");
}

// ---- places ----

// A default ACL of the directory or its setgid bit would change what mknod(2) makes.
Result<bool> is_plain(const kernel::Fd &directory) {
  if (TRY(kernel::fstatfs(directory)).f_type != TMPFS_MAGIC) return false;
  return (TRY(kernel::fstat(directory)).st_mode & S_ISGID) == 0;
}

struct Place {
  const Rootfs::Directory &directory;
  std::string name;
};

// The directory of `path`, made where it is missing, and the last component.
Result<Place> find_place(const std::string &path, Rootfs &rootfs) {
  const std::size_t end = path.rfind('/') + 1;
  Rootfs::Directory &directory = rootfs.device_directory;
  if (!directory.fd.valid() || path.compare(0, end, directory.path) != 0 || path.size() == end) {
    kernel::Place place = TRY(kernel::make_parent_in_root(rootfs.root, path, 0755));
    directory = {.path = path.substr(0, end), .fd = std::move(place.parent), .plain = false};
    directory.plain = TRY(is_plain(directory.fd));
  }
  return Place{.directory = directory, .name = path.substr(end)};
}

// ---- nodes ----

dev_t number_of(const MakeDevice &device) { return has_number(device) ? makedev(device.major, device.minor) : 0; }

// With owner and mode at once, which is only right in a plain directory. EEXIST where something has that name.
Status make_node_at_once(const Place &place, const MakeDevice &device) {
  const mode_t before = kernel::umask(0);
  Status made = kernel::mknodat(place.directory.fd, place.name, device.mode, number_of(device));
  kernel::umask(before);
  return made;
}

// Everything after the mknod goes through this one descriptor: another container that shares the directory can put a
// link to a file of the host in the node's place at any time, and that must not be given away.
Status make_node(const Place &place, const MakeDevice &device, const kernel::Procfs &proc) {
  TRY(kernel::mknodat(place.directory.fd, place.name, device.mode, number_of(device)));
  const auto node = TRY(kernel::openat(place.directory.fd, place.name, O_PATH | O_NOFOLLOW));
  if (!is_this_device(TRY(kernel::fstat(node)), device)) {
    return fail(ESTALE, device.path + " was exchanged for something else while it was made");
  }
  TRY(kernel::fchownat(node, "", device.uid, device.gid, AT_EMPTY_PATH));
  // An O_PATH descriptor takes no fchmod(2); its link in procfs leads to the same inode.
  return kernel::fchmodat(proc.root(), "self/fd/" + std::to_string(node.get()), device.mode & 07777);
}

bool is_complete(const struct stat &status, const MakeDevice &device) {
  return is_this_device(status, device) && (status.st_mode & 07777) == (device.mode & 07777) &&
         status.st_uid == device.uid && status.st_gid == device.gid;
}

// Makes room for the node. True where a good one is there already.
Result<bool> clear_place(const Place &place, const MakeDevice &device, bool listed) {
  const auto there = kernel::fstatat(place.directory.fd, place.name, AT_SYMLINK_NOFOLLOW);
  if (!there && there.error().number == ENOENT) return false;
  if (!there) return std::unexpected(there.error());
  if (is_complete(*there, device)) return true;
  if (!is_this_device(*there, device) && (listed || S_ISDIR(there->st_mode))) {
    return fail(EEXIST, device.path + " is there and is not " + describe(device),
                "remove it from the rootfs, or mount a tmpfs on /dev");
  }
  auto gone = kernel::unlinkat(place.directory.fd, place.name);
  // A mount of the right device that an entry of `mounts` has put there: it stays as it is.
  if (!gone && gone.error().number == EBUSY && is_this_device(*there, device)) return true;
  TRY(std::move(gone));
  return false;
}

// ---- nodes of the host ----

Result<kernel::Fd> open_checked(const std::string &path, int flags, const MakeDevice &device) {
  auto node = TRY(kernel::open(path, O_PATH | flags));
  if (is_this_device(TRY(kernel::fstat(node)), device)) return node;
  return fail(ENODEV, path + " on the host is not " + describe(device));
}

Result<kernel::Fd> open_on_host(const MakeDevice &device) {
  auto node = open_checked(device.path, O_NOFOLLOW, device);
  if (node) return node;
  // The container may know it under another name. udev's links are by number.
  auto by_number = open_checked(std::string(S_ISBLK(device.mode) ? "/dev/block/" : "/dev/char/") +
                                    std::to_string(device.major) + ":" + std::to_string(device.minor),
                                0, device);
  if (by_number) return by_number;
  return remedy("in a user namespace a device cannot be made, only bound: the host must have it", std::move(node));
}

// An empty file to mount on. A link that is there is taken away, for it could lead anywhere.
Result<kernel::Fd> make_mount_point(const Place &place) {
  auto made = kernel::mknodat(place.directory.fd, place.name, S_IFREG, 0);
  if (!made && made.error().number == EEXIST) {
    const auto there = TRY(kernel::fstatat(place.directory.fd, place.name, AT_SYMLINK_NOFOLLOW));
    if (S_ISLNK(there.st_mode)) {
      TRY(kernel::unlinkat(place.directory.fd, place.name));
      made = kernel::mknodat(place.directory.fd, place.name, S_IFREG, 0);
    } else {
      made = {};
    }
  }
  TRY(std::move(made));
  return kernel::openat(place.directory.fd, place.name, O_PATH | O_NOFOLLOW);
}

Status bind_node(const Place &place, const MakeDevice &device, const Rootfs &rootfs) {
  const auto there = kernel::fstatat(place.directory.fd, place.name, AT_SYMLINK_NOFOLLOW);
  if (there && is_this_device(*there, device)) return {};
  const auto node = TRY(open_on_host(device));
  const auto clone = TRY(kernel::open_tree(node, "", OPEN_TREE_CLONE | AT_EMPTY_PATH));
  const auto target = TRY(make_mount_point(place));
  return attach_to(clone, target, rootfs);
}

}  // namespace

Status apply(const MakeDevice &step, Rootfs &rootfs) {
  const Place place = TRY(find_place(step.path, rootfs));
  if (step.bind_from_host && has_number(step)) return bind_node(place, step, rootfs);
  const bool at_once = place.directory.plain && step.uid == 0 && step.gid == 0;
  Status made;
  if (at_once) made = make_node_at_once(place, step);
  if (!at_once || (!made && made.error().number == EEXIST)) {
    if (TRY(clear_place(place, step, is_listed(rootfs)))) return {};
    made = make_node(place, step, rootfs.proc);
  }
  // The runtime itself may sit in a user namespace, or in a sandbox that lacks CAP_MKNOD.
  if (!made && made.error().number == EPERM && has_number(step)) return bind_node(place, step, rootfs);
  return made;
}

Status apply(const MakeSymlink &step, Rootfs &rootfs) {
  const Place place = TRY(find_place(step.path, rootfs));
  auto made = kernel::symlinkat(step.target, place.directory.fd, place.name);
  if (made || made.error().number != EEXIST) return made;
  if (step.path != "/dev/ptmx") return {};
  const auto there = kernel::readlinkat(place.directory.fd, place.name);
  if (there && *there == step.target) return {};
  TRY(kernel::unlinkat(place.directory.fd, place.name));
  return kernel::symlinkat(step.target, place.directory.fd, place.name);
}

}  // namespace skiff
