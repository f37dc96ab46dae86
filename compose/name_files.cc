#include "compose/name_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "compose/contains.h"
#include "compose/host_subnets.h"
#include "compose/words.h"
#include "runtime/kernel/fd.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {
namespace {

// resolv.conf(5) of a host may name a resolver on loopback, systemd's, whose own list of servers is elsewhere.
constexpr const char *host_resolv = "/etc/resolv.conf";
constexpr const char *systemd_resolv = "/run/systemd/resolve/resolv.conf";

std::string without_prefix(const std::string &address) { return address.substr(0, address.find('/')); }

// In place: the container has mounted this inode, not the name.
Status write_in_place(const std::string &path, std::string_view text) {
  const kernel::Fd file = TRY(kernel::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0644));
  TRY(in(path, kernel::write_all(file, text)));
  return kernel::fchmod(file, 0644);
}

std::string gateway_of(const NameFiles &names) {
  if (names.host_network) return "127.0.0.1";
  for (const Endpoint &endpoint : names.endpoints) {
    if (!endpoint.gateways.empty()) return endpoint.gateways.front();
  }
  return {};
}

Result<std::string> extra_lines(const NameFiles &names) {
  std::string text;
  for (const auto &[name, address] : names.extra_hosts) {
    const std::string at = address == "host-gateway" ? gateway_of(names) : address;
    if (at.empty()) {
      return fail(fmt::format("extra_hosts: {}: the container has no network with a gateway", name),
                  "write the host's address instead of host-gateway");
    }
    if (!Address::parse(at)) return fail(fmt::format("extra_hosts: {}: \"{}\" is no address", name, at));
    text += fmt::format("{}\t{}\n", at, name);
  }
  return text;
}

Result<std::string> hosts_text(const NameFiles &names) {
  if (names.host_network) {
    std::string text = TRY(read_if_there("/etc/hosts"));
    if (!text.empty() && !text.ends_with('\n')) text += '\n';
    return text + TRY(extra_lines(names));
  }
  std::string text =
      "127.0.0.1\tlocalhost\n"
      "::1\tlocalhost ip6-localhost ip6-loopback\n"
      "fe00::0\tip6-localnet\nff00::0\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n";
  text += TRY(extra_lines(names));
  const std::string own = names.domain_name.empty()
                              ? names.hostname
                              : fmt::format("{}.{} {}", names.hostname, names.domain_name, names.hostname);
  for (const Endpoint &endpoint : names.endpoints) {
    for (const std::string &address : endpoint.addresses) {
      if (!own.empty()) text += fmt::format("{}\t{}\n", without_prefix(address), own);
    }
  }
  return text;
}

bool is_loopback(const std::string &server) {
  const std::optional<Address> address = Address::parse(server);
  return address && address->is_loopback();
}

// What a container that is not on the host's network can reach of the host's resolver.
Result<std::string> reachable_resolv() {
  std::string text = TRY(read_if_there(host_resolv));
  const std::vector<std::string> servers = parse_name_servers(text);
  if (!std::ranges::all_of(servers, is_loopback)) return text;
  std::string own = TRY(read_if_there(systemd_resolv));
  return own.empty() ? text : own;
}

std::vector<std::string> network_servers(const NameFiles &names) {
  std::vector<std::string> servers;
  for (const Endpoint &endpoint : names.endpoints) {
    for (const std::string &server : endpoint.name_servers) {
      if (!contains(servers, server)) servers.push_back(server);
    }
  }
  return servers;
}

// The lines of the host's file that begin with one of these words.
std::string kept_lines(std::string_view host, std::string_view first, std::string_view second) {
  std::string text;
  for (const std::string_view line : lines_of(host)) {
    const std::vector<std::string_view> words = words_of(line);
    if (!words.empty() && (words[0] == first || words[0] == second)) text += fmt::format("{}\n", line);
  }
  return text;
}

std::string joined(std::string_view word, const std::vector<std::string> &values) {
  return values.empty() ? "" : fmt::format("{} {}\n", word, fmt::join(values, " "));
}

// The names of our networks first: what they do not know, aardvark-dns asks the host's servers.
Result<std::string> resolv_text(const NameFiles &names) {
  const std::string host = names.host_network ? TRY(read_if_there(host_resolv)) : TRY(reachable_resolv());
  const bool plain_search = names.dns_search == std::vector<std::string>{"."};
  std::string text =
      names.dns_search.empty() ? kept_lines(host, "search", "domain") : joined("search", names.dns_search);
  if (plain_search) text.clear();
  std::vector<std::string> servers = network_servers(names);
  servers.insert(servers.end(), names.dns.begin(), names.dns.end());
  if (servers.empty()) servers = parse_name_servers(host);
  for (const std::string &server : servers) text += fmt::format("nameserver {}\n", server);
  return text +
         (names.dns_options.empty() ? kept_lines(host, "options", "options") : joined("options", names.dns_options));
}

}  // namespace

Status write_name_files(const std::string &folder, const NameFiles &names) {
  TRY(write_in_place(folder + "/hostname", names.hostname + "\n"));
  TRY(write_in_place(folder + "/hosts", TRY(hosts_text(names))));
  return write_in_place(folder + "/resolv.conf", TRY(resolv_text(names)));
}

}  // namespace skiff::compose
