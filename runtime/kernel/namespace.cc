#include "runtime/kernel/namespace.h"

#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>

#include "runtime/kernel/call.h"

namespace skiff::kernel {

Status setns(FdView fd, int flags) {
  if (::setns(fd.get(), flags) == 0) return {};
  return call_failed("setns", {fd, Argument::flags(static_cast<uint64_t>(flags), clone_flag_names)});
}

Status unshare(int flags) {
  if (::unshare(flags) == 0) return {};
  return call_failed("unshare", {Argument::flags(static_cast<uint64_t>(flags), clone_flag_names)});
}

namespace {

Result<Fd> open_link(const Procfs &proc, const std::string &directory, CString name) {
  const Fd links = TRY(proc.open_at(directory, O_PATH | O_DIRECTORY));
  // A magic link by nature, so it is followed and then asked what it was.
  Fd found = TRY(openat(links, name, O_RDONLY));
  if (TRY(fstatfs(found)).f_type == NSFS_MAGIC) return found;
  return call_failed(EXDEV, "openat", {links, name});
}

}  // namespace

Result<Fd> open_namespace(const Procfs &proc, pid_t pid, CString name) {
  return open_link(proc, std::to_string(pid) + "/ns", name);
}

Result<Fd> open_own_namespace(const Procfs &proc, CString name) { return open_link(proc, "self/ns", name); }

Result<Fd> open_process_root(const Procfs &proc, pid_t pid) {
  const Fd directory = TRY(proc.open_at(std::to_string(pid), O_PATH | O_DIRECTORY));
  return openat(directory, "root", O_PATH | O_DIRECTORY);
}

Result<int> get_namespace_type(FdView ns) {
  const int type = ::ioctl(ns.get(), NS_GET_NSTYPE);
  if (type < 0) return call_failed("ioctl", {ns, Argument::word("NS_GET_NSTYPE")});
  return type;
}

Result<Fd> get_owning_user_namespace(FdView ns) {
  const int fd = ::ioctl(ns.get(), NS_GET_USERNS);
  if (fd < 0) return call_failed("ioctl", {ns, Argument::word("NS_GET_USERNS")});
  return Fd(fd);
}

Result<uid_t> get_owner_uid(FdView user_namespace) {
  uid_t uid = 0;
  if (::ioctl(user_namespace.get(), NS_GET_OWNER_UID, &uid) == 0) return uid;
  return call_failed("ioctl", {user_namespace, Argument::word("NS_GET_OWNER_UID")});
}

Result<bool> in_first_user_namespace(const Procfs &proc) {
  std::string map = TRY(proc.read_file("self/uid_map"));
  std::erase(map, ' ');
  return map == "004294967295\n";
}

Result<bool> is_same_namespace(FdView one, FdView other) {
  const struct stat first = TRY(fstat(one));
  const struct stat second = TRY(fstat(other));
  return first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

}  // namespace skiff::kernel
