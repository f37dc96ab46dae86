// Root of a container with the settings that `skiff-compose run` has without any flag, and each known way to the host.
#include <gtest/gtest.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <sstream>

#include "runtime/kernel/socket.h"
#include "tests/cli/compose/engine_rig.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

using Ways = std::map<std::string, std::string>;

// What the host has that a container may reach for.
class Host {
 public:
  Host() : name_("skiff-ways-out-" + std::to_string(::getpid())) {
    socket_ = kernel::Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name_.copy(address.sun_path + 1, sizeof(address.sun_path) - 2);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name_.size());
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr *>(&address), size), 0);
    EXPECT_EQ(::listen(socket_.get(), 4), 0);
    memory_ = ::shmget(key(), 4096, IPC_CREAT | IPC_EXCL | 0666);
    EXPECT_GE(memory_, 0);
  }
  ~Host() { ::shmctl(memory_, IPC_RMID, nullptr); }
  Host(const Host &) = delete;
  Host &operator=(const Host &) = delete;

  [[nodiscard]] static key_t key() { return 0x5c1f0000 + (::getpid() & 0xffff); }
  [[nodiscard]] std::string words() const {
    return name_ + " " + std::to_string(key()) + " " + std::to_string(::getpid());
  }

 private:
  std::string name_;
  kernel::Fd socket_;
  int memory_ = -1;
};

Ways ways_of(const std::string &text) {
  Ways ways;
  std::istringstream lines(text);
  for (std::string name, result; lines >> name >> result;) ways[name] = result;
  return ways;
}

class WaysOut : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_ROOT();
    rig_ = std::make_unique<EngineRig>();
    host_ = std::make_unique<Host>();  // in the network namespace that the rig makes the host's
    fs::copy_file(SKIFF_WAYS_OUT, rig_->path("bundle/rootfs/bin/ways_out"));
  }
  [[nodiscard]] std::string script() const { return "ways_out " + host_->words(); }

  std::unique_ptr<EngineRig> rig_;
  std::unique_ptr<Host> host_;
};

// By what each may be denied. Absent (ENOENT) counts; an open one, or a reason that is none, does not.
const std::map<std::string, std::vector<std::string>> exceptions = {
    {"abstract_socket_of_the_host", {"ECONNREFUSED"}},
    {"signal_to_the_host", {"ESRCH"}},
    // Without -t stdin is no terminal.
    {"tiocsti", {"ENOTTY", "EINVAL", "EPERM", "EIO"}},
    {"tioclinux", {"ENOTTY", "EINVAL", "EPERM"}},
};
const std::vector<std::string> denials = {"EPERM", "EACCES", "EROFS", "ENOENT", "ENOSYS", "ENODATA"};

void expect_all_denied(const std::string &text) {
  const Ways ways = ways_of(text);
  EXPECT_GE(ways.size(), 90U) << text;
  for (const auto &[name, result] : ways) {
    const auto found = exceptions.find(name);
    const std::vector<std::string> &good = found == exceptions.end() ? denials : found->second;
    EXPECT_TRUE(std::ranges::find(good, result) != good.end()) << name << ": " << result;
  }
}

TEST_F(WaysOut, NoneIsOpenToRun) {
  const Outcome outcome = rig_->run({}, script());
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  expect_all_denied(outcome.out);
  RecordProperty("ways", outcome.out);
}

TEST_F(WaysOut, NoneIsOpenToExec) {
  const Outcome started = rig_->run({"-d", "--name", "ways"}, "sleep 1000");
  ASSERT_EQ(started.code, 0) << started.err;
  const Outcome outcome = rig_->compose({"exec", "ways", "sh", "-c", script()});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  expect_all_denied(outcome.out);
}

// The list would say so where a way is open: nothing of the above holds for who is privileged and shares the host's
// namespaces.
TEST_F(WaysOut, MostAreOpenToWhoIsPrivileged) {
  const Outcome outcome = rig_->run({"--privileged", "--network", "host", "--ipc", "host", "--pid", "host"}, script());
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Ways ways = ways_of(outcome.out);
  for (const char *name : {"core_pattern",
                           "sysctl_of_the_host",
                           "kmsg_of_proc",
                           "node_of_memory",
                           "cgroup_directory",
                           "mount",
                           "mount_proc",
                           "fsopen",
                           "user_namespace",
                           "clone_user_namespace",
                           "clone3",
                           "setns",
                           "bpf",
                           "io_uring",
                           "keyctl",
                           "abstract_socket_of_the_host",
                           "shared_memory_of_the_host",
                           "signal_to_the_host",
                           "packet_socket",
                           "raw_socket",
                           "remount_sys",
                           "leaked_descriptor",
                           "root_of_others",
                           "perf_event_open",
                           "userfaultfd",
                           "swapon",
                           "acct",
                           "reboot",
                           "syslog",
                           "settimeofday",
                           "sethostname"}) {
    EXPECT_EQ(ways.contains(name) ? ways.at(name) : "", "OPEN") << name << "\n" << outcome.out;
  }
}

}  // namespace
}  // namespace skiff::rig
