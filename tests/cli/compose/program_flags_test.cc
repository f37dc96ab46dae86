#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "compose/run_flag_table.h"
#include "tests/cli/background.h"
#include "tests/cli/compose/flag_rig.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

// skiff-compose itself: what its flags do with networks, names and the container's life.
class ProgramFlags : public ::testing::Test {
 protected:
  void SetUp() override { REQUIRE_ROOT(); }
  void TearDown() override {
    if (::geteuid() != 0) return;
    std::istringstream left(compose({"ps", "-aq"}).out);
    for (std::string id; left >> id;) EXPECT_EQ(compose({"rm", "-f", id}).code, 0);
    EXPECT_EQ(compose({"network", "prune", "-f"}).code, 0);
    EXPECT_EQ(rig.rig().leftovers(), Words());
  }

  // Its state is the test's own. The other programs lie elsewhere in a build.
  [[nodiscard]] Words words_of(const Words &words) const {
    Words all = {"/usr/bin/env", std::string("PATH=") + SKIFF_PROGRAM_PATH + ":" + ::getenv("PATH"),
                 SKIFF_COMPOSE_PROGRAM, "--state", rig.path("state")};
    all.insert(all.end(), words.begin(), words.end());
    return all;
  }
  Outcome compose(const Words &words) { return run_program(words_of(words)); }
  Outcome run(Words flags, const std::string &script) {
    flags.insert(flags.begin(), "run");
    flags.insert(flags.end(), {"--rootfs", rig.rig().rootfs(), "sh", "-c", script});
    return compose(flags);
  }
  // The container's object of `inspect`.
  Json inspect(const std::string &name) { return Json::parse(compose({"inspect", name}).out).at(0); }

  FlagRig rig;
};

TEST_F(ProgramFlags, ANetworkGivesAnAddressAndNames) {
  ASSERT_EQ(compose({"network", "create", "--subnet", "10.213.7.0/24", "flags"}).code, 0);
  EXPECT_PRINTS(run({"--rm", "--network", "flags", "--ip", "10.213.7.77", "--mac-address", "02:42:0a:d5:07:4d"},
                    "ip -4 -o addr show eth0 | tr -s ' ' | cut -d' ' -f4; cat /sys/class/net/eth0/address"),
                "10.213.7.77/24\n02:42:0a:d5:07:4d\n");
  EXPECT_EQ(run({"-d", "--name", "server", "--network", "flags", "--network-alias", "other"}, "sleep 1000").code, 0);
  EXPECT_PRINTS(run({"--rm", "--network", "name=flags,ip=10.213.7.78"},
                    "for name in server other; do busybox nslookup $name | grep -c '10.213.7'; done | sort -u | wc -l; "
                    "busybox nslookup other >/dev/null && echo found"),
                "1\nfound\n");
  EXPECT_PRINTS(run({"--rm", "--network", "container:server"}, "ip -4 -o addr show eth0 | grep -c 10.213.7"), "1\n");
}

TEST_F(ProgramFlags, Ip6IsTheContainersAddress) {
  ASSERT_EQ(
      compose({"network", "create", "--ipv6", "--subnet", "fd00:5b1f::/64", "--subnet", "10.213.8.0/24", "six"}).code,
      0);
  const Outcome outcome = run({"--rm", "--network", "six", "--ip6", "fd00:5b1f::99"}, "ip -6 -o addr show eth0");
  EXPECT_NE(outcome.out.find("fd00:5b1f::99/64"), std::string::npos) << outcome.out << outcome.err;
}

TEST_F(ProgramFlags, NamesAreInTheFilesThatResolveThem) {
  EXPECT_PRINTS(run({"--rm", "--network", "none", "--dns", "10.9.8.7", "--dns-search", "example.org", "--dns-option",
                     "ndots:3", "--add-host", "db:10.0.0.5", "-h", "box"},
                    "cat /etc/resolv.conf; grep -e db -e box /etc/hosts | tr -s '\\t' ' '; cat /etc/hostname"),
                "search example.org\nnameserver 10.9.8.7\noptions ndots:3\n10.0.0.5 db\nbox\n");
}

TEST_F(ProgramFlags, APublishedPortAnswersOnTheHost) {
  const std::string server = "echo hello > /tmp/index.html; exec busybox httpd -f -p 80 -h /tmp";
  const auto ask = [&](const std::string &address) {
    return run_program({"/usr/bin/python3", "-c",
                        "import sys, time, urllib.request\n"
                        "end = time.monotonic() + 20\n"
                        "while True:\n"
                        "  try: print(urllib.request.urlopen('http://" +
                            address +
                            "/index.html', timeout=5).read().decode(), end=''); break\n"
                            "  except OSError:\n"
                            "    if time.monotonic() > end: raise\n"});
  };
  if (!fs::exists("/usr/bin/python3")) GTEST_SKIP() << "needs python3";
  ASSERT_EQ(run({"-d", "--name", "a", "--publish", "127.0.0.1::80"}, server).code, 0);
  const std::string port = inspect("a").at("NetworkSettings").at("Ports").at("80/tcp").at(0).at("HostPort");
  EXPECT_PRINTS(ask("127.0.0.1:" + port), "hello\n");
  ASSERT_EQ(run({"-d", "--name", "b", "--expose", "80", "--publish-all"}, server).code, 0);
  const std::string other = inspect("b").at("NetworkSettings").at("Ports").at("80/tcp").at(0).at("HostPort");
  EXPECT_PRINTS(ask("127.0.0.1:" + other), "hello\n");
}

TEST_F(ProgramFlags, VolumesFromAreAnotherContainersVolumes) {
  ASSERT_EQ(
      run({"-d", "--name", "owner", "--network", "none", "-v", "/data"}, "echo kept > /data/file; sleep 1000").code, 0);
  EXPECT_PRINTS(run({"--rm", "--network", "none", "--volumes-from", "owner:ro"},
                    "until test -s /data/file; do :; done; cat /data/file; touch /data/x 2>/dev/null || echo refused"),
                "kept\nrefused\n");
}

TEST_F(ProgramFlags, RmLeavesNothingAndWithoutItTheContainerStays) {
  EXPECT_EQ(run({"--rm", "--network", "none"}, "exit 4").code, 4);
  EXPECT_EQ(compose({"ps", "-aq"}).out, "");
  EXPECT_EQ(
      run({"--name", "stays", "--network", "none", "--label", "tier=back", "--cidfile", rig.path("cid")}, "true").code,
      0);
  EXPECT_EQ(compose({"ps", "-aq", "--no-trunc", "--filter", "label=tier=back"}).out, read_file(rig.path("cid")) + "\n");
  EXPECT_EQ(inspect("stays").at("Config").at("Labels").at("tier"), "back");
}

TEST_F(ProgramFlags, LabelsMayComeFromAFile) {
  write_file(rig.path("labels"), "tier=back\nplain\n");
  EXPECT_EQ(run({"--name", "c", "--network", "none", "--label-file", rig.path("labels")}, "true").code, 0);
  EXPECT_EQ(inspect("c").at("Config").at("Labels").at("tier"), "back");
  EXPECT_EQ(inspect("c").at("Config").at("Labels").at("plain"), "");
}

TEST_F(ProgramFlags, AttachShowsTheNamedStreamAlone) {
  const Outcome out = run({"--rm", "--network", "none", "--attach", "stdout"}, "echo out; echo err >&2");
  EXPECT_EQ(out.out, "out\n");
}

// The signal comes to the program, or ends us alone.
TEST_F(ProgramFlags, SignalsAreHandedOnUnlessTheyAreOurOwn) {
  const std::string out = rig.directory("signals");
  const auto with = [&](const std::string &flag) {
    fs::remove(out + "/ready");
    kernel::Child child = start_quietly(
        words_of({"run", "--network", "none", "-v", out + ":/out", flag, "--rootfs", rig.rig().rootfs(), "sh", "-c",
                  "trap 'touch /out/told; exit 9' TERM; touch /out/ready; "
                  "while :; do sleep 1000 & wait $!; done"}));
    EXPECT_TRUE(wait_for_file(out + "/ready"));
    EXPECT_TRUE(kernel::pidfd_send_signal(child.pidfd(), SIGTERM));
    return wait_for_code(child);
  };
  EXPECT_EQ(with("--sig-proxy=false"), 128 + SIGTERM);
  EXPECT_FALSE(fs::exists(out + "/told"));
  EXPECT_EQ(with("--sig-proxy=true"), 9);
  EXPECT_TRUE(fs::exists(out + "/told"));
}

TEST_F(ProgramFlags, KeysLeaveItRunning) {
  const kernel::Fd ours(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_EQ(::grantpt(ours.get()) + ::unlockpt(ours.get()), 0);
  const kernel::Fd its(::open(::ptsname(ours.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
  kernel::Child child = start_program(
      words_of({"run", "-i", "-t", "--name", "c", "--network", "none", "--detach-keys", "ctrl-x,q", "--rootfs",
                rig.rig().rootfs(), "sh", "-c", "echo ready; read word; echo got $word; sleep 1000"}),
      {its, its, its});
  EXPECT_NE(read_until(ours, "ready").find("ready"), std::string::npos);
  ASSERT_TRUE(kernel::write_all(ours, "typed\n"));
  EXPECT_NE(read_until(ours, "got typed").find("got typed"), std::string::npos);
  ASSERT_TRUE(kernel::write_all(ours, "\x18q"));
  EXPECT_EQ(wait_for_code(child), 0);
  EXPECT_EQ(inspect("c").at("State").at("Status"), "running");
}

TEST_F(ProgramFlags, StopSendsTheSignalAndWaitsSoLong) {
  ASSERT_EQ(run({"--detach", "--name", "polite", "--network", "none", "--stop-signal", "USR1", "-v",
                 rig.directory("share") + ":/share"},
                "trap 'echo usr1 > /share/got; exit 0' USR1; touch /share/ready; while :; do sleep 1 & wait $!; done")
                .code,
            0);
  ASSERT_TRUE(wait_for_file(rig.path("share/ready")));
  EXPECT_EQ(compose({"stop", "polite"}).code, 0);
  EXPECT_EQ(read_file(rig.path("share/got")), "usr1\n");
  ASSERT_EQ(run({"-d", "--name", "deaf", "--network", "none", "--stop-timeout", "0"},
                "trap '' TERM; while :; do sleep 1; done")
                .code,
            0);
  EXPECT_EQ(compose({"stop", "deaf"}).code, 0);
  EXPECT_EQ(inspect("deaf").at("State").at("ExitCode"), 137);
}

TEST_F(ProgramFlags, LogsAreKeptAsTheFlagsSay) {
  ASSERT_EQ(run({"--name", "none", "--network", "none", "--log-driver", "none"}, "echo text").code, 0);
  EXPECT_EQ(compose({"logs", "none"}).out.find("text"), std::string::npos);
  ASSERT_EQ(run({"--name", "small", "--network", "none", "--log-opt", "max-size=1k", "--log-opt", "max-file=1"},
                "seq 1 30000 | sed 's/^/line /'")
                .code,
            0);
  const std::string kept = compose({"logs", "small"}).out;
  EXPECT_NE(kept.find("line 30000\n"), std::string::npos);
  EXPECT_EQ(kept.find("line 1\n"), std::string::npos);
}

TEST_F(ProgramFlags, InteractiveReadsStandardInput) {
  Words words = {"/bin/sh",
                 "-c",
                 "echo typed | exec \"$@\"",
                 "sh",
                 "/usr/bin/env",
                 std::string("PATH=") + SKIFF_PROGRAM_PATH + ":" + ::getenv("PATH"),
                 SKIFF_COMPOSE_PROGRAM,
                 "--state",
                 rig.path("state"),
                 "run",
                 "--rm",
                 "--network",
                 "none"};
  const Words end = {"--rootfs", rig.rig().rootfs(), "cat"};
  Words with = words;
  with.emplace_back("--interactive");
  with.insert(with.end(), end.begin(), end.end());
  EXPECT_PRINTS(run_program(with), "typed\n");
  words.insert(words.end(), end.begin(), end.end());
  EXPECT_PRINTS(run_program(words), "");
}

TEST_F(ProgramFlags, ARuntimeThatSkiffIsNoStandInForIsRefused) {
  const Outcome kata = run({"--rm", "--network", "none", "--runtime", "kata"}, "echo runs");
  EXPECT_EQ(kata.code, 125);
  EXPECT_NE(kata.err.find("runtime kata: containers of skiff-compose are run by skiff alone"), std::string::npos)
      << kata.err;
  EXPECT_PRINTS(run({"--rm", "--network", "none", "--runtime", "runc"}, "echo runs"), "runs\n");
}

// The flags' own tests, each from its name to the next one's.
std::vector<std::string> flag_tests() {
  std::vector<std::string> tests;
  for (const auto &entry : fs::directory_iterator(SKIFF_FLAG_TESTS)) {
    if (entry.path().extension() != ".cc") continue;
    const std::string text = read_file(entry.path());
    for (std::size_t at = text.find("\nTEST"); at != std::string::npos;) {
      const std::size_t next = text.find("\nTEST", at + 1);
      tests.push_back(text.substr(at, next - at));
      at = next;
    }
  }
  return tests;
}

// By its whole name, since a letter may be another program's flag, in a test that expects something of a container.
TEST(FlagCoverage, EveryFlagOfRunHasATestThatNamesItAndLooksAtItsEffect) {
  const std::vector<std::string> tests = flag_tests();
  for (const cli::FlagSpec &flag : compose::run_flags) {
    const std::string name = "\"--" + std::string(flag.name);
    const bool tested = std::ranges::any_of(tests, [&](const std::string &test) {
      const bool names = test.find(name + "\"") != std::string::npos || test.find(name + "=") != std::string::npos;
      const bool runs = test.find("run") != std::string::npos;
      return names && runs && (test.find("EXPECT_") != std::string::npos || test.find("ASSERT_") != std::string::npos);
    });
    EXPECT_TRUE(flag.hidden || tested) << name;
  }
}

}  // namespace
}  // namespace skiff::rig
