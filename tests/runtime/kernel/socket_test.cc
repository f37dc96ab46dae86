#include "runtime/kernel/socket.h"

#include <gtest/gtest.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/kernel/path.h"
#include "tests/runtime/kernel/isolated.h"

namespace skiff::kernel {
namespace {

TEST(Message, KeepsItsBoundsAndItsDescriptors) {
  const Result<SocketPair> pair = socketpair();
  ASSERT_OK(pair);
  const Result<Pipe> pipe = pipe2();
  const std::array<FdView, 2> fds{pipe->read, pipe->write};
  ASSERT_OK(send_message(pair->one, "first", fds));
  ASSERT_OK(send_message(pair->one, "second"));
  const auto first = recv_message(pair->other, 100, 2);
  ASSERT_OK(first);
  ASSERT_TRUE(first->has_value());
  EXPECT_EQ((*first)->bytes, "first");
  ASSERT_EQ((*first)->fds.size(), 2U);
  EXPECT_NE(::fcntl((*first)->fds[0].get(), F_GETFD) & FD_CLOEXEC, 0);
  ASSERT_OK(write_all((*first)->fds[1], "x"));
  EXPECT_TRUE(*wait_readable(pipe->read, std::chrono::milliseconds(0)));
  EXPECT_EQ((*recv_message(pair->other, 100, 0))->bytes, "second");
}

TEST(Message, TheOtherSideGoneIsEmpty) {
  Result<SocketPair> pair = socketpair();
  pair->one.reset();
  EXPECT_FALSE(recv_message(pair->other, 100, 1)->has_value());
  EXPECT_ERRNO(send_message(pair->other, "x"), EPIPE);
}

TEST(Message, TooManyBytesAreAnError) {
  const Result<SocketPair> pair = socketpair();
  ASSERT_OK(send_message(pair->one, "123456"));
  const auto cut = recv_message(pair->other, 5, 0);
  EXPECT_ERRNO(cut, EMSGSIZE);
  EXPECT_NE(cut.error().text.find("MSG_TRUNC, 5"), std::string::npos);
}

TEST(Message, TooManyDescriptorsAreAnErrorAndNoneStaysOpen) {
  const Result<SocketPair> pair = socketpair();
  for (const size_t allowed : {size_t{0}, size_t{1}, size_t{2}}) {
    const int next = dup_above(FdView(0), 3)->get();
    const std::array<FdView, 3> fds{FdView(0), FdView(0), FdView(0)};
    ASSERT_OK(send_message(pair->one, "x", fds));
    EXPECT_ERRNO(recv_message(pair->other, 5, allowed), EMSGSIZE);
    EXPECT_EQ(dup_above(FdView(0), 3)->get(), next);
  }
}

TEST(Message, CarriesTheMostTheKernelAllows) {
  const Result<SocketPair> pair = socketpair();
  const std::vector<FdView> fds(max_message_fds, FdView(0));
  ASSERT_OK(send_message(pair->one, "x", fds));
  EXPECT_EQ((*recv_message(pair->other, 1, max_message_fds))->fds.size(), max_message_fds);
  EXPECT_ERRNO(send_message(pair->one, "x", std::vector<FdView>(max_message_fds + 1, FdView(0))), EINVAL);
}

TEST(UnixSocket, AShortPathConnects) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory.path() + "/s";
  const Result<Fd> listener = listen_unix(cwd, path, SOCK_STREAM, 1);
  ASSERT_OK(listener);
  const Result<Fd> client = connect_unix(cwd, path, SOCK_STREAM);
  ASSERT_OK(client);
  const Result<Fd> server = accept4(*listener);
  ASSERT_OK(server);
  EXPECT_EQ(get_peer_credentials(*server)->pid, ::getpid());
  EXPECT_EQ(*get_socket_type(*server), SOCK_STREAM);
  EXPECT_ERRNO(listen_unix(cwd, path, SOCK_STREAM, 1), EADDRINUSE);
}

// unix(7): sun_path holds 108 bytes; containerd's bundle paths are longer.
TEST(UnixSocket, APathLongerThanTheAddressConnects) {
  const testing::TemporaryDirectory directory;
  const Result<Fd> dir = open(directory.path(), O_PATH | O_DIRECTORY);
  const std::string deep(150, 'd');
  ASSERT_OK(make_directory_in_root(*dir, deep + "/" + deep, 0755));
  const std::string path = directory.path() + "/" + deep + "/" + deep + "/socket";
  const Result<Fd> listener = listen_unix(cwd, path, SOCK_SEQPACKET, 1);
  ASSERT_OK(listener);
  ASSERT_OK(connect_unix(cwd, path, SOCK_SEQPACKET));
  ASSERT_OK(connect_unix(*dir, deep + "/" + deep + "/socket", SOCK_SEQPACKET));
}

TEST(UnixSocket, ANameBelowADirectoryIsFoundThere) {
  const testing::TemporaryDirectory directory;
  const Result<Fd> dir = open(directory.path(), O_PATH | O_DIRECTORY);
  const Result<Fd> listener = listen_unix(*dir, "name", SOCK_STREAM, 1);
  ASSERT_OK(listener);
  ASSERT_OK(connect_unix(*dir, "name", SOCK_STREAM));
  const Result<Fd> none = connect_unix(*dir, "other", SOCK_STREAM);
  EXPECT_ERRNO(none, ENOENT);
  EXPECT_TRUE(none.error().text.ends_with(", \"other\")")) << none.error().text;
  EXPECT_ERRNO(listen_unix(*dir, std::string(120, 'n'), SOCK_STREAM, 1), ENAMETOOLONG);
}

// sd_notify(3): NOTIFY_SOCKET is a path, or '@' and an abstract name.
TEST(UnixSocket, ADatagramReachesAnAbstractName) {
  const Fd receiver(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const std::string name = "skiff-test-" + std::to_string(::getpid());
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  name.copy(static_cast<char *>(address.sun_path) + 1, name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  ASSERT_EQ(::bind(receiver.get(), reinterpret_cast<const sockaddr *>(&address), size), 0);
  ASSERT_OK(send_datagram("@" + name, "READY=1"));
  std::array<char, 16> bytes{};
  EXPECT_EQ(*read_some(receiver, bytes), 7U);
  EXPECT_EQ(std::string(bytes.data()), "READY=1");
}

}  // namespace
}  // namespace skiff::kernel
