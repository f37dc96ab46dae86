// The rules as iptables has them. Each carries the network's mark as its comment, by which it is found again.
#include "compose/network_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "compose/contains.h"
#include "compose/words.h"

namespace skiff::compose {
namespace {

struct Rule {
  std::string_view table;
  std::string text;  // "CHAIN MATCHES -j TARGET"
};

constexpr std::array<std::string_view, 3> tables = {"mangle", "filter", "nat"};

std::string mark_of(const NetworkRecord &network) { return "skiff-" + network.id.substr(0, 12); }

// Of published ports; 28 characters are the most that a chain may have.
std::string chain_of(const NetworkRecord &network) { return "SKIFF-" + network.id.substr(0, 12); }

bool is_of(AddressFamily family, std::string_view address) {
  return address.contains(':') == (family == AddressFamily::ipv6);
}

bool is_any(std::string_view address) { return address.empty() || address == "0.0.0.0" || address == "::"; }

// In mangle, which comes before filter: another network's rule there would let through what goes out of it.
void add_walls(const NetworkRecord &network, std::vector<Rule> &rules) {
  const std::string &bridge = network.bridge;
  if (network.internal) {
    rules.push_back({"mangle", fmt::format("FORWARD -i {0} ! -o {0} -j DROP", bridge)});
    rules.push_back({"mangle", fmt::format("FORWARD ! -i {0} -o {0} -j DROP", bridge)});
    rules.push_back({"filter", fmt::format("FORWARD -i {0} -o {0} -j ACCEPT", bridge)});
    return;
  }
  rules.push_back(
      {"mangle",
       fmt::format("FORWARD ! -i {0} -o {0} -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP", bridge)});
  rules.push_back({"filter", fmt::format("FORWARD -i {} -j ACCEPT", bridge)});
  rules.push_back({"filter", fmt::format("FORWARD -o {} -j ACCEPT", bridge)});
}

// Names are asked for at the bridge's address, whatever else the host lets in.
void add_name_server(const NetworkRecord &network, const SubnetRecord &subnet, std::vector<Rule> &rules) {
  for (const char *protocol : {"udp", "tcp"}) {
    rules.push_back({"filter", fmt::format("INPUT -i {} -d {} -p {} --dport 53 -j ACCEPT", network.bridge,
                                           subnet.gateway, protocol)});
  }
}

void add_masquerade(const NetworkRecord &network, const SubnetRecord &subnet, AddressFamily family,
                    std::vector<Rule> &rules) {
  const char *multicast = family == AddressFamily::ipv4 ? "224.0.0.0/4" : "ff00::/8";
  rules.push_back({"nat", fmt::format("POSTROUTING -s {} ! -d {} ! -o {} -j MASQUERADE", subnet.subnet, multicast,
                                      network.bridge)});
  // A port that another container of the network has published: its answer has to come back this way.
  rules.push_back({"nat", fmt::format("POSTROUTING -s {} -o {} -m conntrack --ctstate DNAT -j MASQUERADE",
                                      subnet.subnet, network.bridge)});
}

// The host's own loopback, to published ports: route_localnet lets it out, and containers must not come in by it.
void add_loopback(const NetworkRecord &network, std::vector<Rule> &rules) {
  rules.push_back({"nat", fmt::format("POSTROUTING -s 127.0.0.0/8 -o {} -j MASQUERADE", network.bridge)});
  rules.push_back(
      {"filter", fmt::format("INPUT -i {} -d 127.0.0.0/8 -m conntrack --ctstate NEW -j DROP", network.bridge)});
}

// All but the chain of ports, and the jumps into it.
std::vector<Rule> make_rules(const NetworkRecord &network, AddressFamily family) {
  std::vector<Rule> rules;
  add_walls(network, rules);
  for (const SubnetRecord &subnet : network.subnets) {
    if (!is_of(family, subnet.subnet)) continue;
    add_name_server(network, subnet, rules);
    if (!network.internal) add_masquerade(network, subnet, family, rules);
  }
  if (network.internal) return rules;
  if (family == AddressFamily::ipv4) add_loopback(network, rules);
  for (const char *chain : {"PREROUTING", "OUTPUT"}) {
    rules.push_back({"nat", fmt::format("{} -m addrtype --dst-type LOCAL -j {}", chain, chain_of(network))});
  }
  return rules;
}

// "-I CHAIN MATCHES -m comment --comment MARK -j TARGET"
std::string line_of(const NetworkRecord &network, char verb, const Rule &rule) {
  const std::size_t target = rule.text.rfind(" -j ");
  return fmt::format("-{} {} -m comment --comment {}{}\n", verb, rule.text.substr(0, target), mark_of(network),
                     rule.text.substr(target));
}

std::string in_tables(const NetworkRecord &network, char verb, AddressFamily family) {
  const std::vector<Rule> rules = make_rules(network, family);
  std::string text;
  for (const std::string_view table : tables) {
    text += fmt::format("*{}\n", table);
    for (const Rule &rule : rules) {
      if (rule.table == table) text += line_of(network, verb, rule);
    }
    text += "COMMIT\n";
  }
  return text;
}

// Of a range the port keeps its distance from the first one.
std::string target_of(const PublishedPorts &ports, const std::string &address) {
  const std::string host = address.contains(':') ? "[" + address + "]" : address;
  if (ports.count == 1) return fmt::format("{}:{}", host, ports.container);
  return fmt::format("{}:{}-{}/{}", host, ports.container, ports.container + ports.count - 1, ports.host);
}

std::string lines_of_ports(const NetworkRecord &network, const std::vector<PublishedPorts> &ports,
                           AddressFamily family) {
  std::string text;
  for (const PublishedPorts &one : ports) {
    const bool any = is_any(one.host_address);
    if (!any && !is_of(family, one.host_address)) continue;
    const std::string to = any ? "" : fmt::format(" -d {}", one.host_address);
    const std::string range =
        one.count == 1 ? fmt::to_string(one.host) : fmt::format("{}:{}", one.host, one.host + one.count - 1);
    for (const std::string &target : one.targets) {
      if (!is_of(family, target)) continue;
      text += fmt::format("-A {}{} -p {} --dport {} -j DNAT --to-destination {}\n", chain_of(network), to, one.protocol,
                          range, target_of(one, target));
    }
  }
  return text;
}

}  // namespace

std::vector<PublishedPorts> ports_into(const NetworkRecord &network, const std::vector<NetworkState> &states) {
  std::vector<PublishedPorts> all;
  for (const NetworkState &state : states) {
    const auto out = std::ranges::find_if(state.endpoints, [](const Endpoint &one) { return !one.gateways.empty(); });
    if (out == state.endpoints.end() || out->network != network.name) continue;
    std::vector<std::string> targets;
    for (const std::string &address : out->addresses) targets.push_back(address.substr(0, address.find('/')));
    bool follows = false;  // the one before is this container's
    for (const Port &port : state.ports) {
      const std::uint16_t host = port.host.value_or(0);
      if (follows && all.back().host_address == port.host_address && all.back().protocol == port.protocol &&
          all.back().container + all.back().count == port.container && all.back().host + all.back().count == host) {
        ++all.back().count;
        continue;
      }
      follows = true;
      all.push_back({.protocol = port.protocol,
                     .host_address = port.host_address,
                     .host = host,
                     .container = port.container,
                     .targets = targets});
    }
  }
  return all;
}

std::string rules_of_ports(const NetworkRecord &network, const std::vector<PublishedPorts> &ports,
                           AddressFamily family) {
  if (network.internal) return "";
  // A chain that is named here is emptied first, in the same step.
  return fmt::format("*nat\n:{} - [0:0]\n{}COMMIT\n", chain_of(network), lines_of_ports(network, ports, family));
}

std::string rules_to_add(const NetworkRecord &network, const std::vector<PublishedPorts> &ports, AddressFamily family) {
  // The chain before the jumps to it; that a table is named twice is no harm.
  return rules_of_ports(network, ports, family) + in_tables(network, 'I', family);
}

std::string rules_to_remove(const NetworkRecord &network, AddressFamily family) {
  std::string text = in_tables(network, 'D', family);
  if (!network.internal) text += fmt::format("*nat\n-F {0}\n-X {0}\nCOMMIT\n", chain_of(network));
  return text;
}

std::string rules_left(const NetworkRecord &network, std::string_view iptables_save) {
  const std::string chain = chain_of(network);
  const std::string mark = mark_of(network);
  std::string text;
  std::string_view table;
  std::string lines;
  for (const std::string_view line : lines_of(iptables_save)) {
    const std::vector<std::string_view> words = words_of(line);
    if (words.empty()) continue;
    if (line.starts_with('*')) table = line;
    if (words[0] == "-A" && words[1] != chain && contains(words, mark)) {
      lines += fmt::format("-D {}\n", line.substr(words[0].size() + 1));
    }
    if (line == "COMMIT") {
      const bool has_chain = iptables_save.contains(fmt::format("\n:{} ", chain)) && table == "*nat";
      if (has_chain) lines += fmt::format("-F {0}\n-X {0}\n", chain);
      if (!lines.empty()) text += fmt::format("{}\n{}COMMIT\n", table, lines);
      lines.clear();
    }
  }
  return text;
}

}  // namespace skiff::compose
