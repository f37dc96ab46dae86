#include "runtime/kernel/netlink.h"

#include <arpa/inet.h>
#include <linux/fib_rules.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <string_view>

#include "runtime/kernel/call.h"
#include "runtime/kernel/namespace.h"

namespace skiff::kernel {
namespace {

// What a caller may set; the others tell what the kernel has made of the address (permanent, tentative).
constexpr uint32_t settable_flags =
    IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN;
constexpr size_t dump_bytes = size_t{32} << 10;  // the kernel fills at most this much of a larger one
constexpr int most_dumps = 8;                    // of a list that changes while it is read

template <class T>
std::string_view bytes_of(const T &value) {
  return {reinterpret_cast<const char *>(&value), sizeof(value)};
}

// As the kernel takes names: the '\0' is a part of them.
std::string_view with_end(CString name) { return {name.c_str(), name.view().size() + 1}; }

// One attribute, without what follows it up to the next one's place.
std::string attribute(unsigned short type, std::string_view value) {
  const rtattr head{.rta_len = static_cast<unsigned short>(RTA_LENGTH(value.size())), .rta_type = type};
  std::string text(bytes_of(head));
  text += value;
  text.resize(RTA_ALIGN(text.size()));
  return text;
}

// A request: the header, the fixed part of its type, attributes.
class Request {
 public:
  template <class Body>
  Request(unsigned short type, unsigned short flags, const Body &body) {
    text_.resize(NLMSG_ALIGN(NLMSG_LENGTH(sizeof(body))));
    header_.nlmsg_type = type;
    header_.nlmsg_flags = static_cast<unsigned short>(NLM_F_REQUEST | flags);
    header_.nlmsg_seq = 1;
    std::memcpy(text_.data() + NLMSG_LENGTH(0), &body, sizeof(body));
  }
  // The value is a name, an address or a number: far below the 65535 bytes of an attribute.
  void add(unsigned short type, std::string_view value) { text_ += attribute(type, value); }
  void add_name(unsigned short type, CString name) { add(type, with_end(name)); }
  [[nodiscard]] int send(FdView socket) {
    header_.nlmsg_len = static_cast<uint32_t>(text_.size());
    std::memcpy(text_.data(), &header_, sizeof(header_));
    return retry([&] { return ::send(socket.get(), text_.data(), text_.size(), 0); }) < 0 ? errno : 0;
  }

 private:
  nlmsghdr header_{};
  std::string text_;
};

// What the kernel answers: 0 or an errno, and its sentence.
struct Answer {
  int number = 0;
  std::string text;
};

// Calls `each` with the type and the value of every attribute that is whole.
template <class Each>
void for_each_attribute(std::string_view bytes, Each each) {
  while (bytes.size() >= sizeof(rtattr)) {
    rtattr attribute{};
    std::memcpy(&attribute, bytes.data(), sizeof(attribute));
    if (attribute.rta_len < sizeof(attribute) || attribute.rta_len > bytes.size()) return;
    each(attribute.rta_type, bytes.substr(RTA_LENGTH(0), attribute.rta_len - RTA_LENGTH(0)));
    bytes.remove_prefix(std::min<size_t>(RTA_ALIGN(attribute.rta_len), bytes.size()));
  }
}

Answer parse_answer(const nlmsghdr &header, std::string_view body) {
  nlmsgerr error{};
  if (body.size() < sizeof(error)) return {.number = EBADMSG, .text = {}};
  std::memcpy(&error, body.data(), sizeof(error));
  Answer answer{.number = -error.error, .text = {}};
  if ((header.nlmsg_flags & NLM_F_ACK_TLVS) == 0) return answer;
  for_each_attribute(body.substr(sizeof(error)), [&](unsigned short type, std::string_view value) {
    if (type == NLMSGERR_ATTR_MSG) answer.text = value.substr(0, value.find('\0'));
  });
  return answer;
}

// Takes messages from the socket until one ends the answer. `each` gets the body of every other.
template <class Each>
Answer receive(FdView socket, Each each) {
  std::string buffer(dump_bytes, '\0');
  bool interrupted = false;
  while (true) {
    const ssize_t got = retry([&] { return ::recv(socket.get(), buffer.data(), buffer.size(), 0); });
    if (got < 0) return {.number = errno, .text = {}};
    std::string_view rest(buffer.data(), static_cast<size_t>(got));
    while (rest.size() >= sizeof(nlmsghdr)) {
      nlmsghdr header{};
      std::memcpy(&header, rest.data(), sizeof(header));
      if (header.nlmsg_len < NLMSG_LENGTH(0) || header.nlmsg_len > rest.size()) return {.number = EBADMSG, .text = {}};
      const std::string_view body = rest.substr(NLMSG_LENGTH(0), header.nlmsg_len - NLMSG_LENGTH(0));
      interrupted = interrupted || (header.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
      if (header.nlmsg_type == NLMSG_ERROR) return parse_answer(header, body);
      if (header.nlmsg_type == NLMSG_DONE) return {.number = interrupted ? EAGAIN : 0, .text = {}};
      each(body);
      rest.remove_prefix(std::min<size_t>(NLMSG_ALIGN(header.nlmsg_len), rest.size()));
    }
  }
}

Answer exchange(FdView socket, Request &request) {
  if (const int number = request.send(socket); number != 0) return {.number = number, .text = {}};
  return receive(socket, [](std::string_view /*body*/) {});
}

// A list that changed while it was read (NLM_F_DUMP_INTR) is read again.
template <class Start, class Each>
Answer dump(FdView socket, Request request, Start start, Each each) {
  Answer answer{.number = EAGAIN, .text = {}};
  for (int time = 0; answer.number == EAGAIN && time < most_dumps; ++time) {
    start();
    if (const int number = request.send(socket); number != 0) return {.number = number, .text = {}};
    answer = receive(socket, each);
  }
  return answer;
}

[[gnu::cold]] std::unexpected<Error> route_failed(const Answer &answer, std::initializer_list<Argument> arguments) {
  auto failed = call_failed(answer.number, "rtnetlink", arguments);
  if (!answer.text.empty()) failed.error().text += " (" + answer.text + ")";
  return failed;
}

bool copy_name(CString name, std::array<char, IFNAMSIZ> &to) {
  const std::string_view text = name.view();
  if (text.empty() || text.size() >= to.size()) return false;
  text.copy(to.data(), text.size());
  return true;
}

LinkAddress parse_address(const ifaddrmsg &head, std::string_view attributes) {
  LinkAddress out{.family = head.ifa_family,
                  .prefix_length = head.ifa_prefixlen,
                  .scope = head.ifa_scope,
                  .flags = head.ifa_flags,
                  .address = {},
                  .local = {},
                  .broadcast = {}};
  for_each_attribute(attributes, [&](unsigned short type, std::string_view value) {
    if (type == IFA_ADDRESS) out.address = value;
    if (type == IFA_LOCAL) out.local = value;
    if (type == IFA_BROADCAST) out.broadcast = value;
    if (type == IFA_FLAGS && value.size() == sizeof(out.flags)) std::memcpy(&out.flags, value.data(), value.size());
  });
  return out;
}

std::string describe(const LinkAddress &address) {
  const std::string &bytes = address.local.empty() ? address.address : address.local;
  std::array<char, INET6_ADDRSTRLEN> text{};
  const size_t size = address.family == AF_INET6 ? sizeof(in6_addr) : sizeof(in_addr);
  if (bytes.size() == size) ::inet_ntop(address.family, bytes.data(), text.data(), text.size());
  return std::string(text.data()) + "/" + std::to_string(address.prefix_length);
}

}  // namespace

Result<RouteSocket> RouteSocket::open() {
  Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket.valid()) return call_failed("socket", {Argument::word("AF_NETLINK"), Argument::word("NETLINK_ROUTE")});
  // The kernel's sentence, and without our request in front of it. One that knows neither answers with a number alone.
  const int on = 1;
  (void)::setsockopt(socket.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
  (void)::setsockopt(socket.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
  return RouteSocket(std::move(socket));
}

Result<RouteSocket> RouteSocket::open_in(FdView netns, FdView own_netns) {
  TRY(setns(netns, CLONE_NEWNET));
  Result<RouteSocket> socket = open();
  TRY(setns(own_netns, CLONE_NEWNET));
  return socket;
}

Result<int> RouteSocket::find_link(CString name) const {
  ifreq request{};
  std::array<char, IFNAMSIZ> text{};
  if (!copy_name(name, text)) return call_failed(EINVAL, "ioctl", {Argument::word("SIOCGIFINDEX"), name});
  std::memcpy(request.ifr_name, text.data(), text.size());
  if (::ioctl(socket_.get(), SIOCGIFINDEX, &request) == 0) return request.ifr_ifindex;
  return call_failed("ioctl", {Argument::word("SIOCGIFINDEX"), name});
}

Result<std::vector<Link>> RouteSocket::list_links() const {
  std::vector<Link> links;
  const Answer answer = dump(
      socket_, Request(RTM_GETLINK, NLM_F_DUMP, ifinfomsg{}), [&] { links.clear(); },
      [&](std::string_view body) {
        ifinfomsg head{};
        if (body.size() < sizeof(head)) return;
        std::memcpy(&head, body.data(), sizeof(head));
        Link &link = links.emplace_back(Link{.index = head.ifi_index, .name = {}});
        for_each_attribute(body.substr(NLMSG_ALIGN(sizeof(head))), [&](unsigned short type, std::string_view value) {
          if (type == IFLA_IFNAME) link.name = value.substr(0, value.find('\0'));
        });
      });
  if (answer.number != 0) return route_failed(answer, {Argument::word("RTM_GETLINK")});
  return links;
}

Result<std::vector<LinkAddress>> RouteSocket::list_addresses(int index) const {
  std::vector<LinkAddress> addresses;
  const Answer answer = dump(
      socket_, Request(RTM_GETADDR, NLM_F_DUMP, ifaddrmsg{}), [&] { addresses.clear(); },
      [&](std::string_view body) {
        ifaddrmsg head{};
        if (body.size() < sizeof(head)) return;
        std::memcpy(&head, body.data(), sizeof(head));
        if (head.ifa_index != static_cast<unsigned>(index)) return;
        addresses.push_back(parse_address(head, body.substr(NLMSG_ALIGN(sizeof(head)))));
      });
  if (answer.number != 0) return route_failed(answer, {Argument::word("RTM_GETADDR"), index});
  return addresses;
}

Status RouteSocket::add_address(int index, const LinkAddress &address) const {
  ifaddrmsg head{};
  head.ifa_family = address.family;
  head.ifa_prefixlen = address.prefix_length;
  head.ifa_scope = address.scope;
  head.ifa_index = static_cast<unsigned>(index);
  Request request(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, head);
  if (!address.local.empty()) request.add(IFA_LOCAL, address.local);
  if (!address.address.empty()) request.add(IFA_ADDRESS, address.address);
  if (!address.broadcast.empty()) request.add(IFA_BROADCAST, address.broadcast);
  request.add(IFA_FLAGS, bytes_of(address.flags & settable_flags));
  const Answer answer = exchange(socket_, request);
  if (answer.number == 0) return {};
  return route_failed(answer, {Argument::word("RTM_NEWADDR"), index, std::string_view(describe(address))});
}

Status RouteSocket::set_up(int index, bool up) const {
  ifinfomsg head{};
  head.ifi_index = index;
  head.ifi_flags = up ? IFF_UP : 0;
  head.ifi_change = IFF_UP;
  Request request(RTM_NEWLINK, NLM_F_ACK, head);
  const Answer answer = exchange(socket_, request);
  if (answer.number == 0) return {};
  return route_failed(answer, {Argument::word("RTM_NEWLINK"), index, Argument::word(up ? "IFF_UP" : "0")});
}

Result<bool> RouteSocket::is_up(CString name) const {
  ifreq request{};
  std::array<char, IFNAMSIZ> text{};
  if (!copy_name(name, text)) return call_failed(EINVAL, "ioctl", {Argument::word("SIOCGIFFLAGS"), name});
  std::memcpy(request.ifr_name, text.data(), text.size());
  if (::ioctl(socket_.get(), SIOCGIFFLAGS, &request) == 0) return (request.ifr_flags & IFF_UP) != 0;
  return call_failed("ioctl", {Argument::word("SIOCGIFFLAGS"), name});
}

Status RouteSocket::add_bridge(CString name, std::string_view hardware_address, unsigned mtu, unsigned group) const {
  Request request(RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, ifinfomsg{});
  request.add_name(IFLA_IFNAME, name);
  request.add(IFLA_ADDRESS, hardware_address);
  request.add(IFLA_GROUP, bytes_of(group));
  if (mtu != 0) request.add(IFLA_MTU, bytes_of(mtu));
  request.add(IFLA_LINKINFO, attribute(IFLA_INFO_KIND, "bridge"));
  const Answer answer = exchange(socket_, request);
  if (answer.number == 0) return {};
  return route_failed(answer, {Argument::word("RTM_NEWLINK"), Argument::word("bridge"), name});
}

Status RouteSocket::add_veth(const NewVeth &veth) const {
  std::string peer(bytes_of(ifinfomsg{}));
  peer += attribute(IFLA_IFNAME, with_end(veth.peer_name));
  peer += attribute(IFLA_NET_NS_FD, bytes_of(veth.netns.get()));
  if (!veth.peer_hardware_address.empty()) peer += attribute(IFLA_ADDRESS, veth.peer_hardware_address);
  if (veth.mtu != 0) peer += attribute(IFLA_MTU, bytes_of(veth.mtu));
  ifinfomsg head{};
  head.ifi_flags = IFF_UP;
  head.ifi_change = IFF_UP;
  Request request(RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, head);
  request.add_name(IFLA_IFNAME, veth.name);
  request.add(IFLA_MASTER, bytes_of(veth.bridge));
  request.add(IFLA_GROUP, bytes_of(veth.group));
  if (veth.mtu != 0) request.add(IFLA_MTU, bytes_of(veth.mtu));
  request.add(IFLA_LINKINFO,
              attribute(IFLA_INFO_KIND, "veth") + attribute(IFLA_INFO_DATA, attribute(VETH_INFO_PEER, peer)));
  const Answer answer = exchange(socket_, request);
  if (answer.number == 0) return {};
  return route_failed(answer,
                      {Argument::word("RTM_NEWLINK"), Argument::word("veth"), CString(veth.name), veth.peer_name});
}

Status RouteSocket::remove_link(CString name) const {
  Request request(RTM_DELLINK, NLM_F_ACK, ifinfomsg{});
  request.add_name(IFLA_IFNAME, name);
  const Answer answer = exchange(socket_, request);
  if (answer.number == 0) return {};
  return route_failed(answer, {Argument::word("RTM_DELLINK"), name});
}

Status RouteSocket::remove_group(unsigned group) const {
  Request request(RTM_DELLINK, NLM_F_ACK, ifinfomsg{});
  request.add(IFLA_GROUP, bytes_of(group));
  const Answer answer = exchange(socket_, request);
  if (answer.number == 0) return {};
  return route_failed(answer, {Argument::word("RTM_DELLINK"), Argument::word("IFLA_GROUP"), group});
}

Status RouteSocket::add_default_route(int index, std::string_view gateway, unsigned metric) const {
  rtmsg head{};
  head.rtm_family = gateway.size() == sizeof(in_addr) ? AF_INET : AF_INET6;
  head.rtm_table = RT_TABLE_MAIN;
  head.rtm_protocol = RTPROT_STATIC;
  head.rtm_scope = RT_SCOPE_UNIVERSE;
  head.rtm_type = RTN_UNICAST;
  Request request(RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, head);
  request.add(RTA_GATEWAY, gateway);
  request.add(RTA_OIF, bytes_of(index));
  request.add(RTA_PRIORITY, bytes_of(metric));
  const Answer answer = exchange(socket_, request);
  if (answer.number == 0) return {};
  return route_failed(answer, {Argument::word("RTM_NEWROUTE"), index, Argument::word("RTA_GATEWAY")});
}

Status RouteSocket::move_link(int index, FdView netns, CString new_name) const {
  std::array<char, IFNAMSIZ> name{};
  Answer answer{.number = EINVAL, .text = {}};
  if (copy_name(new_name, name)) {
    ifinfomsg head{};
    head.ifi_index = index;
    Request request(RTM_NEWLINK, NLM_F_ACK, head);
    request.add(IFLA_NET_NS_FD, bytes_of(netns.get()));
    request.add(IFLA_IFNAME, std::string_view(name.data(), std::strlen(name.data()) + 1));
    answer = exchange(socket_, request);
  }
  if (answer.number == 0) return {};
  return route_failed(answer, {Argument::word("RTM_NEWLINK"), index, Argument::word("IFLA_NET_NS_FD"), netns,
                               Argument::word("IFLA_IFNAME"), new_name});
}

Status RouteSocket::add_mark_rule(unsigned char family, uint32_t mark, uint32_t table) const {
  fib_rule_hdr head{};
  head.family = family;
  head.action = FR_ACT_TO_TBL;
  Request request(RTM_NEWRULE, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, head);
  request.add(FRA_FWMARK, bytes_of(mark));
  request.add(FRA_TABLE, bytes_of(table));
  const Answer answer = exchange(socket_, request);
  if (answer.number == 0) return {};
  return route_failed(answer, {Argument::word("RTM_NEWRULE"), int{family}, static_cast<int>(mark)});
}

Status RouteSocket::add_local_default(unsigned char family, uint32_t table) const {
  const int loopback = TRY(find_link("lo"));
  rtmsg head{};
  head.rtm_family = family;
  head.rtm_protocol = RTPROT_STATIC;
  head.rtm_scope = RT_SCOPE_HOST;
  head.rtm_type = RTN_LOCAL;
  Request request(RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, head);
  request.add(RTA_TABLE, bytes_of(table));
  request.add(RTA_OIF, bytes_of(loopback));
  const Answer answer = exchange(socket_, request);
  if (answer.number == 0) return {};
  return route_failed(answer, {Argument::word("RTM_NEWROUTE"), int{family}, static_cast<int>(table)});
}

Status bring_up_loopback() {
  // netdevice(7): a socket of any family will do, and this one every kernel has.
  const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return call_failed("socket", {Argument::word("AF_UNIX"), Argument::word("SOCK_DGRAM")});
  ifreq request{};
  std::string_view("lo").copy(request.ifr_name, sizeof(request.ifr_name));
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) == 0) return {};
  return call_failed("ioctl", {Argument::word("SIOCSIFFLAGS"), std::string_view("lo"), Argument::word("IFF_UP")});
}

}  // namespace skiff::kernel
