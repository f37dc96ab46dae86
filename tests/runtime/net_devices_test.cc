// config-linux.md, "Network Devices". The devices are tun devices: the one kind of link that a descriptor makes, and
// that goes away with it.
#include "runtime/net_devices.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <functional>

#include "runtime/kernel/namespace.h"
#include "runtime/kernel/netlink.h"
#include "tests/runtime/kernel/isolated.h"

namespace skiff {
namespace {

using kernel::Fd;
using kernel::LinkAddress;
using kernel::RouteSocket;

ifreq make_request(const char *name) {
  ifreq request{};
  std::strncpy(static_cast<char *>(request.ifr_name), name, IFNAMSIZ - 1);
  return request;
}

Result<Fd> make_tun(const char *name) {
  Fd tun = TRY(kernel::open("/dev/net/tun", O_RDWR));
  ifreq request = make_request(name);
  request.ifr_flags = 0x0001 | 0x1000;  // IFF_TUN | IFF_NO_PI
  if (::ioctl(tun.get(), _IOW('T', 202, int), &request) != 0) return fail(errno, "TUNSETIFF");
  return tun;
}

LinkAddress make_address(int family, const char *text, unsigned char prefix, unsigned char scope) {
  std::array<char, sizeof(in6_addr)> bytes{};
  ::inet_pton(family, text, bytes.data());
  LinkAddress address;
  address.family = static_cast<unsigned char>(family);
  address.prefix_length = prefix;
  address.scope = scope;
  address.local.assign(bytes.data(), family == AF_INET ? sizeof(in_addr) : sizeof(in6_addr));
  return address;
}

// What a link has, as the tests compare it: "10.0.0.1/24 2001:db8::1/64", sorted as the kernel lists them.
std::string global_addresses(const RouteSocket &socket, int index) {
  std::string out;
  const std::vector<LinkAddress> addresses = socket.list_addresses(index).value();
  for (const LinkAddress &each : addresses) {
    if (each.scope != RT_SCOPE_UNIVERSE) continue;
    const std::string &bytes = each.local.empty() ? each.address : each.local;
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(each.family, bytes.data(), text.data(), text.size());
    out += std::string(out.empty() ? "" : " ") + text.data() + "/" + std::to_string(each.prefix_length);
  }
  return out;
}

struct Stage {
  Fd here;
  Fd there;
  Fd tun;
  Plan plan;
  [[nodiscard]] Status move() const { return move_net_devices(plan, there, here); }
};

// Two network namespaces, "before" in the first, which stays the current one.
std::string with_stage(const std::function<std::string(Stage &)> &body) {
  const Result<kernel::Procfs> proc = kernel::Procfs::open_host();
  Stage stage;
  stage.here = *kernel::open_namespace(*proc, getpid(), "net");
  NEED_OK(kernel::unshare(CLONE_NEWNET));
  stage.there = *kernel::open_namespace(*proc, getpid(), "net");
  NEED_OK(kernel::setns(stage.here, CLONE_NEWNET));
  Result<Fd> tun = make_tun("before");
  if (!tun) return "skip: " + tun.error().message();
  stage.tun = *std::move(tun);
  return body(stage);
}

#define EXPECT_ON_STAGE(...) \
  EXPECT_ISOLATED(CLONE_NEWUSER | CLONE_NEWNET, [] { return with_stage([](Stage & stage) -> std::string __VA_ARGS__); })

// "The runtime MUST preserve existing network interface attributes, including all permanent IP addresses [...] of any
// family with global scope", and "MUST set the network device state to up".
TEST(NetDevices, MoveWithTheirAddressesAndAreUp) {
  EXPECT_ON_STAGE({
    const RouteSocket socket = *RouteSocket::open();
    const int index = *socket.find_link("before");
    NEED_OK(socket.add_address(index, make_address(AF_INET, "192.0.2.7", 24, RT_SCOPE_UNIVERSE)));
    NEED_OK(socket.add_address(index, make_address(AF_INET, "192.0.2.8", 32, RT_SCOPE_UNIVERSE)));
    NEED_OK(socket.add_address(index, make_address(AF_INET, "127.0.0.33", 32, RT_SCOPE_HOST)));
    NEED_OK(socket.add_address(index, make_address(AF_INET6, "2001:db8::7", 64, RT_SCOPE_UNIVERSE)));
    const Fd control(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq mtu = make_request("before");
    mtu.ifr_mtu = 1789;
    NEED(::ioctl(control.get(), SIOCSIFMTU, &mtu) == 0);

    stage.plan.net_devices = {{"before", "after"}};
    NEED_OK(stage.move());
    NEED(socket.find_link("before").error().number == ENODEV);
    NEED_OK(kernel::setns(stage.there, CLONE_NEWNET));
    const RouteSocket there = *RouteSocket::open();
    const int moved = *there.find_link("after");
    NEED(global_addresses(there, moved) == "192.0.2.7/24 192.0.2.8/32 2001:db8::7/64");
    const Fd inside(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq after = make_request("after");
    NEED(::ioctl(inside.get(), SIOCGIFMTU, &after) == 0 && after.ifr_mtu == 1789);
    NEED(::ioctl(inside.get(), SIOCGIFFLAGS, &after) == 0 && (after.ifr_flags & IFF_UP) != 0);
    return {};
  });
}

// "Unless the user has provided a template by appending %d [...] the kernel will generate a unique name".
TEST(NetDevices, ATemplateBecomesANameThatIsFree) {
  EXPECT_ON_STAGE({
    const Fd second = *make_tun("other");
    const RouteSocket socket = *RouteSocket::open();
    NEED_OK(socket.add_address(*socket.find_link("other"), make_address(AF_INET, "192.0.2.9", 24, 0)));
    stage.plan.net_devices = {{"before", "net%d"}, {"other", "net%d"}};
    NEED_OK(stage.move());
    NEED_OK(kernel::setns(stage.there, CLONE_NEWNET));
    const RouteSocket there = *RouteSocket::open();
    NEED(global_addresses(there, *there.find_link("net0")).empty());
    NEED(global_addresses(there, *there.find_link("net1")) == "192.0.2.9/24");
    return {};
  });
}

// "If a network device with the specified name already exists in the container namespace, the runtime MUST generate an
// error".
TEST(NetDevices, ANameThatIsTakenIsAnError) {
  EXPECT_ON_STAGE({
    stage.plan.net_devices = {{"before", "lo"}};
    const Status moved = stage.move();
    NEED(!moved && moved.error().number == EEXIST);
    NEED(moved.error().text.starts_with("linux.netDevices (before): rtnetlink("));
    NEED(moved.error().remedy.find("eth%d") != std::string::npos);
    return {};
  });
}

TEST(NetDevices, WhatIsNotThereOrCannotMoveIsNamed) {
  EXPECT_ON_STAGE({
    stage.plan.net_devices = {{"nothing", "nothing"}};
    NEED(stage.move().error().number == ENODEV);
    NEED(stage.move().error().text.starts_with("linux.netDevices (nothing)"));
    stage.plan.net_devices = {{"lo", "lo1"}};
    const Status moved = stage.move();
    NEED(!moved && moved.error().text.starts_with("linux.netDevices (lo)"));
    NEED(!moved.error().remedy.empty());
    return {};
  });
}

TEST(NetDevices, TheRuntimesOwnNamespaceIsRefused) {
  EXPECT_ON_STAGE({
    stage.plan.net_devices = {{"before", "after"}};
    NEED(move_net_devices(stage.plan, stage.here, stage.here).error().text.starts_with("linux.netDevices"));
    NEED_OK(RouteSocket::open()->find_link("before"));
    return {};
  });
}

}  // namespace
}  // namespace skiff
