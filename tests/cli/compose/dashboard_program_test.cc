// The dashboard on a terminal, as its user sees it. The terminal is of no known kind, which is what a host without
// terminfo's entries has.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "tests/cli/background.h"
#include "tests/cli/compose/compose_rig.h"
#include "tests/cli/pty.h"

namespace skiff::rig {
namespace {

constexpr const char *leaves_screen = "\x1b[?1049l";

class Session {
 public:
  explicit Session(const ComposeRig &rig, const std::vector<std::string> &environment = {},
                   std::vector<std::string> words = {"dashboard"})
      : pty_(open_pty(24, 100)), before_(settings_of(pty_)), screen_(24, 100) {
    std::vector<std::string> all = {"/usr/bin/env", "-u", "NO_COLOR", "LC_ALL=C.UTF-8", "TERM=of-no-known-kind"};
    all.insert(all.end(), environment.begin(), environment.end());
    for (std::string &word : rig.words(words)) all.push_back(std::move(word));
    program_ = start_on(pty_, all);
  }

  bool shows(std::string_view text) { return screen_.wait_for(pty_.master, text); }
  bool hides(std::string_view text) { return screen_.wait_until_gone(pty_.master, text); }
  void type(std::string_view keys) { EXPECT_TRUE(kernel::write_all(pty_.master, keys)); }
  void resize(unsigned short rows, unsigned short columns) {
    screen_.resize(rows, columns);
    EXPECT_TRUE(
        kernel::set_window_size(pty_.master, {.ws_row = rows, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0}));
  }
  // Its code; the terminal has to be as it was.
  int end() {
    EXPECT_TRUE(shows_bytes(leaves_screen)) << screen_.text();
    const int code = wait_for_code(program_);
    EXPECT_TRUE(same_settings(before_, settings_of(pty_)));
    return code;
  }
  bool shows_bytes(const std::string &bytes) {
    const std::size_t seen = screen_.bytes().rfind(bytes);
    if (seen != std::string::npos && seen + bytes.size() + 64 > screen_.bytes().size()) return true;
    screen_.take(read_until(pty_.master, bytes));
    return screen_.bytes().find(bytes) != std::string::npos;
  }
  // The pid of the dashboard itself, which leads the terminal's foreground.
  [[nodiscard]] int pid() const { return ::tcgetpgrp(pty_.master.get()); }
  [[nodiscard]] std::string text() const { return screen_.text(); }
  [[nodiscard]] const std::string &bytes() const { return screen_.bytes(); }

 private:
  Pty pty_;
  termios before_;
  Screen screen_;
  kernel::Child program_;
};

TEST(ComposeDashboard, ShowsContainersAndFollowsTheTerminalsSize) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "first", "-m", "64m"}, "sleep 1000");
  (void)rig.start({"--name", "second"}, "exit 3");
  EXPECT_EQ(rig.compose({"wait", "second"}).out, "3\n");
  Session session(rig);
  ASSERT_TRUE(session.shows("1 of 2 running")) << session.text();
  ASSERT_TRUE(session.shows("64MiB")) << session.text();
  ASSERT_TRUE(session.shows("exited 3")) << session.text();
  EXPECT_TRUE(session.shows("NAME↓")) << session.text();
  session.resize(10, 30);
  ASSERT_TRUE(session.shows("q quit")) << session.text();
  ASSERT_TRUE(session.shows("first")) << session.text();
  EXPECT_EQ(session.text().find("64MiB"), std::string::npos) << session.text();
  // What comes while it is looked at.
  (void)rig.start({"--name", "third"}, "sleep 1000");
  EXPECT_TRUE(session.shows("third")) << session.text();
  session.type("q");
  EXPECT_EQ(session.end(), 0);
}

TEST(ComposeDashboard, KeysStopAndStartAndAnErrorIsShown) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "c", "--stop-timeout", "0"}, "sleep 1000");
  Session session(rig);
  ASSERT_TRUE(session.shows("running ")) << session.text();
  session.type("s");
  ASSERT_TRUE(session.shows("exited 137")) << session.text();
  session.type("p");
  ASSERT_TRUE(session.shows("skiff-compose: ")) << session.text();
  session.type("S");
  ASSERT_TRUE(session.hides("skiff-compose: ")) << session.text();
  ASSERT_TRUE(session.shows("1 of 1 running")) << session.text();
  ASSERT_TRUE(session.hides("starting")) << session.text();
  session.type("K");
  ASSERT_TRUE(session.shows("Kill c?")) << session.text();
  session.type("y");
  ASSERT_TRUE(session.shows("exited 137")) << session.text();
  session.type("q");
  EXPECT_EQ(session.end(), 0);
}

TEST(ComposeDashboard, FollowsALog) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "c"}, "echo before; while ! test -e /go; do sleep 0.05; done; echo after; sleep 1000");
  Session session(rig);
  ASSERT_TRUE(session.shows("running ")) << session.text();
  session.type("\r");
  ASSERT_TRUE(session.shows("before")) << session.text();
  EXPECT_NE(session.text().find("Memory"), std::string::npos) << session.text();
  EXPECT_EQ(rig.compose({"exec", "c", "touch", "/go"}).code, 0);
  EXPECT_TRUE(session.shows("after")) << session.text();
  session.type("q");
  EXPECT_EQ(session.end(), 0);
}

TEST(ComposeDashboard, GivesTheTerminalToAShellAndTakesItBack) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "c"}, "sleep 1000");
  Session session(rig);
  ASSERT_TRUE(session.shows("running ")) << session.text();
  session.type("e");
  ASSERT_TRUE(session.shows("comes back to the dashboard")) << session.text();
  session.type("echo $((40 + 2))in\r");
  ASSERT_TRUE(session.shows("42in")) << session.text();
  session.type("exit\r");
  ASSERT_TRUE(session.shows("q quit")) << session.text();
  session.type("q");
  EXPECT_EQ(session.end(), 0);
}

TEST(ComposeDashboard, ASignalEndsItWithTheTerminalAsItWas) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    Session session(rig);
    ASSERT_TRUE(session.shows("There is no container.")) << session.text();
    ASSERT_EQ(::kill(-session.pid(), signal), 0);
    EXPECT_EQ(session.end(), 128 + signal);
  }
}

TEST(ComposeDashboard, DrawsWithoutColoursWhereNobodyWantsThem) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "c"}, "sleep 1000");
  Session coloured(rig);
  ASSERT_TRUE(coloured.shows("q quit")) << coloured.text();
  EXPECT_NE(coloured.bytes().find("\x1b[32m"), std::string::npos);
  coloured.type("q");
  EXPECT_EQ(coloured.end(), 0);
  Session plain(rig, {"NO_COLOR=1", "LC_ALL=C"});
  ASSERT_TRUE(plain.shows("q quit")) << plain.text();
  EXPECT_EQ(plain.bytes().find("\x1b[32m"), std::string::npos);
  EXPECT_NE(plain.text().find("NAMEv"), std::string::npos) << plain.text();
  plain.type("q");
  EXPECT_EQ(plain.end(), 0);
}

TEST(ComposeDashboard, SaysWhichTerminalItNeeds) {
  const ComposeRig rig;
  const Outcome piped = rig.compose({"dashboard"});
  EXPECT_EQ(piped.code, 1);
  EXPECT_NE(piped.err.find("it needs a terminal"), std::string::npos) << piped.err;
  const Pty pty = open_pty(24, 80);
  std::vector<std::string> words = {"/usr/bin/env", "TERM=dumb"};
  for (std::string &word : rig.words({"dashboard"})) words.push_back(std::move(word));
  kernel::Child child = start_on(pty, words);
  const std::string said = read_until(pty.master, "set TERM");
  EXPECT_NE(said.find("TERM=dumb: this terminal cannot be drawn on"), std::string::npos) << said;
  EXPECT_EQ(wait_for_code(child), 1);
}

}  // namespace
}  // namespace skiff::rig
