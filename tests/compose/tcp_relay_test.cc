#include "compose/tcp_relay.h"

#include <gtest/gtest.h>

#include <array>

#include "runtime/kernel/process.h"
#include "runtime/kernel/socket.h"

namespace skiff::compose {
namespace {

class TcpRelayTest : public ::testing::Test {
 protected:
  void SetUp() override {
    // As skiff-compose has it.
    ASSERT_TRUE(kernel::ignore_signal(SIGPIPE));
    kernel::SocketPair one = kernel::socketpair(SOCK_STREAM | SOCK_NONBLOCK).value();
    kernel::SocketPair other = kernel::socketpair(SOCK_STREAM | SOCK_NONBLOCK).value();
    client = std::move(one.one);
    container = std::move(other.one);
    relay = TcpRelay::make(std::move(one.other), std::move(other.other)).value();
  }

  static std::string read(const kernel::Fd &fd) {
    std::array<char, 4096> buffer{};
    const Result<std::size_t> count = kernel::read_some(fd, buffer);
    if (!count) return "nothing";
    return *count == 0 ? "end" : std::string(buffer.data(), *count);
  }

  kernel::Fd client;
  kernel::Fd container;
  std::optional<TcpRelay> relay;
};

TEST_F(TcpRelayTest, BytesGoBothWays) {
  ASSERT_TRUE(kernel::write_all(client, "question"));
  ASSERT_TRUE(kernel::write_all(container, "answer"));
  EXPECT_EQ(relay->move(), TcpRelay::Moved::waits);
  EXPECT_EQ(read(container), "question");
  EXPECT_EQ(read(client), "answer");
}

// tcp(7): a client that has said its last still hears the answer.
TEST_F(TcpRelayTest, OneDirectionMayEndBeforeTheOther) {
  ASSERT_TRUE(kernel::write_all(client, "last words"));
  ASSERT_EQ(::shutdown(client.get(), SHUT_WR), 0);
  EXPECT_EQ(relay->move(), TcpRelay::Moved::waits);
  EXPECT_EQ(read(container), "last words");
  EXPECT_EQ(read(container), "end");
  ASSERT_TRUE(kernel::write_all(container, "answer"));
  EXPECT_EQ(relay->move(), TcpRelay::Moved::waits);
  EXPECT_EQ(read(client), "answer");
  ASSERT_EQ(::shutdown(container.get(), SHUT_WR), 0);
  EXPECT_EQ(relay->move(), TcpRelay::Moved::over);
  EXPECT_EQ(read(client), "end");
}

TEST_F(TcpRelayTest, WhatTheReceiverDoesNotTakeWaitsAndIsNotLost) {
  const std::string piece(4096, 'x');
  std::size_t sent = 0;
  // Until neither the sockets nor the relay hold more.
  for (int full = 0; full < 2;) {
    const Result<std::size_t> count = kernel::write_some(client, piece);
    full = count ? 0 : full + 1;
    sent += count.value_or(0);
    ASSERT_NE(relay->move(), TcpRelay::Moved::over);
  }
  ASSERT_EQ(::shutdown(client.get(), SHUT_WR), 0);
  std::size_t received = 0;
  for (std::string bytes = read(container); bytes != "end"; bytes = read(container)) {
    if (bytes != "nothing") received += bytes.size();
    ASSERT_NE(relay->move(), TcpRelay::Moved::over);
  }
  EXPECT_EQ(received, sent);
}

TEST_F(TcpRelayTest, ASideThatIsGoneEndsIt) {
  container.reset();
  ASSERT_TRUE(kernel::write_all(client, "question"));
  EXPECT_EQ(relay->move(), TcpRelay::Moved::over);
}

}  // namespace
}  // namespace skiff::compose
