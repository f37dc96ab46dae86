#include "compose/network_namespace.h"

#include <unistd.h>

#include <array>
#include <utility>

#include "runtime/kernel/mount.h"
#include "runtime/kernel/namespace.h"
#include "runtime/kernel/netlink.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"
#include "runtime/kernel/socket.h"

namespace skiff::compose {
namespace {

// As Docker has it: the namespace is the container's own, so its users may bind any port and send echo requests. An
// interface has the addresses that it is given, whatever routers say. The files are those of the caller's own
// namespace.
constexpr std::array<std::pair<const char *, std::string_view>, 4> settings = {
    {{"/proc/sys/net/ipv4/ip_unprivileged_port_start", "0"},
     {"/proc/sys/net/ipv4/ping_group_range", "0 2147483647"},
     {"/proc/sys/net/ipv6/conf/default/autoconf", "0"},
     {"/proc/sys/net/ipv6/conf/default/accept_ra", "0"}}};

Status furnish(const std::string &path, pid_t owner) {
  if (owner == 0) {
    TRY(kernel::unshare(CLONE_NEWNET));
  } else {
    TRY(kernel::setns(TRY(kernel::pidfd_open(owner)), CLONE_NEWNET));
  }
  TRY(kernel::bring_up_loopback());
  for (const auto &[file, value] : settings) {
    // A host whose /proc/sys is read-only has them as the kernel does.
    const Result<kernel::Fd> setting = kernel::open(file, O_WRONLY);
    if (setting) (void)kernel::write_all(*setting, value);
  }
  return kernel::mount("/proc/self/ns/net", path, "", MS_BIND);
}

[[noreturn]] void furnish_and_tell(const std::string &path, pid_t owner, kernel::FdView socket) {
  const Status made = furnish(path, owner);
  if (!made) (void)kernel::send_message(socket, made.error().message());
  _exit(made ? 0 : 1);
}

// `owner` 0: a new one.
Status bind_network_namespace(const std::string &path, pid_t owner) {
  TRY(remove_network_namespace(path));
  TRY(kernel::open(path, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  kernel::SocketPair sockets = TRY(kernel::socketpair());
  kernel::Child child = TRY(kernel::clone3({}));
  if (child.is_this_process()) furnish_and_tell(path, owner, sockets.other);
  sockets.other.reset();
  const auto said = TRY(kernel::recv_message(sockets.one, 4096, 0));
  const kernel::ExitStatus status = TRY(child.wait());
  if (status.shell_code() == 0) return {};
  (void)remove_network_namespace(path);
  return fail("a network namespace: " + (said ? said->bytes : "the process that made it was killed"));
}

}  // namespace

Status make_network_namespace(const std::string &path) { return bind_network_namespace(path, 0); }

Status keep_network_namespace(const std::string &path, pid_t pid) { return bind_network_namespace(path, pid); }

bool is_network_namespace(const std::string &path) {
  const Result<kernel::Fd> file = kernel::open(path, O_RDONLY | O_NOFOLLOW);
  if (!file) return false;
  const Result<int> type = kernel::get_namespace_type(*file);
  return type && *type == CLONE_NEWNET;
}

Status remove_network_namespace(const std::string &path) {
  Status unmounted = kernel::umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
  // EINVAL: nothing is mounted there.
  if (!unmounted && unmounted.error().number != EINVAL && unmounted.error().number != ENOENT) return unmounted;
  Status removed = kernel::unlinkat(kernel::cwd, path);
  if (!removed && removed.error().number == ENOENT) return {};
  return removed;
}

}  // namespace skiff::compose
