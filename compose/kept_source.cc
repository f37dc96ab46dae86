#include "compose/kept_source.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include "compose/program.h"
#include "runtime/kernel/netlink.h"

namespace skiff::compose {
namespace {

// Not the socket's own, by which its own packets would be routed to itself.
constexpr std::uint32_t answer_mark = 0x534b0002;
constexpr std::uint32_t answer_table = 0x534b;

std::string iptables_rules() {
  return fmt::format(
      "*mangle\n"
      "-A OUTPUT -m mark --mark {0:#x} -j CONNMARK --set-mark {1:#x}\n"
      "-A PREROUTING -m connmark --mark {1:#x} -j MARK --set-mark {1:#x}\n"
      "COMMIT\n",
      forwarded_mark, answer_mark);
}

std::string nft_rules() {
  return fmt::format(
      "table inet skiff {{\n"
      "  chain output {{ type route hook output priority mangle; meta mark {0:#x} ct mark set {1:#x}; }}\n"
      "  chain prerouting {{ type filter hook prerouting priority mangle; ct mark {1:#x} meta mark set {1:#x}; }}\n"
      "}}\n",
      forwarded_mark, answer_mark);
}

// As network_rules.h chooses.
Status mark_answers() {
  const Result<std::string> restore = find_program("iptables-restore");
  if (!restore) {
    TRY(call_program({TRY(remedy("install iptables or nftables", find_program("nft"))), "-f", "-"}, nft_rules()));
    return {};
  }
  TRY(call_program({*restore, "--noflush", "--wait"}, iptables_rules()));
  const Result<std::string> restore6 = find_program("ip6tables-restore");
  // A kernel without IPv6 has no such connections.
  if (restore6) (void)call_program({*restore6, "--noflush", "--wait"}, iptables_rules());
  return {};
}

}  // namespace

Status route_kept_sources() {
  TRY(mark_answers());
  const kernel::RouteSocket route = TRY(kernel::RouteSocket::open());
  TRY(route.add_local_default(AF_INET, answer_table));
  TRY(route.add_mark_rule(AF_INET, answer_mark, answer_table));
  if (route.add_local_default(AF_INET6, answer_table)) TRY(route.add_mark_rule(AF_INET6, answer_mark, answer_table));
  return {};
}

}  // namespace skiff::compose
