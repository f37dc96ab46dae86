#include "runtime/mount_attributes.h"

#include <sys/statvfs.h>

#include <array>
#include <string_view>

#include "runtime/kernel/process.h"

namespace skiff {
namespace {

// One property of a mount: in mount_setattr(2), in statfs(2) and in mount(2).
struct Attribute {
  std::uint64_t attribute;
  long statfs;
  unsigned long flag;
  std::string_view name;
};
constexpr std::array attributes_table{
    Attribute{MOUNT_ATTR_RDONLY, ST_RDONLY, MS_RDONLY, "ro"},
    Attribute{MOUNT_ATTR_NOSUID, ST_NOSUID, MS_NOSUID, "nosuid"},
    Attribute{MOUNT_ATTR_NODEV, ST_NODEV, MS_NODEV, "nodev"},
    Attribute{MOUNT_ATTR_NOEXEC, ST_NOEXEC, MS_NOEXEC, "noexec"},
    Attribute{MOUNT_ATTR_NOATIME, ST_NOATIME, MS_NOATIME, "noatime"},
    Attribute{MOUNT_ATTR_NODIRATIME, ST_NODIRATIME, MS_NODIRATIME, "nodiratime"},
    Attribute{MOUNT_ATTR_NOSYMFOLLOW, 0x2000 /* ST_NOSYMFOLLOW */, 256 /* MS_NOSYMFOLLOW */, "nosymfollow"},
};

// Strictatime is what statfs shows as none of the others.
std::uint64_t from_statfs(long flags) {
  std::uint64_t out = 0;
  for (const Attribute &each : attributes_table) {
    if ((flags & each.statfs) != 0) out |= each.attribute;
  }
  if ((flags & (ST_NOATIME | ST_RELATIME)) == 0) out |= MOUNT_ATTR_STRICTATIME;
  return out;
}

unsigned long to_mount_flags(std::uint64_t attributes) {
  unsigned long out = 0;
  for (const Attribute &each : attributes_table) {
    if ((attributes & each.attribute) != 0) out |= each.flag;
  }
  if ((attributes & MOUNT_ATTR__ATIME) == MOUNT_ATTR_STRICTATIME) out |= MS_STRICTATIME;
  if ((attributes & MOUNT_ATTR__ATIME) == MOUNT_ATTR_RELATIME) out |= MS_RELATIME;
  return out;
}

// The access time is one value of three in MOUNT_ATTR__ATIME: the kernel takes a new one only with all of it cleared.
MountAttributes with_whole_atime(MountAttributes attributes) {
  if (((attributes.set | attributes.clear) & MOUNT_ATTR__ATIME) != 0) attributes.clear |= MOUNT_ATTR__ATIME;
  return attributes;
}

// EPERM means that a flag was inherited from a more privileged mount namespace, which locks it.
Error locked_error(kernel::FdView mount, const MountAttributes &wanted, Error error) {
  const auto current = read_attributes(mount);
  if (!current) return error;
  const std::uint64_t atime = wanted.clear & MOUNT_ATTR__ATIME;
  std::uint64_t locked = *current & wanted.clear & ~static_cast<std::uint64_t>(MOUNT_ATTR__ATIME);
  if (atime != 0 && (*current & MOUNT_ATTR__ATIME) != (wanted.set & MOUNT_ATTR__ATIME)) {
    locked |= *current & MOUNT_ATTR__ATIME;
    if ((*current & MOUNT_ATTR__ATIME) == 0) error.remedy = "the host's mount is relatime, which is locked here";
  }
  if (locked == 0) return error;
  error.remedy = attribute_names(locked) +
                 " of the host's mount cannot be taken off in a user namespace: leave out the option that clears it, "
                 "or change the mount on the host";
  return error;
}

// mount(2) on a descriptor through the trusted procfs, which has no path: the working directory leads there.
Status mount_on(kernel::FdView target, unsigned long flags, const kernel::Procfs &proc) {
  const auto before = TRY(kernel::open(".", O_PATH | O_DIRECTORY));
  TRY(kernel::fchdir(proc.root()));
  auto result = kernel::mount("", "self/fd/" + std::to_string(target.get()), "", flags);
  TRY(kernel::fchdir(before));
  return result;
}

}  // namespace

Result<std::uint64_t> read_attributes(kernel::FdView mount) {
  const auto status = TRY(kernel::fstatfs(mount));
  return from_statfs(static_cast<long>(status.f_flags));
}

std::string attribute_names(std::uint64_t attributes) {
  std::string out;
  const auto append = [&out](std::string_view name) {
    if (!out.empty()) out += ',';
    out += name;
  };
  for (const Attribute &each : attributes_table) {
    if ((attributes & each.attribute) != 0) append(each.name);
  }
  if ((attributes & MOUNT_ATTR__ATIME) == MOUNT_ATTR_STRICTATIME) append("strictatime");
  return out;
}

Status change_attributes(kernel::FdView mount, const MountAttributes &attributes, kernel::Recursive recursive) {
  if (attributes.set == 0 && attributes.clear == 0) return {};
  const MountAttributes wanted = with_whole_atime(attributes);
  auto result = kernel::mount_setattr(mount, "", {.set = wanted.set, .clear = wanted.clear}, recursive);
  if (!result && result.error().number == EPERM) {
    return std::unexpected(locked_error(mount, wanted, std::move(result).error()));
  }
  return result;
}

Status change_attached_attributes(kernel::FdView mount, const MountAttributes &attributes, const kernel::Procfs &proc) {
  auto result = change_attributes(mount, attributes);
  if (result || result.error().number != ENOSYS) return result;
  const MountAttributes wanted = with_whole_atime(attributes);
  const std::uint64_t current = TRY(read_attributes(mount));
  auto remounted = mount_on(mount, MS_REMOUNT | MS_BIND | to_mount_flags((current & ~wanted.clear) | wanted.set), proc);
  if (!remounted && remounted.error().number == EPERM) {
    return std::unexpected(locked_error(mount, wanted, std::move(remounted).error()));
  }
  return remounted;
}

Status change_propagation(kernel::FdView mount, std::uint64_t propagation, const kernel::Procfs &proc) {
  const auto recursive = (propagation & MS_REC) != 0 ? kernel::Recursive::yes : kernel::Recursive::no;
  auto result = kernel::mount_setattr(mount, "", {.propagation = propagation & ~std::uint64_t{MS_REC}}, recursive);
  if (result || result.error().number != ENOSYS) return result;
  return mount_on(mount, propagation, proc);
}

}  // namespace skiff
