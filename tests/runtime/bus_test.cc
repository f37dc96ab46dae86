// Against a real message bus, a dbus-daemon of the test's own.
#include "runtime/bus.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include <array>

#include "runtime/kernel/process.h"
#include "runtime/systemd.h"
#include "tests/runtime/temporary_directory.h"

namespace skiff {
namespace {

using std::chrono::seconds;

constexpr const char *daemon_path = "/usr/bin/dbus-daemon";

class Daemon {
 public:
  Daemon() {
    kernel::Pipe ready = kernel::pipe2().value();
    const std::string address = "--address=unix:path=" + socket();
    const std::string number = "--print-address=" + std::to_string(ready.write.get());
    const std::array<const char *, 7> words = {daemon_path,     "--session",    "--nofork", "--nopidfile",
                                               address.c_str(), number.c_str(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ready.write.get(), ready.write.get());  // takes CLOEXEC off
    pid_ = -1;
    posix_spawn(&pid_, daemon_path, &actions, nullptr, const_cast<char *const *>(words.data()), environ);
    posix_spawn_file_actions_destroy(&actions);
    ready.write.reset();
    std::array<char, 256> line{};
    ready_ = pid_ > 0 && kernel::read_some(ready.read, line).value_or(0) > 0;
  }
  Daemon(const Daemon &) = delete;
  Daemon &operator=(const Daemon &) = delete;
  ~Daemon() {
    if (pid_ > 0) {
      ::kill(pid_, SIGTERM);
      ::waitpid(pid_, nullptr, 0);
    }
  }

  [[nodiscard]] bool ready() const { return ready_; }
  [[nodiscard]] std::string socket() const { return directory_.path() + "/bus"; }

 private:
  TemporaryDirectory directory_;
  pid_t pid_ = -1;
  bool ready_ = false;
};

BusCall to_bus(const char *member, std::vector<BusValue> arguments) {
  return {.destination = "org.freedesktop.DBus",
          .path = "/org/freedesktop/DBus",
          .interface = "org.freedesktop.DBus",
          .member = member,
          .arguments = std::move(arguments)};
}

class BusTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::access(daemon_path, X_OK) != 0) GTEST_SKIP() << "needs dbus-daemon";
    daemon_.emplace();
    ASSERT_TRUE(daemon_->ready());
  }
  Result<Bus> connect() { return Bus::connect(daemon_->socket(), Bus::Kind::bus, seconds(20)); }
  std::optional<Daemon> daemon_;
};

TEST_F(BusTest, ACallIsAnsweredWithItsBody) {
  Result<Bus> bus = connect();
  ASSERT_TRUE(bus) << bus.error().message();
  const auto answer =
      bus->call(to_bus("GetConnectionUnixUser", {bus_string("org.freedesktop.DBus")}), Deadline(seconds(20)));
  ASSERT_TRUE(answer) << answer.error().message();
  ASSERT_TRUE(*answer) << answer->error().text;
  ASSERT_EQ((*answer)->size(), 1U);
  EXPECT_EQ((*answer)->front(), bus_uint32(::getuid()));
}

TEST_F(BusTest, ARefusalHasNameAndWords) {
  Result<Bus> bus = connect();
  ASSERT_TRUE(bus) << bus.error().message();
  const auto answer = bus->call(to_bus("NoSuchMethod", {}), Deadline(seconds(20)));
  ASSERT_TRUE(answer) << answer.error().message();
  ASSERT_FALSE(*answer);
  EXPECT_EQ(answer->error().name, "org.freedesktop.DBus.Error.UnknownMethod");
  EXPECT_NE(answer->error().text.find("NoSuchMethod"), std::string::npos);
}

// The daemon checks every byte of a message that it passes on: to ourselves here.
TEST_F(BusTest, EveryTypeIsMarshalledAsTheSpecificationSays) {
  Result<Bus> bus = connect();
  ASSERT_TRUE(bus) << bus.error().message();
  const auto named =
      bus->call(to_bus("RequestName", {bus_string("org.example.Own"), bus_uint32(0)}), Deadline(seconds(20)));
  ASSERT_TRUE(named && *named);
  std::vector<BusValue> values;
  for (const char *text : {"true", "byte 1", "int16 -2", "uint16 3", "-4", "uint32 5", "int64 -6", "uint64 7", "1.5",
                           "'text'", "objectpath '/a'", "signature 'as'", "['a', 'b']", "@as []",
                           "@a(sv) [('MemoryMax', <uint64 1>)]", "{'k': <[byte 1, 2]>}", "@a(sa(sv)) []"}) {
    values.push_back(parse_gvariant(text).value());
  }
  // Nobody answers; that it came through is told by the answer to the next call, which a disconnect would not let come.
  const BusCall to_ourselves{.destination = "org.example.Own",
                             .path = "/",
                             .interface = "org.example.Own",
                             .member = "Take",
                             .arguments = std::move(values)};
  const auto silent = bus->call(to_ourselves, Deadline(std::chrono::milliseconds(50)));
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.error().number, ETIMEDOUT);
  const auto answer = bus->call(to_bus("GetId", {}), Deadline(seconds(20)));
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_TRUE(*answer);
}

TEST_F(BusTest, ASignalThatCameDuringACallIsKept) {
  Result<Bus> bus = connect();
  ASSERT_TRUE(bus) << bus.error().message();
  const auto named =
      bus->call(to_bus("RequestName", {bus_string("org.example.Own"), bus_uint32(0)}), Deadline(seconds(20)));
  ASSERT_TRUE(named && *named);
  std::vector<BusValue> signal;
  while (signal != std::vector{bus_string("org.example.Own")}) {
    Result<std::vector<BusValue>> next = bus->wait_for_signal("NameAcquired", Deadline(seconds(20)));
    ASSERT_TRUE(next) << next.error().message();
    signal = *std::move(next);
  }
  EXPECT_EQ(bus->wait_for_signal("NameAcquired", Deadline(std::chrono::milliseconds(10))).error().number, ETIMEDOUT);
}

TEST(Bus, NobodyAtTheSocketIsAnErrorThatNamesIt) {
  const Result<Bus> bus = Bus::connect("/nonexistent/bus", Bus::Kind::bus, seconds(1));
  ASSERT_FALSE(bus);
  EXPECT_EQ(bus.error().number, ENOENT);
  EXPECT_NE(bus.error().text.find("/nonexistent/bus"), std::string::npos);
}

// D-Bus specification, "Server Addresses".
TEST(BusAddress, TheFirstSocketWithAPathIsTaken) {
  EXPECT_EQ(find_socket("unix:path=/run/user/1/bus"), "/run/user/1/bus");
  EXPECT_EQ(find_socket("tcp:host=a;unix:guid=1,path=/a%20b%2c;unix:path=/c"), "/a b,");
  EXPECT_EQ(find_socket("unix:abstract=/tmp/x"), "");
  EXPECT_EQ(find_socket(""), "");
}

TEST(SystemdVersion, IsTheFirstNumber) {
  EXPECT_EQ(parse_systemd_version("252.39-1~deb12u1"), 252);
  EXPECT_EQ(parse_systemd_version("v258-rc2"), 258);
  EXPECT_EQ(parse_systemd_version(""), 0);
}

}  // namespace
}  // namespace skiff
