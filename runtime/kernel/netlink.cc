#include "runtime/kernel/netlink.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

#include "runtime/kernel/call.h"

namespace skiff::kernel {
namespace {

// RTM_NEWLINK for one link, with room for the two attributes that are ever added.
class LinkRequest {
 public:
  explicit LinkRequest(int index) {
    header_.nlmsg_len = NLMSG_LENGTH(sizeof(ifinfomsg));
    header_.nlmsg_type = RTM_NEWLINK;
    header_.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    header_.nlmsg_seq = 1;
    link_.ifi_family = AF_UNSPEC;
    link_.ifi_index = index;
  }
  void set_up() {
    link_.ifi_flags = IFF_UP;
    link_.ifi_change = IFF_UP;
  }
  // `size` is checked by the callers: a name below IFNAMSIZ, or one int.
  void add(unsigned short type, const void *value, size_t size) {
    const rtattr attribute{.rta_len = static_cast<unsigned short>(RTA_LENGTH(size)), .rta_type = type};
    std::memcpy(attributes_.data() + used_, &attribute, sizeof(attribute));
    std::memcpy(attributes_.data() + used_ + RTA_LENGTH(0), value, size);
    used_ += RTA_ALIGN(RTA_LENGTH(size));
  }
  // Sends it and waits for the kernel's answer: 0 or an errno.
  [[nodiscard]] int exchange(FdView socket);

 private:
  nlmsghdr header_{};
  ifinfomsg link_{};
  std::array<char, 64> attributes_{};
  size_t used_ = 0;
};

// 0, or the errno of the kernel's answer.
int read_answer(FdView socket) {
  alignas(nlmsghdr) std::array<char, 8192> answer;
  const ssize_t got = retry([&] { return ::recv(socket.get(), answer.data(), answer.size(), 0); });
  if (got < 0) return errno;
  nlmsghdr header{};
  nlmsgerr error{};
  if (static_cast<size_t>(got) < NLMSG_LENGTH(sizeof(error))) return EBADMSG;
  std::memcpy(&header, answer.data(), sizeof(header));
  std::memcpy(&error, answer.data() + NLMSG_LENGTH(0), sizeof(error));
  return header.nlmsg_type == NLMSG_ERROR ? -error.error : EBADMSG;
}

int LinkRequest::exchange(FdView socket) {
  header_.nlmsg_len = static_cast<uint32_t>(NLMSG_LENGTH(sizeof(ifinfomsg)) + used_);
  std::array<iovec, 3> parts{{{.iov_base = &header_, .iov_len = sizeof(header_)},
                              {.iov_base = &link_, .iov_len = sizeof(link_)},
                              {.iov_base = attributes_.data(), .iov_len = used_}}};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  if (retry([&] { return ::sendmsg(socket.get(), &message, 0); }) < 0) return errno;
  return read_answer(socket);
}

Result<Fd> open_netlink() {
  const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return call_failed("socket", {Argument::word("AF_NETLINK"), Argument::word("NETLINK_ROUTE")});
  return Fd(fd);
}

bool copy_name(CString name, std::array<char, IFNAMSIZ> &to) {
  const std::string_view text = name.view();
  if (text.empty() || text.size() >= to.size()) return false;
  text.copy(to.data(), text.size());
  return true;
}

Result<int> find_link(FdView socket, CString name) {
  ifreq request{};
  std::array<char, IFNAMSIZ> text{};
  if (!copy_name(name, text)) return call_failed(EINVAL, "ioctl", {Argument::word("SIOCGIFINDEX"), name});
  std::memcpy(request.ifr_name, text.data(), text.size());
  if (::ioctl(socket.get(), SIOCGIFINDEX, &request) == 0) return request.ifr_ifindex;
  return call_failed("ioctl", {Argument::word("SIOCGIFINDEX"), name});
}

}  // namespace

Status bring_up_loopback() { return bring_up_link("lo"); }

Status bring_up_link(CString name) {
  const Fd socket = TRY(open_netlink());
  LinkRequest request(TRY(find_link(socket, name)));
  request.set_up();
  const int number = request.exchange(socket);
  if (number == 0) return {};
  return call_failed(number, "rtnetlink", {Argument::word("RTM_NEWLINK"), name, Argument::word("IFF_UP")});
}

Status move_link(CString name, FdView netns, CString new_name) {
  std::array<char, IFNAMSIZ> wanted{};
  if (!copy_name(new_name.empty() ? name : new_name, wanted)) {
    return call_failed(EINVAL, "rtnetlink", {Argument::word("RTM_NEWLINK"), name, netns, new_name});
  }
  const Fd socket = TRY(open_netlink());
  LinkRequest request(TRY(find_link(socket, name)));
  const int target = netns.get();
  request.add(IFLA_NET_NS_FD, &target, sizeof(target));
  request.add(IFLA_IFNAME, wanted.data(), std::strlen(wanted.data()) + 1);
  const int number = request.exchange(socket);
  if (number == 0) return {};
  return call_failed(number, "rtnetlink",
                     {Argument::word("RTM_NEWLINK"), name, Argument::word("IFLA_NET_NS_FD"), netns,
                      Argument::word("IFLA_IFNAME"), CString(wanted.data())});
}

}  // namespace skiff::kernel
