#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>

#include "compose/host_subnets.h"
#include "compose/process_mark.h"
#include "compose/user_network.h"
#include "compose/user_network_wire.h"
#include "runtime/kernel/mount.h"
#include "runtime/kernel/namespace.h"
#include "runtime/kernel/netlink.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/prctl.h"
#include "runtime/kernel/process.h"
#include "runtime/kernel/socket.h"

namespace skiff::compose {
namespace {

using kernel::Fd;

constexpr kernel::FdView starter{0};
constexpr const char *resolv_conf = "/etc/resolv.conf";

// A host's resolver on loopback is out of reach from another network namespace.
Result<std::string> reachable_servers() {
  std::string text;
  const Result<Fd> file = kernel::open(resolv_conf, O_RDONLY);
  if (file) text = TRY(kernel::read_all(*file, std::size_t{1} << 20U));
  for (const std::string &server : parse_name_servers(text)) {
    const std::optional<Address> address = Address::parse(server);
    if (address && !address->is_loopback()) return text;
  }
  return fmt::format("nameserver {}\n", holder_wire::name_server);
}

// Where the links of /etc/resolv.conf end.
std::string real_resolv_conf() {
  char *real = ::realpath(resolv_conf, nullptr);
  std::string path = real == nullptr ? resolv_conf : real;
  std::free(real);
  return path;
}

// An empty /run keeps iptables' lock out of the way: it is root's. Our own
// files may lie in there.
Status empty_run(const Places &places) {
  const bool ours = places.run.starts_with("/run/");
  const Fd own = ours ? TRY(kernel::open_tree(kernel::cwd, places.run, OPEN_TREE_CLONE | AT_RECURSIVE)) : Fd();
  TRY(kernel::mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=1m"));
  if (!ours) return {};
  TRY(kernel::make_parents(places.run + "/", 0711));
  return kernel::move_mount(own, TRY(kernel::open(places.run, O_PATH | O_DIRECTORY)));
}

Status furnish_files(const Places &places) {
  const std::string servers = TRY(reachable_servers());
  const std::string place = real_resolv_conf();
  TRY(kernel::mount("", "/", "", MS_REC | MS_SLAVE));
  TRY(empty_run(places));
  const std::string own = places.run + "/networks/resolv.conf";
  TRY(replace_file(own, servers, 0644));
  if (!place.starts_with("/run/")) return kernel::mount(own, place, "", MS_BIND);
  TRY(kernel::make_parents(place, 0755));
  return replace_file(place, servers, 0644);
}

Result<kernel::Message> hear(std::string_view expected) {
  std::optional<kernel::Message> message = TRY(kernel::recv_message(starter, 64, 1));
  if (message && message->bytes == expected) return std::move(*message);
  return fail("who started the user's network has gone");
}

Status hold(const Places &places) {
  TRY(kernel::set_name("skiff-networks"));
  TRY(
      remedy("allow user namespaces: sysctl kernel.unprivileged_userns_clone, user.max_user_namespaces, "
             "kernel.apparmor_restrict_unprivileged_userns",
             kernel::unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET)));
  TRY(kernel::send_message(starter, fmt::to_string(kernel::getpid())));
  // The lock: it is let go with the message.
  const kernel::Message mapped = TRY(hear(holder_wire::mapped));
  TRY(kernel::bring_up_loopback());
  TRY(furnish_files(places));
  TRY(kernel::send_message(starter, holder_wire::ready));
  TRY(hear(holder_wire::stay));
  TRY(mark_own_process(places.run + "/networks/holder"));
  // It stays whether the starter hears it or not.
  (void)kernel::send_message(starter, holder_wire::marked);
  return {};
}

}  // namespace

Status hold_user_network(const Places &places) {
  Status held = hold(places);
  if (!held) {
    (void)kernel::send_message(starter, held.error().message());
    return held;
  }
  TRY(kernel::dup_onto(TRY(kernel::open("/dev/null", O_RDWR)), 0));
  TRY(kernel::poll({}, kernel::forever));
  return {};
}

}  // namespace skiff::compose
