#include "runtime/net_devices.h"

#include <fmt/format.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <algorithm>

#include "runtime/kernel/namespace.h"
#include "runtime/kernel/netlink.h"

namespace skiff {
namespace {

using kernel::Link;
using kernel::LinkAddress;
using kernel::RouteSocket;

struct Sockets {
  RouteSocket here;
  RouteSocket there;
};

// "All permanent IP addresses (IFA_F_PERMANENT flag) of any family with global scope": the others were given by a
// server or are the kernel's own.
std::vector<LinkAddress> choose_addresses(std::vector<LinkAddress> addresses) {
  std::erase_if(addresses, [](const LinkAddress &address) {
    return (address.flags & IFA_F_PERMANENT) == 0 || address.scope != RT_SCOPE_UNIVERSE;
  });
  return addresses;
}

Error explain_move(Error error) {
  if (error.number == EEXIST) {
    error.remedy = "the container's network namespace has a device of that name: give another in name, or eth%d";
  }
  if (error.number == EINVAL) error.remedy = "a device that belongs to its network namespace (lo, tunnels) cannot move";
  return error;
}

// Neither its name ("eth%d") nor its index need be what they were: it is the one that was not there before.
Result<int> find_new(const std::vector<Link> &before, const std::vector<Link> &after) {
  const auto found = std::ranges::find_if(
      after, [&](const Link &link) { return std::ranges::find(before, link.index, &Link::index) == before.end(); });
  if (found == after.end())
    return fail(ENODEV, "the device that was moved is not in the container's network namespace");
  return found->index;
}

Status move_device(const std::string &name, const std::string &new_name, kernel::FdView netns, const Sockets &sockets) {
  const int index = TRY(remedy("name a device of the host's network namespace", sockets.here.find_link(name)));
  const std::vector<LinkAddress> addresses = choose_addresses(TRY(sockets.here.list_addresses(index)));
  const std::vector<Link> before = TRY(sockets.there.list_links());
  if (const Status moved = sockets.here.move_link(index, netns, new_name); !moved) {
    return std::unexpected(explain_move(moved.error()));
  }
  const int new_index = TRY(find_new(before, TRY(sockets.there.list_links())));
  for (const LinkAddress &address : addresses) TRY(sockets.there.add_address(new_index, address));
  return sockets.there.set_up(new_index);
}

}  // namespace

Status move_net_devices(const Plan &plan, kernel::FdView netns, kernel::FdView own_netns) {
  if (TRY(kernel::is_same_namespace(netns, own_netns))) {
    return fail("linux.netDevices: the container has the runtime's own network namespace",
                "give linux.namespaces a network namespace without a path, or with another's");
  }
  const Sockets sockets{.here = TRY(RouteSocket::open()), .there = TRY(RouteSocket::open_in(netns, own_netns))};
  for (const auto &[name, new_name] : plan.net_devices) {
    TRY(in(fmt::format("linux.netDevices ({})", name), move_device(name, new_name, netns, sockets)));
  }
  return {};
}

}  // namespace skiff
