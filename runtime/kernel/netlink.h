// rtnetlink(7), as far as a container's network namespace and the bridges that connect it need it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/kernel/fd.h"

namespace skiff::kernel {

struct Link {
  int index = 0;
  std::string name;
};

// veth(4): a cable between two network namespaces. The end here is up when it is made, the other one down.
struct NewVeth {
  std::string name;
  int bridge = 0;      // the index of the link that the end here is a port of
  unsigned group = 0;  // of the end here
  FdView netns;        // where the other end is
  std::string peer_name;
  std::string peer_hardware_address;  // 6 bytes; empty: the kernel's choice
  unsigned mtu = 0;                   // of both ends; 0: the kernel's choice
};

// An address of a link, as RTM_GETADDR tells it and RTM_NEWADDR takes it. The bytes are in network order; empty where
// the kernel gave none.
struct LinkAddress {
  unsigned char family = 0;  // AF_INET, AF_INET6
  unsigned char prefix_length = 0;
  unsigned char scope = 0;  // RT_SCOPE_*
  uint32_t flags = 0;       // IFA_F_*
  std::string address;      // of the other end, where that is another one
  std::string local;
  std::string broadcast;
};

// A NETLINK_ROUTE socket: what it says is about the network namespace in which it was opened, wherever its user is.
// Errors hold the kernel's own sentence, where it sends one (Linux 4.12).
class RouteSocket {
 public:
  [[nodiscard]] static Result<RouteSocket> open();
  // In another network namespace: the calling thread joins it and comes back, which takes CAP_SYS_ADMIN in the user
  // namespaces of both.
  [[nodiscard]] static Result<RouteSocket> open_in(FdView netns, FdView own_netns);

  // ENODEV where there is no link of this name, EINVAL for a name of 16 bytes or more.
  [[nodiscard]] Result<int> find_link(CString name) const;
  [[nodiscard]] Result<std::vector<Link>> list_links() const;
  [[nodiscard]] Result<std::vector<LinkAddress>> list_addresses(int index) const;
  // Without the lifetimes and without the flags that are the kernel's own to set.
  [[nodiscard]] Status add_address(int index, const LinkAddress &address) const;
  // IFF_UP.
  [[nodiscard]] Status set_up(int index, bool up = true) const;
  // ENODEV where there is no link of this name.
  [[nodiscard]] Result<bool> is_up(CString name) const;
  // EEXIST where the name is taken. It is down. `hardware_address`: 6 bytes, which stay when ports come and go.
  [[nodiscard]] Status add_bridge(CString name, std::string_view hardware_address, unsigned mtu, unsigned group) const;
  // EEXIST where a name is taken, here or there.
  [[nodiscard]] Status add_veth(const NewVeth &veth) const;
  // With the other end of a veth. ENODEV where there is no link of this name.
  [[nodiscard]] Status remove_link(CString name) const;
  // All links of the group in one step, which takes no longer than one of them. ENODEV where there is none.
  [[nodiscard]] Status remove_group(unsigned group) const;
  // To everywhere, over a gateway (4 or 16 bytes in network order) that is a neighbour of the link.
  [[nodiscard]] Status add_default_route(int index, std::string_view gateway, unsigned metric) const;
  // Moves a link into another namespace and names it there, in one step; "%d" in the name becomes a number that is
  // free. The kernel takes it down and its addresses off. EEXIST where the name is taken there, EINVAL for a link that
  // is tied to its namespace ("lo").
  [[nodiscard]] Status move_link(int index, FdView netns, CString new_name) const;
  // Packets with this mark (SO_MARK, the firewall's MARK) are routed by that table, before the main one. EEXIST where
  // there is such a rule.
  [[nodiscard]] Status add_mark_rule(unsigned char family, uint32_t mark, uint32_t table) const;
  // What that table routes to anywhere is for this host: ip-route(8), "local default dev lo".
  [[nodiscard]] Status add_local_default(unsigned char family, uint32_t table) const;

 private:
  explicit RouteSocket(Fd socket) : socket_(std::move(socket)) {}
  Fd socket_;
};

// Sets IFF_UP on "lo" in the current network namespace: a new one has it down.
[[nodiscard]] Status bring_up_loopback();

}  // namespace skiff::kernel
