// Unix sockets: whole messages with descriptors in them, and paths of any length.
#pragma once

#include <sys/socket.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/kernel/fd.h"

namespace skiff::kernel {

struct SocketPair {
  Fd one;
  Fd other;
};
// socketpair(2) of AF_UNIX; SOCK_CLOEXEC is always added.
[[nodiscard]] Result<SocketPair> socketpair(int type = SOCK_SEQPACKET);

struct Message {
  std::string bytes;
  std::vector<Fd> fds;  // CLOEXEC, in the order they were sent
};

// The kernel's limit of descriptors in one message (SCM_MAX_FD).
inline constexpr size_t max_message_fds = 253;

// One sendmsg(2) with SCM_RIGHTS. Never raises SIGPIPE: EPIPE. EMSGSIZE above the socket's buffer, EINVAL above
// max_message_fds. On a stream socket a short write is an error (EMSGSIZE).
[[nodiscard]] Status send_message(FdView socket, std::string_view bytes, std::span<const FdView> fds = {});
// One recvmsg(2); empty when the other side has closed. A message of more than max_bytes, or with more than max_fds
// descriptors, is an error (EMSGSIZE) and all of its descriptors are closed. On a seqpacket socket an empty message
// cannot be told from the end.
[[nodiscard]] Result<std::optional<Message>> recv_message(FdView socket, size_t max_bytes, size_t max_fds);

// socket(2) and connect(2) to a path below `dir`, AF_UNIX, which may be longer than the 108 bytes of sockaddr_un: the
// parent is opened O_PATH and named through /proc/self/fd, so /proc must be the host's here.
[[nodiscard]] Result<Fd> connect_unix(FdView dir, CString path, int type);
// socket(2), bind(2) and listen(2) at a path below `dir`. EADDRINUSE where the name exists.
[[nodiscard]] Result<Fd> listen_unix(FdView dir, CString path, int type, int backlog);
// socket(2) and bind(2) of SOCK_DGRAM at a path below `dir`, with these permissions whatever the umask says. A link at
// the path is not followed: EADDRINUSE.
[[nodiscard]] Result<Fd> bind_datagram(FdView dir, CString path, mode_t permissions);
// accept4(2); SOCK_CLOEXEC is always added.
[[nodiscard]] Result<Fd> accept4(FdView listener, int flags = 0);
// One datagram, as sd_notify(3) sends it, to a unix address. A leading '@' is an abstract name.
[[nodiscard]] Status send_datagram(CString path, std::string_view bytes);
// SO_PEERCRED: who connected, or who made the pair.
[[nodiscard]] Result<ucred> get_peer_credentials(FdView socket);
// getsockopt(SO_TYPE): SOCK_STREAM, SOCK_SEQPACKET, ... ENOTSOCK where it is no socket.
[[nodiscard]] Result<int> get_socket_type(FdView socket);

}  // namespace skiff::kernel
