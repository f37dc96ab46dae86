// Mounts as file descriptors: fsopen(2) and its family (Linux 5.2), mount_setattr(2) (5.12), and the classic calls.
//
// A detached mount that nobody attaches unmounts itself when its descriptor closes. The error of a call on a
// filesystem context ends in what the kernel wrote to its log: `fsconfig(6, "data", "x"): e overlay: ...`.
#pragma once

#include <linux/magic.h>
#include <linux/mount.h>
#include <sys/mount.h>

#include <cstdint>

#include "runtime/kernel/fd.h"

namespace skiff::kernel {

// fsopen(2): a new filesystem of this type. ENODEV where the kernel has none. Always FSOPEN_CLOEXEC.
[[nodiscard]] Result<Fd> fsopen(CString type);
// fspick(2): the superblock of an existing mount, to reconfigure it. `flags` FSPICK_*; FSPICK_CLOEXEC is added.
[[nodiscard]] Result<Fd> fspick(FdView dir, CString path, unsigned flags);
// fsconfig(2), each command under its own name. `context` is what fsopen or fspick returned.
[[nodiscard]] Status fsconfig_set_string(FdView context, CString key, CString value);
[[nodiscard]] Status fsconfig_set_flag(FdView context, CString key);
[[nodiscard]] Status fsconfig_set_fd(FdView context, CString key, FdView value);
[[nodiscard]] Status fsconfig_create(FdView context);
[[nodiscard]] Status fsconfig_reconfigure(FdView context);
// fsmount(2): a detached mount; MOUNT_ATTR_* are its flags. Always FSMOUNT_CLOEXEC.
[[nodiscard]] Result<Fd> fsmount(FdView context, uint64_t attributes);

// open_tree(2): `flags` OPEN_TREE_CLONE, AT_RECURSIVE, AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW; OPEN_TREE_CLOEXEC is added.
[[nodiscard]] Result<Fd> open_tree(FdView dir, CString path, unsigned flags);
// move_mount(2) from one descriptor onto another, with empty paths on both sides. `flags` may add
// MOVE_MOUNT_SET_GROUP and the like.
[[nodiscard]] Status move_mount(FdView mount, FdView target, unsigned flags = 0);

// What mount_setattr(2) changes.
struct MountAttributes {
  uint64_t set = 0;          // MOUNT_ATTR_*
  uint64_t clear = 0;        // MOUNT_ATTR_*; MOUNT_ATTR__ATIME as a whole where the access time changes
  uint64_t propagation = 0;  // MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_UNBINDABLE, or 0 to leave it
  FdView userns = no_fd;     // with MOUNT_ATTR_IDMAP in `set`
};
enum class Recursive { no, yes };
// An empty path means the mount `fd` is. ENOSYS below Linux 5.12; EINVAL where the filesystem cannot be id-mapped.
[[nodiscard]] Status mount_setattr(FdView fd, CString path, const MountAttributes &attributes,
                                   Recursive recursive = Recursive::no);

// mount(2). For what the newer calls cannot do; `source`, `type` and `data` may be "".
[[nodiscard]] Status mount(CString source, CString target, CString type, unsigned long flags, CString data = "");
[[nodiscard]] Status umount2(CString target, int flags);
// pivot_root(2) with both "." or paths.
[[nodiscard]] Status pivot_root(CString new_root, CString put_old);

// statx(2) with STATX_MNT_ID_UNIQUE (Linux 6.8): the id of the mount that `fd` is on, which no other mount ever gets. 0
// where the kernel has only ids that are used again.
[[nodiscard]] Result<uint64_t> read_unique_mount_id(FdView fd);

// Filesystems that <linux/magic.h> of an older system may lack, or leaves out.
inline constexpr long mqueue_super_magic = 0x19800202;
inline constexpr long fuse_super_magic = 0x65735546;

}  // namespace skiff::kernel
