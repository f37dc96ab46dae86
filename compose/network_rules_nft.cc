// The rules as nft has them, a table of the network's own: it goes as a whole.
#include <fmt/format.h>

#include "compose/network_rules.h"

namespace skiff::compose {
namespace {

std::string table_of(const NetworkRecord &network) { return "inet skiff-" + network.id.substr(0, 12); }

const char *family_of(std::string_view address) { return address.contains(':') ? "ip6" : "ip"; }

std::string line_of(const PublishedPorts &ports, const std::string &target, std::uint16_t number) {
  const char *family = family_of(target);
  const bool any = ports.host_address.empty() || ports.host_address == "0.0.0.0" || ports.host_address == "::";
  const std::string to = any ? "" : fmt::format("{} daddr {} ", family, ports.host_address);
  const std::string host = target.contains(':') ? "[" + target + "]" : target;
  return fmt::format("    {}{} dport {} dnat {} to {}:{}\n", to, ports.protocol, ports.host + number, family, host,
                     ports.container + number);
}

std::string lines_of_ports(const std::vector<PublishedPorts> &ports) {
  std::string text;
  for (const PublishedPorts &one : ports) {
    const bool any = one.host_address.empty() || one.host_address == "0.0.0.0" || one.host_address == "::";
    for (const std::string &target : one.targets) {
      if (!any && one.host_address.contains(':') != target.contains(':')) continue;
      for (std::uint16_t i = 0; i < one.count; ++i) text += line_of(one, target, i);
    }
  }
  return text;
}

std::string lines_of_masquerade(const NetworkRecord &network) {
  std::string text = fmt::format("    ip saddr 127.0.0.0/8 oifname \"{}\" masquerade\n", network.bridge);
  for (const SubnetRecord &subnet : network.subnets) {
    const char *family = family_of(subnet.subnet);
    const char *multicast = subnet.subnet.contains(':') ? "ff00::/8" : "224.0.0.0/4";
    text += fmt::format("    {0} saddr {1} {0} daddr != {2} oifname != \"{3}\" masquerade\n", family, subnet.subnet,
                        multicast, network.bridge);
    text += fmt::format("    {} saddr {} oifname \"{}\" ct status dnat masquerade\n", family, subnet.subnet,
                        network.bridge);
  }
  return text;
}

std::string wall_of(const NetworkRecord &network) {
  const std::string in = fmt::format("iifname != \"{0}\" oifname \"{0}\"", network.bridge);
  if (!network.internal)
    return fmt::format("    {} ct state != {{ established, related }} ct status ! dnat drop\n", in);
  return fmt::format("    {0} drop\n    iifname \"{1}\" oifname != \"{1}\" drop\n", in, network.bridge);
}

}  // namespace

std::string nft_removal(const NetworkRecord &network) {
  // Deleting one that is not there is an error; naming it makes it.
  return fmt::format("table {0}\ndelete table {0}\n", table_of(network));
}

std::string nft_rules(const NetworkRecord &network, const std::vector<PublishedPorts> &ports) {
  std::string text = nft_removal(network);
  text += fmt::format("table {} {{\n", table_of(network));
  text += fmt::format("  chain forward {{\n    type filter hook forward priority mangle\n{}  }}\n", wall_of(network));
  if (network.internal) return text + "}\n";
  text += fmt::format(
      "  chain input {{\n    type filter hook input priority mangle\n"
      "    iifname \"{}\" ip daddr 127.0.0.0/8 ct state new drop\n  }}\n",
      network.bridge);
  text += fmt::format("  chain ports {{\n{}  }}\n", lines_of_ports(ports));
  text +=
      "  chain prerouting {\n    type nat hook prerouting priority -100\n    fib daddr type local jump ports\n  }\n";
  text += "  chain output {\n    type nat hook output priority -100\n    fib daddr type local jump ports\n  }\n";
  text += fmt::format("  chain postrouting {{\n    type nat hook postrouting priority srcnat\n{}  }}\n",
                      lines_of_masquerade(network));
  return text + "}\n";
}

}  // namespace skiff::compose
