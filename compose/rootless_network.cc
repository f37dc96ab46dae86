#include "compose/rootless_network.h"

#include <fmt/format.h>
#include <signal.h>

#include "compose/program.h"
#include "runtime/cli/value.h"
#include "runtime/kernel/credential.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"

namespace skiff::compose {
namespace {

std::string pid_path(const Places &places, const std::string &id) { return places.sockets(id) + "/pasta.pid"; }

std::string spec_of(const Port &port) {
  const std::string address =
      port.host_address.empty() || port.host_address == "0.0.0.0" ? "" : port.host_address + "/";
  return fmt::format("{}{}:{}", address, port.host.value_or(port.container), port.container);
}

// "none" keeps pasta from publishing whatever listens.
void add_ports(std::vector<std::string> &words, const char *flag, const char *protocol,
               const std::vector<Port> &ports) {
  bool any = false;
  for (const Port &port : ports) {
    if (port.protocol != protocol) continue;
    words.insert(words.end(), {flag, spec_of(port)});
    any = true;
  }
  if (!any) words.insert(words.end(), {flag, "none"});
}

}  // namespace

bool is_rootless() { return kernel::geteuid() != 0; }

std::vector<std::string> pasta_words(const std::string &pid_file, pid_t pid, const std::vector<Port> &ports) {
  std::vector<std::string> words = {"--config-net", "--quiet", "--pid", pid_file};
  add_ports(words, "-t", "tcp", ports);
  add_ports(words, "-u", "udp", ports);
  // Nothing of the host's loopback in the container.
  for (const char *word : {"-T", "none", "-U", "none", "--no-map-gw"}) words.emplace_back(word);
  words.push_back(std::to_string(pid));
  return words;
}

Status start_pasta(const Places &places, const std::string &id, pid_t pid, const std::vector<Port> &ports) {
  for (const Port &port : ports) {
    if (port.protocol != "sctp") continue;
    return fail(fmt::format("port {}: sctp cannot be published without root", port.container), "use tcp or udp");
  }
  Words words = {TRY(remedy("install the package passt, or use --network host or none", find_program("pasta")))};
  for (std::string &word : pasta_words(pid_path(places, id), pid, ports)) words.push_back(std::move(word));
  TRY(call_program(words));
  return {};
}

Status stop_pasta(const Places &places, const std::string &id) {
  const std::string path = pid_path(places, id);
  std::string text = TRY(read_if_there(path));
  while (text.ends_with('\n')) text.pop_back();
  const pid_t pid = cli::parse_number<pid_t>(text).value_or(0);
  if (pid <= 0) return {};
  const Result<kernel::Fd> process = kernel::pidfd_open(pid);
  // The number may be another's by now; the descriptor is of whoever has the name.
  const std::string name = TRY(read_if_there(fmt::format("/proc/{}/comm", pid)));
  if (process && name.starts_with("pas")) {
    const Status killed = kernel::pidfd_send_signal(*process, SIGTERM);
    if (!killed && killed.error().number != ESRCH) return killed;
  }
  const Status gone = kernel::unlinkat(kernel::cwd, path);
  if (!gone && gone.error().number != ENOENT) return gone;
  return {};
}

}  // namespace skiff::compose
