// --pidfd-socket: a caller that follows the process by a descriptor, not by a number that may be another's tomorrow.
#include <gtest/gtest.h>
#include <unistd.h>

#include "runtime/kernel/socket.h"
#include "tests/cli/background.h"

namespace skiff::rig {
namespace {

// What arrived at the socket: one message "pidfd" with one descriptor.
kernel::Fd receive_pidfd(const kernel::Fd &listener) {
  const kernel::Fd peer = kernel::accept4(listener).value();
  auto message = kernel::recv_message(peer, 4096, 1).value().value();
  EXPECT_EQ(message.bytes, "pidfd");
  return std::move(message.fds.at(0));
}

std::string pid_behind(const kernel::Fd &pidfd) {
  const std::string info = read_file("/proc/self/fdinfo/" + std::to_string(pidfd.get()));
  const std::size_t at = info.find("\nPid:\t");
  return at == std::string::npos ? info : info.substr(at + 6, info.find('\n', at + 1) - at - 6);
}

TEST(PidfdSocket, CreateHandsOverTheInitProcess) {
  REQUIRE_ROOT();
  Rig rig;
  rig.script("exec sleep 1000");
  const kernel::Fd listener = kernel::listen_unix(kernel::cwd, rig.path("socket"), SOCK_STREAM, 1).value();
  kernel::Child create = start_quietly(command_line(rig, {"create", "--pidfd-socket", rig.path("socket"), rig.id()}));
  const kernel::Fd pidfd = receive_pidfd(listener);
  ASSERT_EQ(wait_for_code(create), 0);
  EXPECT_EQ(pid_behind(pidfd), rig.state()["pid"].dump());
  ASSERT_EQ(rig.skiff({"start", rig.id()}).code, 0);
  ASSERT_TRUE(kernel::pidfd_send_signal(pidfd, SIGKILL));
  EXPECT_TRUE(*kernel::wait_readable(pidfd, std::chrono::seconds(20)));
  EXPECT_EQ(rig.state()["status"], "stopped");
}

TEST(PidfdSocket, ExecHandsOverTheProcessOfTheExec) {
  REQUIRE_ROOT();
  Rig rig;
  rig.start_waiting();
  const kernel::Fd listener = kernel::listen_unix(kernel::cwd, rig.path("socket"), SOCK_STREAM, 1).value();
  kernel::Child exec =
      start_quietly(command_line(rig, {"exec", "--pidfd-socket", rig.path("socket"), rig.id(), "sleep", "1000"}));
  const kernel::Fd pidfd = receive_pidfd(listener);
  EXPECT_NE(pid_behind(pidfd), rig.state()["pid"].dump());
  ASSERT_TRUE(kernel::pidfd_send_signal(pidfd, SIGKILL));
  EXPECT_EQ(wait_for_code(exec), 137);
  EXPECT_EQ(rig.state()["status"], "running");
}

TEST(PidfdSocket, WhereNobodyListensNothingStays) {
  REQUIRE_ROOT();
  Rig rig;
  const Outcome outcome = rig.skiff({"create", "--pidfd-socket", rig.path("absent"), rig.id()});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("--pidfd-socket: connect("), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("no such file or directory"), std::string::npos) << outcome.err;
  EXPECT_EQ(rig.leftovers(), std::vector<std::string>{});
}

}  // namespace
}  // namespace skiff::rig
