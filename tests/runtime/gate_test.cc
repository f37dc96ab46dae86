#include "runtime/gate.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "runtime/kernel/process.h"
#include "tests/runtime/temporary_directory.h"

namespace skiff {
namespace {

class Gate : public testing::Test {
 protected:
  void SetUp() override {
    Result<kernel::Fd> opened = kernel::open(directory_.path(), O_RDONLY | O_DIRECTORY);
    ASSERT_TRUE(opened);
    state_ = *std::move(opened);
    Result<kernel::Fd> made = make_gate(state_);
    ASSERT_TRUE(made) << made.error().message();
    gate_ = *std::move(made);
  }

  // An init that waits at the gate and then does as it is told.
  kernel::Child spawn(void (*then)(const kernel::Fd &gate)) {
    Result<kernel::Child> child = kernel::clone3({});
    if (child && child->is_this_process()) {
      if (!wait_at_gate(gate_)) _exit(2);
      then(gate_);
      _exit(0);
    }
    gate_.reset();
    return *std::move(child);
  }

  TemporaryDirectory directory_;
  kernel::Fd state_;
  kernel::Fd gate_;
};

TEST_F(Gate, IsClosedWhileInitHoldsItAndOpenAfterwards) {
  EXPECT_TRUE(is_gate_closed(state_).value());
  gate_.reset();
  EXPECT_FALSE(is_gate_closed(state_).value()) << "a FIFO that nobody holds is no closed gate";
}

TEST_F(Gate, OpensForAnInitThatBecomesItsProgram) {
  kernel::Child init = spawn([](const kernel::Fd &) {
    const char *const argv[] = {"true", nullptr};
    (void)kernel::execveat(kernel::cwd, "/bin/true", argv, argv + 1, 0);
  });
  const Status opened = open_gate(state_);
  EXPECT_TRUE(opened) << opened.error().message();
  EXPECT_EQ(init.wait()->shell_code(), 0);
  EXPECT_FALSE(is_gate_closed(state_).value());
}

TEST_F(Gate, TellsStartWhatInitDiedOf) {
  const kernel::Child init = spawn([](const kernel::Fd &gate) {
    report_at_gate(gate, Error{ENOEXEC, "process.args[0] (/x): execveat(\"/x\")", "it is no program"});
  });
  const Status opened = open_gate(state_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().number, ENOEXEC);
  EXPECT_EQ(opened.error().remedy, "it is no program");
}

TEST_F(Gate, TellsStartThatInitDiedBeforeItWasLetGo) {
  gate_.reset();
  const Status opened = open_gate(state_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().number, ESRCH);
  EXPECT_TRUE(opened.error().text.starts_with("container not running")) << opened.error().text;
}

}  // namespace
}  // namespace skiff
