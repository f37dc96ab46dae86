// The entries of `mounts`: config.md, "Mounts".
#include <fcntl.h>
#include <sys/mount.h>

#include <algorithm>
#include <string>

#include "runtime/cgroup_mount.h"
#include "runtime/copy_up.h"
#include "runtime/filesystem.h"
#include "runtime/kernel/mount.h"
#include "runtime/kernel/path.h"
#include "runtime/mount_attributes.h"
#include "runtime/mount_sources.h"
#include "runtime/mount_target.h"
#include "runtime/rootfs.h"

namespace skiff {
namespace {

// A mount that is not there yet: what it is, what it will show, and what is set before anybody sees it.
struct Pending {
  kernel::Fd mount;
  MountAttributes attributes;  // still to be set: empty where fsmount(2) took them
  std::uint64_t clear_unless_locked = 0;
};

// Clears what may stay, too, and does without that where a flag of it is locked.
template <class Change>
Status change_unless_locked(const Pending &pending, Change change) {
  MountAttributes all = pending.attributes;
  all.clear |= pending.clear_unless_locked;
  auto changed = change(all);
  if (changed || changed.error().number != EPERM || pending.clear_unless_locked == 0) return changed;
  return change(pending.attributes);
}

// Sets what must be in force before the mount can be seen, attaches it, then sets what takes an attached mount.
Status attach_pending(Pending pending, const kernel::Fd &target, const MountStep &step, const Rootfs &rootfs) {
  const MountAttributes &recursive = step.recursive_attributes;
  auto changed = change_unless_locked(
      pending, [&](const MountAttributes &wanted) { return change_attributes(pending.mount, wanted); });
  const bool late = !changed && changed.error().number == ENOSYS;
  if (!changed && !late) return changed;
  TRY(in("recursive options", change_attributes(pending.mount, recursive, kernel::Recursive::yes)));
  TRY(attach_to(pending.mount, target, rootfs));
  if (late) {
    TRY(change_unless_locked(pending, [&](const MountAttributes &wanted) {
      return change_attached_attributes(pending.mount, wanted, rootfs.proc);
    }));
  }
  for (const std::uint64_t propagation : step.propagation) {
    TRY(change_propagation(pending.mount, propagation, rootfs.proc));
  }
  return {};
}

// ---- filesystems ----

// A tmpfs takes the mode of the directory it covers, as runc's does: /tmp stays 1777 and /run 0755.
Status keep_mode(Filesystem &filesystem, const kernel::Fd &target, bool existed) {
  const auto is_mode = [](const auto &option) { return option.first == "mode"; };
  if (filesystem.type != "tmpfs" || !existed || std::ranges::any_of(filesystem.options, is_mode)) return {};
  const mode_t mode = TRY(kernel::fstat(target)).st_mode & 07777;
  std::string octal = "0";
  for (int shift = 9; shift >= 0; shift -= 3) octal += static_cast<char>('0' + ((mode >> shift) & 7));
  filesystem.options.emplace_back("mode", octal);
  return {};
}

Filesystem describe(const MountStep &step, const Rootfs &rootfs) {
  Filesystem out{.type = step.type,
                 .source = step.source,
                 .options = step.options,
                 .superblock_flags = step.superblock_flags,
                 .attributes = step.attributes.set,
                 .user_namespace = has_user_namespace(*rootfs.plan)};
  if (!step.data_label.empty()) out.options.emplace_back(step.data_label_option, step.data_label);
  if (step.readonly_last || step.copy_up) {
    out.attributes &= ~std::uint64_t{MOUNT_ATTR_RDONLY};
    out.superblock_flags &= ~std::uint64_t{MS_RDONLY};
  }
  return out;
}

bool is_readonly(const MountStep &step) {
  return ((step.attributes.set & MOUNT_ATTR_RDONLY) | (step.superblock_flags & MS_RDONLY)) != 0;
}

Status mount_filesystem(const MountStep &step, Rootfs &rootfs) {
  // Whoever controls what is seen at /proc and /sys controls what the runtime and the container believe.
  const bool plain = step.type == "proc" || step.type == "sysfs";
  auto there =
      plain ? open_plain_target(rootfs, step.destination) : kernel::find_in_root(rootfs.root, step.destination, O_PATH);
  const bool existed = there && there->valid();
  if (step.destination_nofollow && !plain) {
    there = open_target(rootfs, step.destination, true, Follow::no);
  } else if (there && !existed) {
    there = make_target(rootfs, step.destination, true);
  }
  const auto target = TRY(std::move(there));
  Filesystem filesystem = describe(step, rootfs);
  TRY(keep_mode(filesystem, target, existed));
  Pending pending{.mount = TRY(make_filesystem(filesystem)), .attributes = {}, .clear_unless_locked = 0};
  TRY(id_map_new(step, pending.mount, *rootfs.plan, rootfs.proc));
  if (step.copy_up) {
    TRY(in("tmpcopyup", copy_up(target, pending.mount)));
    if (is_readonly(step) && !step.readonly_last) pending.attributes.set = MOUNT_ATTR_RDONLY;
  }
  if (plain) {
    rootfs.kernel_filesystems.emplace_back(step.destination, TRY(kernel::openat(pending.mount, ".", O_PATH)));
  }
  if (step.readonly_last && is_readonly(step)) {
    // A second descriptor of the mount's root, kept until everything below it is made.
    rootfs.late_readonly.emplace_back(step.destination, TRY(kernel::openat(pending.mount, ".", O_PATH)));
  }
  return attach_pending(std::move(pending), target, step, rootfs);
}

// ---- binds ----

// Looked up in the rootfs as it is by now, with what the mounts before have made there. Only the parent may map ids of
// a filesystem that the container's root does not own.
Result<kernel::Fd> open_inside(const MountStep &step, const Rootfs &rootfs) {
  const std::string below = step.source.substr(rootfs.plan->rootfs.size());
  const int nofollow = step.source_nofollow ? O_NOFOLLOW : 0;
  const auto there = TRY(remedy("a bind needs a source that exists, here inside the rootfs",
                                kernel::open_in_root(rootfs.root, below, O_PATH | nofollow)));
  const unsigned recursive = step.recursive ? AT_RECURSIVE : 0;
  auto clone = TRY(kernel::open_tree(there, "", OPEN_TREE_CLONE | AT_EMPTY_PATH | recursive));
  if (is_id_mapped(step) && rootfs.id_map_outside) {
    TRY(rootfs.id_map_outside(clone));
  } else {
    TRY(id_map_source(step, clone, *rootfs.plan, rootfs.proc));
  }
  return clone;
}

Result<kernel::Fd> take_bind_source(const MountStep &step, Rootfs &rootfs) {
  auto source = take_source(rootfs);
  if (!source.valid() && is_source_inside(step, *rootfs.plan)) return open_inside(step, rootfs);
  if (!source.valid()) return open_source(step, *rootfs.plan, rootfs.proc);
  // The parent's clone is a slave of the host's mount. In a container whose mounts are private it must be that, too.
  if ((host_propagation(*rootfs.plan) & MS_PRIVATE) != 0) {
    TRY(kernel::mount_setattr(source, "", {.propagation = MS_PRIVATE}, kernel::Recursive::yes));
  }
  return source;
}

// Podman's copy-symlink: a source that is a symbolic link is not bound; the container gets the same link. True where it
// was one.
Result<bool> copy_link(const MountStep &step, const Rootfs &rootfs) {
  if (!step.copy_symlink) return false;
  const auto source = TRY(kernel::fstatat(kernel::cwd, step.source, AT_SYMLINK_NOFOLLOW));
  if (!S_ISLNK(source.st_mode)) return false;
  const std::string text = TRY(kernel::readlinkat(kernel::cwd, step.source));
  const auto place = TRY(kernel::make_parent_in_root(rootfs.root, step.destination, 0755));
  auto made = kernel::symlinkat(text, place.parent, place.name);
  if (made) return true;
  if (made.error().number != EEXIST) return std::unexpected(made.error());
  const auto there = kernel::readlinkat(place.parent, place.name);
  if (there && *there == text) return true;
  return fail(EEXIST, "copy-symlink: the rootfs has something else there than a link to " + text);
}

Status mount_bind(const MountStep &step, Rootfs &rootfs) {
  if (TRY(copy_link(step, rootfs))) return {};
  Pending pending{.mount = TRY(take_bind_source(step, rootfs)),
                  .attributes = step.attributes,
                  .clear_unless_locked = step.clear_unless_locked};
  const bool directory = S_ISDIR(TRY(kernel::fstat(pending.mount)).st_mode);
  const auto target =
      TRY(open_target(rootfs, step.destination, directory, step.destination_nofollow ? Follow::no : Follow::yes));
  if (step.readonly_last) {
    pending.attributes.set &= ~std::uint64_t{MOUNT_ATTR_RDONLY};
    rootfs.late_readonly.emplace_back(step.destination, TRY(kernel::open_tree(pending.mount, "", AT_EMPTY_PATH)));
  }
  return attach_pending(std::move(pending), target, step, rootfs);
}

// ---- remount ----

Status reconfigure(const kernel::Fd &mount, const MountStep &step) {
  if (step.options.empty() && step.superblock_flags == 0) return {};
  const auto context = TRY(kernel::fspick(mount, "", FSPICK_EMPTY_PATH));
  if ((step.superblock_flags & MS_RDONLY) != 0) TRY(kernel::fsconfig_set_flag(context, "ro"));
  for (const auto &[key, value] : step.options) {
    TRY(in("option " + key,
           value.empty() ? kernel::fsconfig_set_flag(context, key) : kernel::fsconfig_set_string(context, key, value)));
  }
  return kernel::fsconfig_reconfigure(context);
}

Status remount(const MountStep &step, Rootfs &rootfs) {
  const auto mount = TRY(kernel::open_in_root(rootfs.root, step.destination, O_PATH));
  TRY(remedy("\"remount\" changes a mount that an earlier entry has made there", reconfigure(mount, step)));
  TRY(change_attached_attributes(mount, step.attributes, rootfs.proc));
  TRY(change_attributes(mount, step.recursive_attributes, kernel::Recursive::yes));
  for (const std::uint64_t propagation : step.propagation) TRY(change_propagation(mount, propagation, rootfs.proc));
  return {};
}

}  // namespace

Status apply(const MountStep &step, Rootfs &rootfs) {
  if (step.kind != MountStep::Kind::remount) {  // what it covers is not seen any more
    std::erase_if(rootfs.kernel_filesystems, [&](const auto &known) {
      return known.first == step.destination || known.first.starts_with(step.destination + "/");
    });
  }
  switch (step.kind) {
    case MountStep::Kind::filesystem:
      return mount_filesystem(step, rootfs);
    case MountStep::Kind::bind:
      return mount_bind(step, rootfs);
    case MountStep::Kind::cgroup:
      return mount_cgroup(step, rootfs);
    case MountStep::Kind::remount:
      return remount(step, rootfs);
  }
  return fail(EINVAL, "a mount of no kind");
}

Status apply(const FinishReadonly &step, Rootfs &rootfs) {
  const auto found = std::ranges::find(rootfs.late_readonly, step.destination,
                                       [](const auto &each) -> const auto & { return each.first; });
  if (found == rootfs.late_readonly.end()) {
    return fail(EINVAL, "no mount waits to be made read-only at " + step.destination);
  }
  const MountAttributes readonly{.set = MOUNT_ATTR_RDONLY, .clear = 0};
  auto changed = change_attached_attributes(found->second, readonly, rootfs.proc);
  rootfs.late_readonly.erase(found);
  return changed;
}

}  // namespace skiff
