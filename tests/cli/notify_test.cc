// $NOTIFY_SOCKET: a container tells the service manager that it is ready, sd_notify(3), and no more than that.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "runtime/kernel/socket.h"
#include "tests/cli/background.h"
#include "tests/cli/inside.h"

namespace skiff::rig {
namespace {

// A service manager's socket, and a container that can speak to it.
struct Service {
  explicit Service(Rig &rig)
      : path(rig.path("service")), socket(kernel::bind_datagram(kernel::cwd, path, 0600).value()) {
    std::filesystem::copy_file(SKIFF_NOTIFY_CALL, rig.rootfs() + "/bin/notify_call");
  }
  std::vector<std::string> environment() const { return {"NOTIFY_SOCKET=" + path}; }
  // The next message; "" where none comes.
  std::string hear(std::chrono::milliseconds patience = std::chrono::seconds(20)) const {
    const Result<bool> there = kernel::wait_readable(socket, patience);
    return there && *there ? kernel::recv_message(socket, 65536, 0).value()->bytes : "";
  }
  std::string path;
  kernel::Fd socket;
};

TEST(Notify, AProgramInTheForegroundTellsOfItselfAndNeverOfPidsOrDescriptors) {
  REQUIRE_ROOT();
  Rig rig;
  const Service service(rig);
  rig.script("notify_call MAINPID=1 FDSTORE=1 \"$(printf 'READY=1\\nMAINPID=1\\nSTATUS=up')\" STOPPING=1");
  kernel::Child run = start_quietly(command_line(rig, {"run", rig.id()}, service.environment()));
  EXPECT_EQ(service.hear(), "READY=1\nSTATUS=up\n");
  EXPECT_EQ(service.hear(), "STOPPING=1\n");
  EXPECT_EQ(wait_for_code(run), 0);
  EXPECT_CLEAN(rig);
}

TEST(Notify, RunDetachedWaitsUntilTheProgramIsReadyAndTellsItsPid) {
  REQUIRE_ROOT();
  Rig rig;
  const Service service(rig);
  ASSERT_EQ(::mkfifo((rig.rootfs() + "/tmp/go").c_str(), 0600), 0);
  rig.script("read go < /tmp/go; notify_call STATUS=starting READY=1; exec sleep 1000");
  kernel::Child run = start_quietly(command_line(rig, {"run", "-d", rig.id()}, service.environment()));
  write_file(rig.rootfs() + "/tmp/go", "go\n");
  EXPECT_EQ(service.hear(), "STATUS=starting\n");
  const std::string ready = service.hear();
  EXPECT_EQ(wait_for_code(run), 0);
  EXPECT_EQ(ready, "READY=1\nMAINPID=" + std::to_string(rig.state()["pid"].get<int>()) + "\n");
}

TEST(Notify, StartWaitsUntilTheProgramIsReadyAndAnotherCommandMayEndItMeanwhile) {
  REQUIRE_ROOT();
  Rig rig;
  const Service service(rig);
  rig.script("touch /tmp/runs; test -e /tmp/ready && notify_call READY=1; exec sleep 1000");
  write_file(rig.rootfs() + "/tmp/ready", "");
  for (const bool becomes_ready : {true, false}) {
    kernel::Child create = start_quietly(command_line(rig, {"create", rig.id()}, service.environment()));
    ASSERT_EQ(wait_for_code(create), 0);
    kernel::Child start = start_quietly(command_line(rig, {"start", rig.id()}, service.environment()));
    if (becomes_ready) {
      EXPECT_TRUE(service.hear().starts_with("READY=1\nMAINPID="));
    } else {
      ASSERT_TRUE(wait_for_file(rig.rootfs() + "/tmp/runs"));
      ASSERT_EQ(rig.skiff({"kill", rig.id(), "KILL"}).code, 0);
      EXPECT_EQ(service.hear(std::chrono::milliseconds(0)), "");
    }
    EXPECT_EQ(wait_for_code(start), 0);
    ASSERT_EQ(rig.skiff({"delete", "--force", rig.id()}).code, 0);
    std::filesystem::remove(rig.rootfs() + "/tmp/ready");
    std::filesystem::remove(rig.rootfs() + "/tmp/runs");
  }
  EXPECT_CLEAN(rig);
}

TEST(Notify, ARootOfAUserNamespaceMayNotifyToo) {
  REQUIRE_ROOT();
  Rig rig;
  const Service service(rig);
  add_user_namespace(rig);
  std::filesystem::create_directories(rig.rootfs() + "/run/notify");  // which that root could not make itself
  rig.script("notify_call READY=1");
  kernel::Child run = start_quietly(command_line(rig, {"run", rig.id()}, service.environment()));
  EXPECT_EQ(service.hear(), "READY=1\n");
  EXPECT_EQ(wait_for_code(run), 0);
}

TEST(Notify, TheContainerCannotChangeTheSocketsDirectory) {
  REQUIRE_ROOT();
  Rig rig;
  const Service service(rig);
  rig.script("mv /run/notify/notify.sock /run/notify/x || notify_call READY=1");
  kernel::Child run = start_quietly(command_line(rig, {"run", rig.id()}, service.environment()));
  EXPECT_EQ(service.hear(), "READY=1\n");
  EXPECT_EQ(wait_for_code(run), 0);
}

TEST(Notify, WithoutAServiceTheContainerHearsNothingOfIt) {
  REQUIRE_ROOT();
  Rig rig;
  EXPECT_EQ(rig.run("echo \"[$NOTIFY_SOCKET]\"; test -e /run/notify && echo mounted").out, "[]\n");
}

}  // namespace
}  // namespace skiff::rig
