#include "compose/network_addresses.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "compose/contains.h"

namespace skiff::compose {
namespace {

// Docker's, Podman's and most home networks are elsewhere.
constexpr std::array<std::uint8_t, 4> first_pool = {10, 201, 0, 0};
constexpr unsigned pool_count = 7 * 256;  // up to 10.207.255.0/24
constexpr unsigned pool_prefix = 24;

const Subnet *overlapping(const Subnet &subnet, const std::vector<Subnet> &taken) {
  const auto found = std::ranges::find_if(taken, [&](const Subnet &one) { return one.overlaps(subnet); });
  return found == taken.end() ? nullptr : &*found;
}

Result<Subnet> free_ipv4_subnet(const std::vector<Subnet> &taken) {
  Address address;
  std::ranges::copy(first_pool, address.bytes.begin());
  for (unsigned i = 0; i < pool_count; ++i) {
    const Subnet subnet = Subnet::of(address.plus(std::uint64_t{i} << (32U - pool_prefix)), pool_prefix);
    if (overlapping(subnet, taken) == nullptr) return subnet;
  }
  return fail("no subnet is free in 10.201.0.0 to 10.207.255.255", "name one by --subnet");
}

// RFC 4193: fd, and 40 bits that nobody else has drawn.
Subnet ipv6_subnet(const std::string &id) {
  return *Subnet::parse(fmt::format("fd{}:{}:{}::/64", id.substr(0, 2), id.substr(2, 4), id.substr(6, 4)));
}

Result<SubnetRecord> checked_pool(const std::string &place, const AddressPool &pool, const std::vector<Subnet> &taken) {
  const std::optional<Subnet> subnet = Subnet::parse(pool.subnet);
  if (!subnet)
    return fail(fmt::format("{}.subnet: \"{}\" is no subnet", place, pool.subnet), "write it as 10.5.0.0/16");
  if (const Subnet *other = overlapping(*subnet, taken)) {
    return fail(fmt::format("{}.subnet: {} overlaps {}, which the host or another network uses", place, pool.subnet,
                            other->text()),
                "choose another one, or leave it out");
  }
  SubnetRecord record{.subnet = subnet->text(), .range = pool.range, .reserved = pool.reserved};
  if (!pool.range.empty()) {
    const std::optional<Subnet> range = Subnet::parse(pool.range);
    if (!range || !subnet->contains(range->first) || range->prefix < subnet->prefix) {
      return fail(fmt::format("{}.ip_range: {} is no part of {}", place, pool.range, pool.subnet));
    }
  }
  record.gateway = pool.gateway.empty() ? subnet->first.plus(1).text() : pool.gateway;
  const std::optional<Address> gateway = Address::parse(record.gateway);
  if (!gateway || !subnet->contains(*gateway)) {
    return fail(fmt::format("{}.gateway: {} is not in {}", place, record.gateway, pool.subnet));
  }
  return record;
}

bool is_ipv6(const SubnetRecord &record) { return record.subnet.contains(':'); }

SubnetRecord record_of(const Subnet &subnet) {
  return {.subnet = subnet.text(), .gateway = subnet.first.plus(1).text(), .range = {}, .reserved = {}};
}

std::string without_prefix(const std::string &address) { return address.substr(0, address.find('/')); }

Result<Address> wished_address(const std::string &wish, const Subnet &subnet, const std::string &gateway,
                               const std::vector<std::string> &used) {
  const std::optional<Address> address = Address::parse(wish);
  if (!address) return fail(fmt::format("\"{}\" is no address", wish));
  if (!subnet.contains(*address)) return fail(fmt::format("{} is not in {}", wish, subnet.text()));
  if (address->text() == gateway || contains(used, address->text())) {
    return fail(EADDRINUSE, fmt::format("{} in {}", wish, subnet.text()), "choose another one");
  }
  return *address;
}

Result<Address> free_address(const SubnetRecord &record, const Subnet &subnet, const std::vector<std::string> &used) {
  const Subnet range = record.range.empty() ? subnet : *Subnet::parse(record.range);
  // Neither the network's own address nor, in IPv4, the broadcast address.
  for (std::uint64_t i = range.first == subnet.first ? 1 : 0; i < range.size(); ++i) {
    const Address address = range.first.plus(i);
    if (!address.v6 && address == subnet.last()) break;
    const std::string text = address.text();
    const bool reserved = std::ranges::any_of(record.reserved, [&](const auto &one) { return one.second == text; });
    if (text != record.gateway && !reserved && !contains(used, text)) return address;
  }
  return fail(fmt::format("no address is free in {}", range.text()), "remove containers, or make a larger network");
}

}  // namespace

Result<std::vector<SubnetRecord>> choose_subnets(const Network &network, const std::string &id,
                                                 const std::vector<Subnet> &taken) {
  std::vector<SubnetRecord> records;
  std::vector<Subnet> all = taken;
  for (std::size_t i = 0; i < network.pools.size(); ++i) {
    const std::string place = fmt::format("networks.{}.ipam.config[{}]", network.key, i);
    // A pool may say nothing but the range's name; compose-spec leaves every member out.
    if (network.pools[i].subnet.empty()) continue;
    records.push_back(TRY(checked_pool(place, network.pools[i], all)));
    all.push_back(*Subnet::parse(records.back().subnet));
  }
  const bool has_ipv4 = !std::ranges::all_of(records, is_ipv6);
  const bool has_ipv6 = std::ranges::any_of(records, is_ipv6);
  if (!has_ipv4) records.insert(records.begin(), record_of(TRY(free_ipv4_subnet(all))));
  if (network.enable_ipv6 && !has_ipv6) records.push_back(record_of(ipv6_subnet(id)));
  return records;
}

Result<std::vector<std::string>> choose_addresses(const NetworkRecord &network, const Attachment &wish,
                                                  const std::vector<std::string> &used) {
  std::vector<std::string> plain;
  for (const std::string &one : used) plain.push_back(without_prefix(one));
  std::vector<std::string> addresses;
  bool ipv4_given = wish.ipv4_address.empty();
  bool ipv6_given = wish.ipv6_address.empty();
  for (const SubnetRecord &record : network.subnets) {
    const std::optional<Subnet> subnet = Subnet::parse(record.subnet);
    if (!subnet) return fail(fmt::format("network {}: \"{}\" is no subnet", network.name, record.subnet));
    bool &given = subnet->first.v6 ? ipv6_given : ipv4_given;
    const std::string &text = subnet->first.v6 ? wish.ipv6_address : wish.ipv4_address;
    Result<Address> address =
        given ? free_address(record, *subnet, plain) : wished_address(text, *subnet, record.gateway, plain);
    given = true;
    const Address got = TRY(in(fmt::format("network {}", network.name), std::move(address)));
    addresses.push_back(fmt::format("{}/{}", got.text(), subnet->prefix));
  }
  if (!ipv4_given || !ipv6_given) {
    return fail(fmt::format("network {} has no subnet for {}", network.name,
                            ipv4_given ? wish.ipv6_address : wish.ipv4_address),
                "give it one in ipam, for IPv6 with enable_ipv6");
  }
  return addresses;
}

std::string choose_hardware_address(const std::vector<std::string> &addresses) {
  const auto ipv4 = std::ranges::find_if(addresses, [](const std::string &one) { return one.contains('.'); });
  const std::optional<Address> address =
      Address::parse(without_prefix(ipv4 == addresses.end() ? addresses.front() : *ipv4));
  if (!address) return "";
  const std::uint8_t *last = address->bytes.data() + address->bits() / 8 - 4;
  return fmt::format("02:42:{:02x}:{:02x}:{:02x}:{:02x}", last[0], last[1], last[2], last[3]);
}

}  // namespace skiff::compose
