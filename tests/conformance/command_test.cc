#include "conformance/command.h"

#include <gtest/gtest.h>

namespace skiff::conformance {
namespace {

using std::chrono::seconds;

Result<Outcome> run(const std::string &script, std::chrono::milliseconds patience = seconds(20)) {
  Running running = spawn({"/bin/sh", "-c", script}, {.directory = "/"}).value();
  return finish(running, Clock::now() + patience);
}

TEST(Command, KeepsOutputAndStatus) {
  const Outcome outcome = run("pwd; echo wrong >&2; exit 7").value();
  EXPECT_EQ(outcome.out, "/\n");
  EXPECT_EQ(outcome.err, "wrong\n");
  EXPECT_EQ(outcome.code, 7);
  EXPECT_EQ(outcome.summary(), "exit status 7: wrong");
}

TEST(Command, TellsASignalFromAStatus) {
  EXPECT_EQ(run("kill -9 $$").value().summary(), "killed by signal 9: ");
  EXPECT_EQ(run("exit 1").value().summary(), "exit status 1: without a word");
}

TEST(Command, DoesNotWaitForWhoKeepsItsPipes) {
  // As create leaves the container behind with its stdout. This one ends with its input.
  kernel::Pipe input = kernel::pipe2().value();
  Running running =
      spawn({"/bin/sh", "-c", "exec 3<&0; cat <&3 & echo first"}, {.directory = "/", .input = input.read}).value();
  const Outcome outcome = finish(running, Clock::now() + seconds(20)).value();
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, "first\n");
  ASSERT_TRUE(kernel::write_all(input.write, "later\n"));
  input.write.reset();
  std::string buffer;
  EXPECT_EQ(read_line(running.out, buffer, Clock::now() + seconds(20)).value(), "later");
}

TEST(Command, EndsAtItsDeadline) {
  const Result<Outcome> outcome = run("echo so far; exec sleep 1000", std::chrono::milliseconds(200));
  ASSERT_FALSE(outcome.has_value());
  EXPECT_NE(outcome.error().text.find("so far"), std::string::npos) << outcome.error().text;
}

TEST(Command, ReadsLineByLine) {
  const kernel::Pipe pipe = kernel::pipe2().value();
  ASSERT_TRUE(kernel::write_all(pipe.write, "one\ntwo\nthr"));
  std::string buffer;
  const Clock::time_point soon = Clock::now() + std::chrono::milliseconds(100);
  EXPECT_EQ(read_line(pipe.read, buffer, soon).value(), "one");
  EXPECT_EQ(read_line(pipe.read, buffer, soon).value(), "two");
  EXPECT_FALSE(read_line(pipe.read, buffer, soon).has_value());
}

}  // namespace
}  // namespace skiff::conformance
