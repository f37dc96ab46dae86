// Which subnets the host uses already, so that no network of ours takes one of them.
#pragma once

#include <string_view>
#include <vector>

#include "compose/address.h"
#include "spec/error.h"

namespace skiff::compose {

// Of the current network namespace: everything it has a route to but the default one, and the name servers of
// /etc/resolv.conf, which may lie behind that. `own_bridge` is an interface whose routes do not count.
[[nodiscard]] Result<std::vector<Subnet>> read_host_subnets(std::string_view own_bridge = {});

// The texts of proc_net_route(5), /proc/net/route and /proc/net/ipv6_route.
[[nodiscard]] std::vector<Subnet> parse_routes(std::string_view text, std::string_view own_bridge);
[[nodiscard]] std::vector<Subnet> parse_ipv6_routes(std::string_view text, std::string_view own_bridge);

// Whether it has a way to everywhere else, by IPv4 or IPv6.
[[nodiscard]] Result<bool> has_default_route();
[[nodiscard]] bool is_default_route(std::string_view line_of_route);
[[nodiscard]] bool is_default_ipv6_route(std::string_view line_of_ipv6_route);

// The addresses of resolv.conf(5)'s name servers, as they are written.
[[nodiscard]] std::vector<std::string> parse_name_servers(std::string_view text);

}  // namespace skiff::compose
