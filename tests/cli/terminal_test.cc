// Terminals: of the container by the console socket, of the caller by a pseudoterminal of the test's own.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

#include "runtime/kernel/path.h"
#include "runtime/kernel/tty.h"
#include "tests/cli/background.h"
#include "tests/cli/pty.h"

namespace skiff::rig {
namespace {

TEST(Terminal, CreateSendsItByTheConsoleSocketWithItsSize) {  // config.md#process: terminal, consoleSize
  REQUIRE_ROOT();
  Rig rig;
  rig.config["process"]["terminal"] = true;
  rig.config["process"]["consoleSize"] = {{"height", 31}, {"width", 97}};
  rig.script("tty; stty size; test -c /dev/console && echo console; read line; echo got $line");
  ConsoleSocket socket(rig.path("console"));
  const Outcome created = rig.skiff({"create", "--console-socket", rig.path("console"), rig.id()});
  ASSERT_EQ(created.code, 0) << created.err;
  const kernel::Fd master = socket.receive();
  ASSERT_EQ(rig.skiff({"start", rig.id()}).code, 0);
  const std::string banner = read_until(master, "console");
  EXPECT_NE(banner.find("/dev/pts/0"), std::string::npos) << banner;
  EXPECT_NE(banner.find("31 97"), std::string::npos) << banner;
  ASSERT_TRUE(kernel::write_all(master, "words\n"));
  const std::string answer = read_until(master, "got words");
  EXPECT_NE(answer.find("got words"), std::string::npos) << answer;
  EXPECT_EQ(rig.skiff({"delete", "--force", rig.id()}).code, 0);
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(Terminal, ControlCReachesTheContainersProgram) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["process"]["terminal"] = true;
  rig.script("trap 'echo interrupted; exit 3' INT; echo ready; while true; do read line; done");
  ConsoleSocket socket(rig.path("console"));
  ASSERT_EQ(rig.skiff({"run", "-d", "--console-socket", rig.path("console"), rig.id()}).code, 0);
  const kernel::Fd master = socket.receive();
  EXPECT_NE(read_until(master, "ready").find("ready"), std::string::npos);
  ASSERT_TRUE(kernel::write_all(master, "\x03"));
  EXPECT_NE(read_until(master, "interrupted").find("interrupted"), std::string::npos);
}

TEST(Terminal, ASocketPathOfAnyLengthWorks) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["process"]["terminal"] = true;
  const std::string path = rig.path(std::string(150, 'x')) + "/console";  // sun_path holds 108 bytes
  ASSERT_EQ(::mkdir(rig.path(std::string(150, 'x')).c_str(), 0700), 0);
  ConsoleSocket socket(path);
  const Outcome outcome = rig.skiff({"create", "--console-socket", path, rig.id()});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(kernel::is_terminal(socket.receive()));
}

TEST(Terminal, WithoutAConsoleSocketOrWithOneForNothingIsAnError) {
  REQUIRE_ROOT();
  Rig rig;
  const Outcome useless = rig.skiff({"create", "--console-socket", rig.path("console"), rig.id()});
  EXPECT_EQ(useless.code, 1);
  EXPECT_NE(useless.err.find("--console-socket"), std::string::npos) << useless.err;
  rig.config["process"]["terminal"] = true;
  for (const std::vector<std::string> &words :
       std::initializer_list<std::vector<std::string>>{{"create", rig.id()},
                                                       {"run", "--detach", rig.id()},
                                                       {"create", "--console-socket", rig.path("absent"), rig.id()}}) {
    const Outcome outcome = rig.skiff(words);
    EXPECT_EQ(outcome.code, 1) << words[0];
    EXPECT_NE(outcome.err.find("socket"), std::string::npos) << outcome.err;
    EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
  }
}

TEST(Terminal, RunPassesTheCallersTerminalThroughWithItsSizeAndItsChanges) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["process"]["terminal"] = true;
  rig.script(
      "trap 'stty size' WINCH; trap 'echo interrupted; exit 3' INT; stty size; echo ready; while true; do read line; "
      "echo got $line; done");
  const Pty pty = open_pty(24, 80);
  kernel::Child run = start_on(pty, command_line(rig, {"run", rig.id()}));
  const std::string banner = read_until(pty.master, "ready");
  EXPECT_NE(banner.find("24 80"), std::string::npos) << banner;
  ASSERT_TRUE(kernel::write_all(pty.master, "typed\r"));
  const std::string echoed = read_until(pty.master, "got typed");
  EXPECT_NE(echoed.find("got typed"), std::string::npos) << echoed;
  EXPECT_EQ(echoed.find("typed"), echoed.rfind("typed", echoed.find("got") - 1)) << "echoed twice: " << echoed;
  ASSERT_TRUE(kernel::set_window_size(pty.master, {.ws_row = 40, .ws_col = 132, .ws_xpixel = 0, .ws_ypixel = 0}));
  ASSERT_TRUE(kernel::write_all(pty.master, "\r"));  // this shell runs its traps between two lines
  const std::string resized = read_until(pty.master, "40 132");
  EXPECT_NE(resized.find("40 132"), std::string::npos) << resized;
  ASSERT_TRUE(kernel::write_all(pty.master, "\x03"));
  const std::string last = read_until(pty.master, "interrupted");
  EXPECT_NE(last.find("interrupted"), std::string::npos) << last;
  EXPECT_EQ(wait_for_code(run), 3);
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(Terminal, RunLeavesTheCallersTerminalAsItWas) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["process"]["terminal"] = true;
  rig.script("echo ready");
  const Pty pty = open_pty(24, 80);
  const termios before = settings_of(pty);
  kernel::Child run = start_on(pty, command_line(rig, {"run", rig.id()}));
  EXPECT_NE(read_until(pty.master, "ready").find("ready"), std::string::npos);
  EXPECT_EQ(wait_for_code(run), 0);
  EXPECT_TRUE(same_settings(before, settings_of(pty)));
}

TEST(Terminal, RunWorksWithPipesAndLosesNothingOfALongOutput) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["process"]["terminal"] = true;
  rig.script("seq 1 20000");
  const Outcome outcome = rig.skiff({"run", rig.id()});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(outcome.out.ends_with("\n20000\n"))  // as written: a pipe is no terminal that wants "\r\n"
      << outcome.out.substr(outcome.out.size() > 50 ? outcome.out.size() - 50 : 0);
  EXPECT_EQ(std::ranges::count(outcome.out, '\n'), 20000);
}

TEST(Terminal, ExecHasOneByFlagByFileAndByConsoleSocket) {
  REQUIRE_ROOT();
  Rig rig;
  rig.start_waiting();
  const Pty pty = open_pty(24, 80);
  kernel::Child exec =
      start_on(pty, command_line(rig, {"exec", "-t", rig.id(), "sh", "-c", "tty; stty size; read x; exit 7"}));
  const std::string banner = read_until(pty.master, "24 80");
  EXPECT_NE(banner.find("/dev/pts/"), std::string::npos) << banner;
  ASSERT_TRUE(kernel::write_all(pty.master, "\r"));
  EXPECT_EQ(wait_for_code(exec), 7);

  const Json process = {{"terminal", true},
                        {"user", {{"uid", 0}, {"gid", 0}}},
                        {"args", {"sh", "-c", "stty size; read x"}},
                        {"env", {"PATH=/bin"}},
                        {"cwd", "/"},
                        {"consoleSize", {{"height", 12}, {"width", 34}}}};
  write_file(rig.path("process.json"), process.dump());
  ConsoleSocket socket(rig.path("console"));
  const Outcome detached = rig.skiff(
      {"exec", "--detach", "--process", rig.path("process.json"), "--console-socket", rig.path("console"), rig.id()});
  ASSERT_EQ(detached.code, 0) << detached.err;
  const kernel::Fd master = socket.receive();
  const std::string size = read_until(master, "12 34");
  EXPECT_NE(size.find("12 34"), std::string::npos) << size;
}

}  // namespace
}  // namespace skiff::rig
