#include "conformance/link.h"

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <string_view>

#include "runtime/kernel/fd.h"

namespace skiff::conformance {
namespace {

// One request of rtnetlink(7), put together in order.
class Request {
 public:
  template <class Body>
  Request(std::uint16_t type, std::uint16_t flags, const Body &body) {
    nlmsghdr header{};
    header.nlmsg_type = type;
    header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    append(&header, sizeof header);
    append(&body, sizeof body);
  }

  void add(std::uint16_t type, std::string_view bytes) {
    const std::size_t start = begin(type);
    bytes_.append(bytes);
    end(start);
  }
  // What is added until end() is inside.
  std::size_t begin(std::uint16_t type) {
    const std::size_t start = bytes_.size();
    const rtattr attribute{.rta_len = 0, .rta_type = type};
    append(&attribute, sizeof attribute);
    return start;
  }
  void end(std::size_t start) {
    const auto length = static_cast<std::uint16_t>(bytes_.size() - start);
    std::memcpy(bytes_.data() + start + offsetof(rtattr, rta_len), &length, sizeof length);
    bytes_.resize(NLMSG_ALIGN(bytes_.size()));
  }
  template <class Body>
  void body(const Body &value) {
    append(&value, sizeof value);
  }

  // The kernel's answer.
  [[nodiscard]] Status send(std::string_view what) {
    const auto length = static_cast<std::uint32_t>(bytes_.size());
    std::memcpy(bytes_.data(), &length, sizeof length);
    const kernel::Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    if (!socket.valid()) return fail(errno, "socket(AF_NETLINK)");
    TRY(kernel::write_all(socket, bytes_));
    std::array<char, 4096> answer{};
    if (TRY(kernel::read_some(socket, answer)) < NLMSG_HDRLEN + sizeof(nlmsgerr))
      return fail("rtnetlink: a short answer");
    nlmsgerr error{};
    std::memcpy(&error, answer.data() + NLMSG_HDRLEN, sizeof error);
    if (error.error != 0) return fail(-error.error, "rtnetlink: " + std::string(what));
    return {};
  }

 private:
  void append(const void *data, std::size_t size) {
    bytes_.append(static_cast<const char *>(data), size);
    bytes_.resize(NLMSG_ALIGN(bytes_.size()));
  }
  std::string bytes_;
};

std::string_view with_end(const std::string &name) { return {name.c_str(), name.size() + 1}; }

}  // namespace

Status make_link(const std::string &name) {
  const std::string peer = name + "-peer";
  Request request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, ifinfomsg{});
  request.add(IFLA_IFNAME, with_end(name));
  const std::size_t info = request.begin(IFLA_LINKINFO);
  request.add(IFLA_INFO_KIND, "veth");
  const std::size_t data = request.begin(IFLA_INFO_DATA);
  const std::size_t other = request.begin(VETH_INFO_PEER);
  request.body(ifinfomsg{});
  request.add(IFLA_IFNAME, with_end(peer));
  request.end(other);
  request.end(data);
  request.end(info);
  return request.send("new veth " + name);
}

Status add_address(const std::string &name, const std::string &address) {
  in_addr bytes{};
  if (::inet_pton(AF_INET, address.c_str(), &bytes) != 1) return fail(EINVAL, "inet_pton: " + address);
  ifaddrmsg body{};
  body.ifa_family = AF_INET;
  body.ifa_prefixlen = 24;
  body.ifa_scope = RT_SCOPE_UNIVERSE;
  body.ifa_index = ::if_nametoindex(name.c_str());
  Request request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, body);
  const std::string_view text(reinterpret_cast<const char *>(&bytes), sizeof bytes);
  request.add(IFA_LOCAL, text);
  request.add(IFA_ADDRESS, text);
  return request.send("new address of " + name);
}

bool has_link(const std::string &name) { return ::if_nametoindex(name.c_str()) != 0; }

}  // namespace skiff::conformance
