#include <fmt/format.h>

#include <algorithm>

#include "compose/cmd/command.h"
#include "compose/cmd/format_flag.h"
#include "compose/network.h"
#include "compose/output.h"
#include "spec/writer.h"

namespace skiff::compose {
namespace {

constexpr auto flags = std::to_array<cli::FlagSpec>({
    format_flag("json", 'f'),
});

struct Pool {
  std::string subnet, gateway, range;
  std::map<std::string, std::string> reserved;
};

struct Ipam {
  std::string driver = "default";
  std::vector<Pool> config;
};

struct Member {
  std::string name, mac_address, ipv4_address, ipv6_address;
};

// docker's document.
struct Details {
  NetworkRecord network;
  Ipam ipam;
  std::map<std::string, Member> containers;
};

void fields(spec::Writer &v, const Pool &pool) {
  v.always("Subnet", pool.subnet);
  v.optional("IPRange", pool.range);
  v.always("Gateway", pool.gateway);
  v.optional("AuxiliaryAddresses", pool.reserved);
}

void fields(spec::Writer &v, const Ipam &ipam) {
  v.always("Driver", ipam.driver);
  v.always("Config", ipam.config);
}

void fields(spec::Writer &v, const Member &member) {
  v.always("Name", member.name);
  v.always("MacAddress", member.mac_address);
  v.always("IPv4Address", member.ipv4_address);
  v.always("IPv6Address", member.ipv6_address);
}

void fields(spec::Writer &v, const Details &details) {
  v.always("Name", details.network.name);
  v.always("Id", details.network.id);
  v.always("Created", details.network.created);
  v.always("Scope", std::string("local"));
  v.always("Driver", std::string("bridge"));
  v.always("EnableIPv6", details.network.ipv6);
  v.always("IPAM", details.ipam);
  v.always("Internal", details.network.internal);
  v.always("Interface", details.network.bridge);
  v.always("Containers", details.containers);
  v.always("Options", details.network.options);
  v.always("Labels", details.network.labels);
}

Member member_of(const NetworkState &state, const Endpoint &endpoint) {
  Member member{.name = state.name, .mac_address = endpoint.mac_address, .ipv4_address = {}, .ipv6_address = {}};
  for (const std::string &address : endpoint.addresses) {
    (address.contains(':') ? member.ipv6_address : member.ipv4_address) = address;
  }
  return member;
}

Details details_of(const NetworkRecord &network, const std::vector<NetworkState> &attached) {
  Details details{.network = network, .ipam = {}, .containers = {}};
  for (const SubnetRecord &one : network.subnets) {
    details.ipam.config.push_back(
        {.subnet = one.subnet, .gateway = one.gateway, .range = one.range, .reserved = one.reserved});
  }
  for (const NetworkState &state : attached) {
    for (const Endpoint &endpoint : state.endpoints) {
      if (endpoint.network == network.name) details.containers[state.container] = member_of(state, endpoint);
    }
  }
  return details;
}

Result<int> run(const Context &context) {
  const Places places = TRY(find_places(context.global()));
  const std::vector<NetworkState> attached = TRY(list_attached(places));
  std::vector<Details> all;
  for (const std::string_view name : context.invocation.positionals) {
    all.push_back(details_of(TRY(find_network(places, std::string(name))), attached));
  }
  return print(spec::Writer("    ").document(all) + "\n");
}

}  // namespace

const CommandEntry network_inspect_command = {.command = {.name = "network inspect",
                                                          .usage = "NETWORK...",
                                                          .summary = "print what a network is, and who is on it",
                                                          .flags = flags,
                                                          .min_positionals = 1,
                                                          .max_positionals = cli::kUnlimited},
                                              .run = run,
                                              .dry_run = DryRun::reads};

}  // namespace skiff::compose
