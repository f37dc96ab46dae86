#include "compose/program.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace skiff::compose {
namespace {

TEST(RunProgram, HandsOverItsInputAndCollectsBothOutputs) {
  // More than a pipe holds, both ways at once.
  const std::string input(300000, 'x');
  const Result<ProgramOutput> output = run_program({"/bin/sh", "-c", "cat; echo oops >&2; exit 3"}, input);
  ASSERT_TRUE(output) << output.error().message();
  EXPECT_EQ(output->out, input);
  EXPECT_EQ(output->err, "oops\n");
  EXPECT_EQ(output->code, 3);
}

TEST(RunProgram, OneThatReadsNothingIsNoError) {
  ASSERT_TRUE(kernel::ignore_signal(SIGPIPE));  // as main does
  const Result<ProgramOutput> output = run_program({"/bin/true"}, std::string(300000, 'x'));
  ASSERT_TRUE(output) << output.error().message();
  EXPECT_EQ(output->code, 0);
}

TEST(CallProgram, AFailureSaysWhatTheProgramSaid) {
  EXPECT_EQ(call_program({"/bin/sh", "-c", "echo broken >&2; exit 1"}).error().message(), "sh: broken");
  EXPECT_EQ(call_program({"/bin/sh", "-c", "exit 7"}).error().message(), "sh: exit code 7");
}

TEST(CallProgram, WhatIsNotThereIsAnError) {
  EXPECT_EQ(call_program({"/nowhere/skiff"}).error().message(),
            "skiff: execveat(AT_FDCWD, \"/nowhere/skiff\"): no such file or directory");
}

// It is nobody's child: what it did not become it tells where its own words would have come.
TEST(StartDetached, WhatIsNotThereIsToldOnItsErrors) {
  const kernel::Pipe err = kernel::pipe2().value();
  ASSERT_TRUE(start_detached({"/nowhere/skiff"}, {.err = err.write}));
  std::array<char, 256> said{};
  const std::size_t count = kernel::read_some(err.read, said).value();
  EXPECT_EQ(std::string(said.data(), count),
            "skiff: execveat(AT_FDCWD, \"/nowhere/skiff\"): no such file or directory\n");
}

TEST(FindProgram, NamesWhatIsMissing) {
  EXPECT_EQ(find_program("no-such-program").error().message(),
            "no-such-program: it is neither beside this program nor on $PATH: no such file or directory; install it");
}

}  // namespace
}  // namespace skiff::compose
