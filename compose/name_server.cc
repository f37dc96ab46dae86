#include "compose/name_server.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>

#include "compose/network_record.h"
#include "compose/process_mark.h"
#include "compose/program.h"
#include "compose/wait_file.h"
#include "compose/words.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"

namespace skiff::compose {
namespace {

using Files = std::map<std::string, std::string>;

constexpr const char *program_name = "aardvark-dns";
constexpr std::string_view process_name = "aardvark";
constexpr const char *pid_name = "aardvark.pid";

// Where Debian, Fedora and `make install` put what Podman needs.
constexpr std::array<const char *, 4> folders = {"/usr/local/libexec/podman", "/usr/local/lib/podman",
                                                 "/usr/libexec/podman", "/usr/lib/podman"};

Result<std::string> find_server() {
  for (const char *folder : folders) {
    std::string place = fmt::format("{}/{}", folder, program_name);
    if (kernel::faccessat(kernel::cwd, place, X_OK)) return place;
  }
  return remedy("install the package aardvark-dns, or use --network host or none", find_program(program_name));
}

std::string directory_of(const Places &places) { return names_directory(places) + "/aardvark-dns"; }

void append(std::string &list, std::string_view one) {
  if (!list.empty()) list += ',';
  list += one;
}

// "ID IPv4,IPv4 IPv6,IPv6 NAME,NAME"
std::string line_of(const NetworkState &state, const Endpoint &endpoint) {
  std::string ipv4;
  std::string ipv6;
  for (const std::string &address : endpoint.addresses) {
    append(address.contains(':') ? ipv6 : ipv4, std::string_view(address).substr(0, address.find('/')));
  }
  std::string names = state.name;
  for (const std::string &alias : endpoint.aliases) append(names, alias);
  return fmt::format("{} {} {} {}\n", state.container, ipv4, ipv6, names);
}

// proc_pid_status(5): whether it has a handler for SIGHUP, which would end it otherwise. True too when it is gone.
bool hears_hangup(pid_t pid) {
  const std::string status = read_if_there(fmt::format("/proc/{}/status", pid)).value_or("");
  const std::size_t at = status.find("SigCgt:");
  if (at == std::string::npos) return true;
  const std::string_view mask = words_of(lines_of(std::string_view(status).substr(at)).front()).back();
  return std::string_view("13579bdf").contains(mask.back());  // SIGHUP is the lowest bit
}

// It goes its own way when it has been started: the signal kills it until it has a handler. Nothing tells of that
// moment.
Status wait_until_it_hears(pid_t pid) {
  constexpr std::chrono::milliseconds between_looks(1);
  constexpr int most_looks = 5000;
  for (int i = 0; i < most_looks && !hears_hangup(pid); ++i) TRY(kernel::poll({}, between_looks));
  return {};
}

// Whether a file is another one now.
Result<bool> write_files(const Places &places, const Files &files) {
  const std::string directory = directory_of(places);
  bool changed = false;
  for (const auto &[name, text] : files) {
    const std::string path = fmt::format("{}/{}", directory, name);
    if (TRY(read_if_there(path)) == text) continue;
    changed = true;
    // It takes every file of its directory for a network's, so a new one is made beside that.
    const std::string fresh = names_directory(places) + "/fresh";
    TRY(replace_file(fresh, text, 0644));
    TRY(kernel::renameat2(kernel::cwd, fresh, kernel::cwd, path));
  }
  for (const std::string &name : TRY(kernel::list_directory(TRY(kernel::open(directory, O_RDONLY | O_DIRECTORY))))) {
    if (name == pid_name || files.contains(name)) continue;
    changed = true;
    TRY(kernel::unlinkat(kernel::cwd, fmt::format("{}/{}", directory, name)));
  }
  return changed;
}

Status start(const Places &places) {
  TRY(call_program({TRY(find_server()), "--config", directory_of(places), "--port", "53", "run"}));
  return {};
}

}  // namespace

Files name_server_files(const std::vector<NetworkRecord> &networks, const std::vector<NetworkState> &attached) {
  Files files;
  for (const NetworkRecord &network : networks) {
    std::string text;
    for (const SubnetRecord &subnet : network.subnets) append(text, subnet.gateway);
    text += '\n';
    const std::size_t head = text.size();
    for (const NetworkState &state : attached) {
      for (const Endpoint &endpoint : state.endpoints) {
        if (endpoint.network == network.name) text += line_of(state, endpoint);
      }
    }
    // By the ending later ones know that no question may leave the host.
    if (text.size() > head) files[network.name + (network.internal ? "%int" : "")] = text;
  }
  return files;
}

Status tell_name_server(const Places &places, const std::vector<NetworkRecord> &networks,
                        const std::vector<NetworkState> &attached) {
  const Files files = name_server_files(networks, attached);
  if (files.empty()) return end_name_server(places);
  TRY(kernel::make_parents(directory_of(places) + "/", 0711));
  const bool changed = TRY(write_files(places, files));
  const MarkedProcess server =
      TRY(find_by_pid_file(fmt::format("{}/{}", directory_of(places), pid_name), process_name));
  if (!server.pidfd.valid()) return start(places);
  if (!changed) return {};
  TRY(wait_until_it_hears(server.pid));
  const Status told = kernel::pidfd_send_signal(server.pidfd, SIGHUP);
  return told || told.error().number != ESRCH ? told : start(places);
}

Status end_name_server(const Places &places) {
  TRY(end_by_pid_file(fmt::format("{}/{}", directory_of(places), pid_name), process_name));
  return kernel::remove_tree_at(kernel::cwd, directory_of(places));
}

}  // namespace skiff::compose
