#include "runtime/kernel/mount.h"

#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "runtime/kernel/call.h"

namespace skiff::kernel {
namespace {

constexpr FlagName propagation_names[] = {
    {MS_PRIVATE, "MS_PRIVATE"}, {MS_SLAVE, "MS_SLAVE"}, {MS_SHARED, "MS_SHARED"}, {MS_UNBINDABLE, "MS_UNBINDABLE"}};

// The kernel keeps at most this many messages in a context's log (fc_log).
constexpr int most_messages = 8;

// ": e overlay: ..." for each message in the context's log.
void append_log(FdView context, std::string &text) {
  std::array<char, 1024> message;
  for (int count = 0; count < most_messages; ++count) {
    const ssize_t size = ::read(context.get(), message.data(), message.size());
    if (size <= 0) return;
    std::string_view line(message.data(), static_cast<size_t>(size));
    if (line.ends_with('\n')) line.remove_suffix(1);
    text += ": ";
    text += line;
  }
}

[[gnu::cold, gnu::noinline]] std::unexpected<Error> context_failed(FdView context, std::string_view call,
                                                                   std::initializer_list<Argument> arguments) {
  std::unexpected<Error> failure = call_failed(call, arguments);
  append_log(context, failure.error().text);
  return failure;
}

long configure(FdView context, unsigned command, const char *key, const char *value, int number) {
  return ::syscall(SYS_fsconfig, context.get(), command, key, value, number);
}

}  // namespace

Result<Fd> fsopen(CString type) {
  const int fd = static_cast<int>(::syscall(SYS_fsopen, type.c_str(), FSOPEN_CLOEXEC));
  if (fd < 0) return call_failed("fsopen", {type});
  return Fd(fd);
}

Result<Fd> fspick(FdView dir, CString path, unsigned flags) {
  const int fd = static_cast<int>(::syscall(SYS_fspick, dir.get(), path.c_str(), flags | FSPICK_CLOEXEC));
  if (fd < 0) return call_failed("fspick", {dir, path});
  return Fd(fd);
}

Status fsconfig_set_string(FdView context, CString key, CString value) {
  if (configure(context, FSCONFIG_SET_STRING, key.c_str(), value.c_str(), 0) == 0) return {};
  return context_failed(context, "fsconfig", {Argument::word("FSCONFIG_SET_STRING"), key, value});
}

Status fsconfig_set_flag(FdView context, CString key) {
  if (configure(context, FSCONFIG_SET_FLAG, key.c_str(), nullptr, 0) == 0) return {};
  return context_failed(context, "fsconfig", {Argument::word("FSCONFIG_SET_FLAG"), key});
}

Status fsconfig_set_fd(FdView context, CString key, FdView value) {
  if (configure(context, FSCONFIG_SET_FD, key.c_str(), nullptr, value.get()) == 0) return {};
  return context_failed(context, "fsconfig", {Argument::word("FSCONFIG_SET_FD"), key, value});
}

Status fsconfig_create(FdView context) {
  if (configure(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0) return {};
  return context_failed(context, "fsconfig", {Argument::word("FSCONFIG_CMD_CREATE")});
}

Status fsconfig_reconfigure(FdView context) {
  if (configure(context, FSCONFIG_CMD_RECONFIGURE, nullptr, nullptr, 0) == 0) return {};
  return context_failed(context, "fsconfig", {Argument::word("FSCONFIG_CMD_RECONFIGURE")});
}

Result<Fd> fsmount(FdView context, uint64_t attributes) {
  const int fd = static_cast<int>(::syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, attributes));
  if (fd < 0) return context_failed(context, "fsmount", {Argument::flags(attributes, mount_attribute_names)});
  return Fd(fd);
}

Result<Fd> open_tree(FdView dir, CString path, unsigned flags) {
  const int fd = static_cast<int>(::syscall(SYS_open_tree, dir.get(), path.c_str(), flags | OPEN_TREE_CLOEXEC));
  if (fd < 0) return call_failed("open_tree", {dir, path, Argument::flags(flags, open_tree_flag_names)});
  return Fd(fd);
}

Status move_mount(FdView mount, FdView target, unsigned flags) {
  const unsigned all = flags | MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
  if (::syscall(SYS_move_mount, mount.get(), "", target.get(), "", all) == 0) return {};
  return call_failed("move_mount", {mount, target});
}

Status mount_setattr(FdView fd, CString path, const MountAttributes &attributes, Recursive recursive) {
  mount_attr change{};
  change.attr_set = attributes.set;
  change.attr_clr = attributes.clear;
  change.propagation = attributes.propagation;
  change.userns_fd = attributes.userns.valid() ? static_cast<uint64_t>(attributes.userns.get()) : 0;
  const unsigned flags =
      (path.empty() ? AT_EMPTY_PATH : 0U) | (recursive == Recursive::yes ? unsigned{AT_RECURSIVE} : 0U);
  if (::syscall(SYS_mount_setattr, fd.get(), path.c_str(), flags, &change, sizeof(change)) == 0) return {};
  return call_failed("mount_setattr",
                     {fd, path, Argument::flags(flags, open_tree_flag_names), Argument::word("set"),
                      Argument::flags(change.attr_set, mount_attribute_names), Argument::word("clear"),
                      Argument::flags(change.attr_clr, mount_attribute_names), Argument::word("propagation"),
                      Argument::flags(change.propagation, propagation_names)});
}

Status mount(CString source, CString target, CString type, unsigned long flags, CString data) {
  const char *options = data.empty() ? nullptr : data.c_str();
  if (::mount(source.c_str(), target.c_str(), type.c_str(), flags, options) == 0) return {};
  return call_failed("mount", {source, target, type, Argument::flags(flags, mount_flag_names), data});
}

Status umount2(CString target, int flags) {
  if (::umount2(target.c_str(), flags) == 0) return {};
  static constexpr FlagName names[] = {{MNT_FORCE, "MNT_FORCE"},
                                       {MNT_DETACH, "MNT_DETACH"},
                                       {MNT_EXPIRE, "MNT_EXPIRE"},
                                       {UMOUNT_NOFOLLOW, "UMOUNT_NOFOLLOW"}};
  return call_failed("umount2", {target, Argument::flags(static_cast<uint64_t>(flags), names)});
}

Status pivot_root(CString new_root, CString put_old) {
  if (::syscall(SYS_pivot_root, new_root.c_str(), put_old.c_str()) == 0) return {};
  return call_failed("pivot_root", {new_root, put_old});
}

Result<uint64_t> read_unique_mount_id(FdView fd) {
  constexpr unsigned unique = 0x4000;  // STATX_MNT_ID_UNIQUE
  struct statx status{};
  if (::statx(fd.get(), "", AT_EMPTY_PATH, unique, &status) != 0) return call_failed("statx", {fd});
  return (status.stx_mask & unique) != 0 ? status.stx_mnt_id : 0;
}

}  // namespace skiff::kernel
