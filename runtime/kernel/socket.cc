#include "runtime/kernel/socket.h"

#include <sys/stat.h>
#include <sys/un.h>

#include <array>
#include <cstring>

#include "runtime/kernel/call.h"

namespace skiff::kernel {
namespace {

// Room for the control message of the most descriptors one message may carry, aligned as cmsghdr wants it.
union ControlBuffer {
  cmsghdr header;
  std::array<char, CMSG_SPACE(max_message_fds * sizeof(int))> bytes;
};

// Owns every descriptor of a message before anything about it can fail.
void take_fds(msghdr &message, std::vector<Fd> &fds) {
  for (cmsghdr *part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
      fds.emplace_back(number);
    }
  }
}

void put_fds(msghdr &message, ControlBuffer &control, std::span<const FdView> fds) {
  message.msg_control = &control;
  message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
  cmsghdr *part = CMSG_FIRSTHDR(&message);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
  for (size_t i = 0; i < fds.size(); ++i) {
    const int number = fds[i].get();
    std::memcpy(CMSG_DATA(part) + i * sizeof(int), &number, sizeof(int));
  }
}

// An address, and the directory its path goes through for as long as it is used.
struct Address {
  sockaddr_un name{.sun_family = AF_UNIX, .sun_path = {}};
  Fd parent;

  [[nodiscard]] const sockaddr *get() const {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket calls take every family by one type.
    return reinterpret_cast<const sockaddr *>(&name);
  }
};

bool set_path(sockaddr_un &name, std::string_view path) {
  if (path.size() >= sizeof(name.sun_path)) return false;
  path.copy(static_cast<char *>(name.sun_path), path.size());
  return true;
}

Result<Address> make_address(FdView dir, CString path) {
  Address address;
  const std::string_view text = path.view();
  const bool direct = text.starts_with('/') || dir.get() == AT_FDCWD;
  if (direct && !text.empty() && set_path(address.name, text)) return address;
  const size_t slash = text.rfind('/');
  const std::string parent(slash == text.npos ? "." : text.substr(0, slash + 1));
  address.parent = TRY(openat(dir, parent, O_PATH | O_DIRECTORY));
  std::string through = "/proc/self/fd/" + std::to_string(address.parent.get()) + "/";
  through += slash == text.npos ? text : text.substr(slash + 1);
  if (!set_path(address.name, through)) return call_failed(ENAMETOOLONG, "connect", {dir, path});
  return address;
}

Result<Fd> open_socket(int type) {
  const int fd = ::socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
  if (fd < 0) return call_failed("socket", {Argument::word("AF_UNIX"), type});
  return Fd(fd);
}

}  // namespace

Result<SocketPair> socketpair(int type) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return call_failed("socketpair", {Argument::word("AF_UNIX"), type});
  }
  return SocketPair{.one = Fd(ends[0]), .other = Fd(ends[1])};
}

Status send_message(FdView socket, std::string_view bytes, std::span<const FdView> fds) {
  if (fds.size() > max_message_fds) return call_failed(EINVAL, "sendmsg", {socket, bytes.size(), fds.size()});
  iovec part{.iov_base = const_cast<char *>(bytes.data()), .iov_len = bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  ControlBuffer control{};
  if (!fds.empty()) put_fds(message, control, fds);
  const ssize_t sent = retry([&] { return ::sendmsg(socket.get(), &message, MSG_NOSIGNAL); });
  if (sent < 0) return call_failed("sendmsg", {socket, bytes.size()});
  if (static_cast<size_t>(sent) < bytes.size()) return call_failed(EMSGSIZE, "sendmsg", {socket, bytes.size()});
  return {};
}

Result<std::optional<Message>> recv_message(FdView socket, size_t max_bytes, size_t max_fds) {
  Message received;
  received.bytes.resize(max_bytes);
  iovec part{.iov_base = received.bytes.data(), .iov_len = max_bytes};
  ControlBuffer control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (max_fds > 0) {
    message.msg_control = &control;
    // CMSG_LEN, not CMSG_SPACE: in the padding the kernel would find room for one more.
    message.msg_controllen = CMSG_LEN(std::min(max_fds, max_message_fds) * sizeof(int));
  }
  const ssize_t got = retry([&] { return ::recvmsg(socket.get(), &message, MSG_CMSG_CLOEXEC); });
  if (got < 0) return call_failed("recvmsg", {socket});
  take_fds(message, received.fds);
  if ((message.msg_flags & MSG_TRUNC) != 0) {
    return call_failed(EMSGSIZE, "recvmsg", {socket, Argument::word("MSG_TRUNC"), max_bytes});
  }
  if ((message.msg_flags & MSG_CTRUNC) != 0) {
    return call_failed(EMSGSIZE, "recvmsg", {socket, Argument::word("MSG_CTRUNC"), max_fds});
  }
  if (got == 0 && received.fds.empty()) return std::nullopt;
  received.bytes.resize(static_cast<size_t>(got));
  return received;
}

Result<Fd> connect_unix(FdView dir, CString path, int type) {
  Fd socket = TRY(open_socket(type));
  const Address address = TRY(make_address(dir, path));
  if (retry([&] { return ::connect(socket.get(), address.get(), sizeof(address.name)); }) == 0) return socket;
  return call_failed("connect", {dir, path});
}

Result<Fd> listen_unix(FdView dir, CString path, int type, int backlog) {
  Fd socket = TRY(open_socket(type));
  const Address address = TRY(make_address(dir, path));
  if (::bind(socket.get(), address.get(), sizeof(address.name)) != 0) return call_failed("bind", {dir, path});
  if (::listen(socket.get(), backlog) != 0) return call_failed("listen", {dir, path});
  return socket;
}

Result<Fd> bind_datagram(FdView dir, CString path, mode_t permissions) {
  Fd socket = TRY(open_socket(SOCK_DGRAM));
  const Address address = TRY(make_address(dir, path));
  // The name's inode takes the mode of the socket, less the umask (unix(7)): a chmod by path could be led elsewhere.
  if (::fchmod(socket.get(), permissions) != 0) return call_failed("fchmod", {socket});
  const mode_t umask = ::umask(0);
  const int bound = ::bind(socket.get(), address.get(), sizeof(address.name));
  const int error = errno;
  (void)::umask(umask);
  if (bound != 0) return call_failed(error, "bind", {dir, path});
  return socket;
}

Result<Fd> accept4(FdView listener, int flags) {
  const int fd = retry([&] { return ::accept4(listener.get(), nullptr, nullptr, flags | SOCK_CLOEXEC); });
  if (fd < 0) return call_failed("accept4", {listener});
  return Fd(fd);
}

Status send_datagram(CString path, std::string_view bytes) {
  const Fd socket = TRY(open_socket(SOCK_DGRAM));
  Address address;
  std::string name(path.view());
  const bool abstract = name.starts_with('@');
  if (abstract) name[0] = '\0';
  if (!set_path(address.name, name)) return call_failed(ENAMETOOLONG, "sendto", {path});
  // An abstract name is as long as it is said to be, zeros and all (unix(7)).
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + (abstract ? 0 : 1));
  const auto call = [&] {
    return ::sendto(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL, address.get(), size);
  };
  if (retry(call) < 0) return call_failed("sendto", {path, Argument::data(bytes)});
  return {};
}

Result<ucred> get_peer_credentials(FdView socket) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0) return peer;
  return call_failed("getsockopt", {socket, Argument::word("SO_PEERCRED")});
}

Result<int> get_socket_type(FdView socket) {
  int type = 0;
  socklen_t size = sizeof(type);
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_TYPE, &type, &size) == 0) return type;
  return call_failed("getsockopt", {socket, Argument::word("SO_TYPE")});
}

}  // namespace skiff::kernel
