#include "compose/host_subnets.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

#include "compose/state.h"
#include "compose/words.h"

namespace skiff::compose {
namespace {

std::optional<std::uint32_t> parse_hex(std::string_view text) {
  std::uint32_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<Address> parse_hex_bytes(std::string_view text) {
  Address address{.v6 = true};
  if (text.size() != 2 * address.bytes.size()) return std::nullopt;
  for (std::size_t i = 0; i < address.bytes.size(); ++i) {
    const std::optional<std::uint32_t> byte = parse_hex(text.substr(2 * i, 2));
    if (!byte) return std::nullopt;
    address.bytes[i] = static_cast<std::uint8_t>(*byte);
  }
  return address;
}

}  // namespace

std::vector<Subnet> parse_routes(std::string_view text, std::string_view own_bridge) {
  std::vector<Subnet> subnets;
  for (const std::string_view line : lines_of(text)) {
    // Iface Destination Gateway Flags RefCnt Use Metric Mask ...
    const std::vector<std::string_view> words = words_of(line);
    if (words.size() < 8 || words[0] == own_bridge) continue;
    const std::optional<std::uint32_t> destination = parse_hex(words[1]);
    const std::optional<std::uint32_t> mask = parse_hex(words[7]);
    // The head of the table is no number, and the default route takes nothing.
    if (!destination || !mask || *mask == 0) continue;
    Address address;
    std::memcpy(address.bytes.data(), &*destination, sizeof(*destination));
    subnets.push_back(Subnet::of(address, static_cast<unsigned>(std::popcount(*mask))));
  }
  return subnets;
}

std::vector<Subnet> parse_ipv6_routes(std::string_view text, std::string_view own_bridge) {
  std::vector<Subnet> subnets;
  for (const std::string_view line : lines_of(text)) {
    // destination, its prefix, source, its prefix, next hop, metric, references, uses, flags, interface
    const std::vector<std::string_view> words = words_of(line);
    if (words.size() < 10 || words[9] == own_bridge) continue;
    const std::optional<Address> address = parse_hex_bytes(words[0]);
    const std::optional<std::uint32_t> prefix = parse_hex(words[1]);
    if (address && prefix && *prefix > 0 && *prefix <= 128) subnets.push_back(Subnet::of(*address, *prefix));
  }
  return subnets;
}

bool is_default_route(std::string_view line_of_route) {
  const std::vector<std::string_view> words = words_of(line_of_route);
  return words.size() >= 8 && words[1] == "00000000" && words[7] == "00000000";
}

bool is_default_ipv6_route(std::string_view line_of_ipv6_route) {
  const std::vector<std::string_view> words = words_of(line_of_ipv6_route);
  // The kernel has one on loopback that leads nowhere.
  return words.size() >= 10 && words[1] == "00" && words[9] != "lo" && !words[0].starts_with("ff");
}

Result<bool> has_default_route() {
  const std::string routes = TRY(read_if_there("/proc/self/net/route"));
  const std::string routes6 = TRY(read_if_there("/proc/self/net/ipv6_route"));
  return std::ranges::any_of(lines_of(routes), is_default_route) ||
         std::ranges::any_of(lines_of(routes6), is_default_ipv6_route);
}

std::vector<std::string> parse_name_servers(std::string_view text) {
  std::vector<std::string> servers;
  for (const std::string_view line : lines_of(text)) {
    const std::vector<std::string_view> words = words_of(line);
    if (words.size() >= 2 && words[0] == "nameserver") servers.emplace_back(words[1]);
  }
  return servers;
}

Result<std::vector<Subnet>> read_host_subnets(std::string_view own_bridge) {
  // What is not there has no routes: a kernel without IPv6.
  std::vector<Subnet> subnets = parse_routes(TRY(read_if_there("/proc/self/net/route")), own_bridge);
  for (Subnet &one : parse_ipv6_routes(TRY(read_if_there("/proc/self/net/ipv6_route")), own_bridge)) {
    subnets.push_back(one);
  }
  for (const std::string &server : parse_name_servers(TRY(read_if_there("/etc/resolv.conf")))) {
    const std::optional<Address> address = Address::parse(server);
    if (address) subnets.push_back(Subnet::of(*address, address->bits()));
  }
  return subnets;
}

}  // namespace skiff::compose
