// Writing rules: one program a step and kind of address.
#include <fmt/format.h>

#include <functional>

#include "compose/network_rules.h"
#include "compose/program.h"

namespace skiff::compose {
namespace {

using Text = std::function<std::string(AddressFamily)>;

std::string program_of(AddressFamily family, std::string_view ending) {
  return fmt::format("{}-{}", family == AddressFamily::ipv4 ? "iptables" : "ip6tables", ending);
}

std::vector<AddressFamily> families_of(const NetworkRecord &network) {
  if (network.ipv6) return {AddressFamily::ipv4, AddressFamily::ipv6};
  return {AddressFamily::ipv4};
}

bool has_iptables() { return find_program("iptables-restore").has_value(); }

Status restore(AddressFamily family, const std::string &text) {
  if (text.empty()) return {};
  const std::string name = program_of(family, "restore");
  const std::string program = TRY(remedy("install the package iptables", find_program(name)));
  TRY(call_program({program, "--noflush", "--wait"}, text));
  return {};
}

Status restore_all(const NetworkRecord &network, const Text &text) {
  for (const AddressFamily family : families_of(network)) TRY(restore(family, text(family)));
  return {};
}

Status call_nft(const std::string &text) {
  const std::string program =
      TRY(remedy("install the package iptables or nftables, or use --network host or none", find_program("nft")));
  TRY(call_program({program, "-f", "-"}, text));
  return {};
}

// Somebody has flushed the firewall, or a killed command has written one table of it: what is left is looked for.
Status remove_found(const NetworkRecord &network, AddressFamily family) {
  const std::string shown = TRY(call_program({TRY(find_program(program_of(family, "save")))}));
  return restore(family, rules_left(network, shown));
}

}  // namespace

Status add_rules(const NetworkRecord &network, const std::vector<PublishedPorts> &ports) {
  if (!has_iptables()) return call_nft(nft_rules(network, ports));
  return restore_all(network, [&](AddressFamily family) { return rules_to_add(network, ports, family); });
}

Status change_ports(const NetworkRecord &network, const std::vector<PublishedPorts> &ports) {
  if (!has_iptables()) return call_nft(nft_rules(network, ports));
  return restore_all(network, [&](AddressFamily family) { return rules_of_ports(network, ports, family); });
}

Status remove_rules(const NetworkRecord &network) {
  if (!has_iptables()) return call_nft(nft_removal(network));
  for (const AddressFamily family : families_of(network)) {
    if (restore(family, rules_to_remove(network, family))) continue;
    TRY(remove_found(network, family));
  }
  return {};
}

}  // namespace skiff::compose
