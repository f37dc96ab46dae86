#include "compose/user_network.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "compose/host_subnets.h"
#include "compose/kept_source.h"
#include "compose/name_server.h"
#include "compose/program.h"
#include "compose/user_network_wire.h"
#include "runtime/cli/value.h"
#include "runtime/kernel/credential.h"
#include "runtime/kernel/namespace.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/prctl.h"
#include "runtime/kernel/process.h"
#include "runtime/kernel/socket.h"

namespace skiff::compose {
namespace {

using kernel::Fd;

constexpr std::size_t longest_answer = std::size_t{128} << 10U;
constexpr const char *tun = "/dev/net/tun";
constexpr std::string_view pasta_name = "pas";  // pasta, passt.avx2

std::string holder_path(const Places &places) { return places.run + "/networks/holder"; }
std::string pasta_path(const Places &places) { return places.run + "/networks/pasta.pid"; }

Result<std::string> hear(const Fd &holder) {
  std::optional<kernel::Message> message = TRY(kernel::recv_message(holder, longest_answer, 0));
  if (!message) return fail("the process that holds the user's network was killed");
  return std::move(message->bytes);
}

Status hear(const Fd &holder, std::string_view expected) {
  const std::string said = TRY(hear(holder));
  return said == expected ? Status() : fail("the user's network: " + said);
}

Status write_map(pid_t pid, const char *file, std::string_view text) {
  const std::string path = fmt::format("/proc/{}/{}", pid, file);
  return in(path, kernel::write_all(TRY(kernel::open(path, O_WRONLY)), text));
}

Status map_by_grant(const char *program, pid_t pid, const std::vector<spec::IdMapping> &mappings) {
  Words words = {TRY(find_program(program)), fmt::to_string(pid)};
  for (const spec::IdMapping &one : mappings) {
    for (const std::uint32_t number : {one.container_id, one.host_id, one.size})
      words.push_back(fmt::to_string(number));
  }
  TRY(call_program(words));
  return {};
}

// Who is granted no ids maps himself, for which the kernel asks nobody: user_namespaces(7).
Status map_ids(pid_t pid) {
  const HostFacts host = TRY(read_host_facts());
  const IdMaps maps = TRY(make_user_network_maps(host));
  if (maps.uids.size() > 1) {
    TRY(map_by_grant("newuidmap", pid, maps.uids));
  } else {
    TRY(write_map(pid, "uid_map", fmt::format("0 {} 1\n", host.uid)));
  }
  if (maps.gids.size() > 1) return map_by_grant("newgidmap", pid, maps.gids);
  TRY(write_map(pid, "setgroups", "deny"));
  return write_map(pid, "gid_map", fmt::format("0 {} 1\n", host.gid));
}

// Without a way out of the host there is nothing to connect, and pasta would refuse: containers have one another, and
// their published ports.
Status ensure_pasta(const Places &places, pid_t pid) {
  if (TRY(find_by_pid_file(pasta_path(places), pasta_name)).pidfd.valid() || !TRY(has_default_route())) return {};
  Words words = {TRY(remedy("install the package passt, or use --network host or none", find_program("pasta")))};
  TRY(remedy("as root: chmod 0666 /dev/net/tun, as udev has it, or use --network host or none",
             kernel::faccessat(kernel::cwd, tun, R_OK | W_OK)));
  for (std::string &word : pasta_words(pasta_path(places), pid)) words.push_back(std::move(word));
  TRY(call_program(words));
  return {};
}

// Its pid.
Result<pid_t> start_holder(const Places &places, kernel::SocketPair &sockets) {
  const std::string self = TRY(kernel::readlinkat(kernel::cwd, "/proc/self/exe"));
  TRY(start_detached({self, "hold-network", places.run}, {.in = sockets.other}));
  sockets.other.reset();
  const std::string said = TRY(hear(sockets.one));
  const pid_t pid = cli::parse_number<pid_t>(said).value_or(0);
  if (pid <= 0) return fail("the user's network: " + said);
  return pid;
}

Status make_user_network(const Places &places, const Fd &lock) {
  kernel::SocketPair sockets = TRY(kernel::socketpair());
  const pid_t pid = TRY(start_holder(places, sockets));
  TRY(map_ids(pid));
  const kernel::FdView kept = lock;
  TRY(kernel::send_message(sockets.one, holder_wire::mapped, {&kept, 1}));
  TRY(hear(sockets.one, holder_wire::ready));
  TRY(ensure_pasta(places, pid));
  TRY(kernel::send_message(sockets.one, holder_wire::stay));
  TRY(hear(sockets.one, holder_wire::marked));
  TRY(inside_user_network(places, []() -> Result<std::string> {
    TRY(route_kept_sources());
    return std::string();
  }));
  return {};
}

// "NUMBER TEXT\0REMEDY", with an empty number where the text is what came of it.
std::string pack(const Result<std::string> &result) {
  if (result) return " " + *result;
  return fmt::format("{} {}{}{}", result.error().number, result.error().text, '\0', result.error().remedy);
}

Result<std::string> unpack(const std::string &message) {
  const std::size_t blank = message.find(' ');
  if (blank == std::string::npos) return fail("an answer that is none");
  if (blank == 0) return message.substr(1);
  const std::size_t end = std::min(message.find('\0'), message.size());
  return fail(cli::parse_number<int>(message.substr(0, blank)).value_or(0), message.substr(blank + 1, end - blank - 1),
              message.substr(std::min(end + 1, message.size())));
}

// aardvark-dns and iptables are root's programs, whose folder an ordinary user may not look in.
void add_system_folders() {
  const char *path = std::getenv("PATH");
  const std::string folders =
      std::string(path == nullptr ? "/usr/bin:/bin" : path) + ":/usr/local/sbin:/usr/sbin:/sbin";
  ::setenv("PATH", folders.c_str(), 1);
}

[[noreturn]] void work_inside(const Fd &holder, const Fd &answer, const std::function<Result<std::string>()> &work) {
  Status entered = kernel::set_pdeathsig(SIGKILL);
  if (entered) entered = kernel::setns(holder, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET);
  add_system_folders();
  const Result<std::string> done = entered ? work() : std::unexpected(entered.error());
  _exit(kernel::send_message(answer, pack(done)) ? 0 : 1);
}

}  // namespace

bool is_rootless() { return kernel::geteuid() != 0; }

std::vector<std::string> pasta_words(const std::string &pid_file, pid_t pid) {
  // Link-local addresses of its own, which no other network has: a container then reaches the host's by the host's own
  // address. Of IPv6 the host's is used. An address of the link, as the host's way out may be one without.
  std::vector<std::string> words = {"--config-net", "--quiet",      "--pid",         pid_file,
                                    "--ns-ifname",  "host",         "--mac-addr",    "9a:53:4b:00:00:01",
                                    "--address",    "169.254.77.2", "--netmask",     "30",
                                    "--gateway",    "169.254.77.1", "--dns-forward", holder_wire::name_server};
  // Nothing of the host's loopback is shown, and nothing that listens is published.
  for (const char *flag : {"-t", "-u", "-T", "-U"}) words.insert(words.end(), {flag, "none"});
  words.insert(words.end(), {"--no-map-gw", std::to_string(pid)});
  return words;
}

Result<MarkedProcess> find_user_network(const Places &places) { return find_marked_process(holder_path(places)); }

Status ensure_user_network(const Places &places, const Fd &lock) {
  const MarkedProcess holder = TRY(find_user_network(places));
  if (holder.pidfd.valid()) return ensure_pasta(places, holder.pid);
  TRY(end_user_network(places));
  Status made = make_user_network(places, lock);
  if (!made) (void)end_user_network(places);
  return made;
}

Status end_user_network(const Places &places) {
  // The name server first: it would hold the namespaces, and find its way to nobody.
  TRY(end_name_server(places));
  TRY(end_by_pid_file(pasta_path(places), pasta_name));
  TRY(kernel::remove_tree_at(kernel::cwd, places.run + "/networks/resolv.conf"));
  return end_marked_process(holder_path(places));
}

Result<std::string> inside_user_network(const Places &places, const std::function<Result<std::string>()> &work) {
  const MarkedProcess holder = TRY(find_user_network(places));
  if (!holder.pidfd.valid()) return fail(ESRCH, "the user's network", "start the container again");
  kernel::SocketPair sockets = TRY(kernel::socketpair());
  kernel::Child child = TRY(kernel::clone3({}));
  if (child.is_this_process()) work_inside(holder.pidfd, sockets.other, work);
  sockets.other.reset();
  const std::optional<kernel::Message> answer = TRY(kernel::recv_message(sockets.one, longest_answer, 0));
  TRY(child.wait());
  return answer ? unpack(answer->bytes) : fail("who works on the user's network was killed");
}

}  // namespace skiff::compose
