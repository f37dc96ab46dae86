#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "compose/run_flag_table.h"
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
  Outcome compose(const Words &words) {
    Words all = {"/usr/bin/env", std::string("PATH=") + SKIFF_PROGRAM_PATH + ":" + ::getenv("PATH"),
                 SKIFF_COMPOSE_PROGRAM, "--state", rig.path("state")};
    all.insert(all.end(), words.begin(), words.end());
    return run_program(all);
  }
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
  ASSERT_EQ(run({"-d", "--name", "a", "-p", "127.0.0.1::80"}, server).code, 0);
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

TEST_F(ProgramFlags, StopSendsTheSignalAndWaitsSoLong) {
  ASSERT_EQ(run({"-d", "--name", "polite", "--network", "none", "--stop-signal", "USR1", "-v",
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
  with.emplace_back("-i");
  with.insert(with.end(), end.begin(), end.end());
  EXPECT_PRINTS(run_program(with), "typed\n");
  words.insert(words.end(), end.begin(), end.end());
  EXPECT_PRINTS(run_program(words), "");
}

// What no container sees, or sees only through others; where that is tested.
const std::map<std::string, std::string> elsewhere = {
    {"platform", "which image is unpacked: tests/cli/image"},
    {"pull", "when an image is fetched: tests/cli/image"},
    {"quiet", "what the terminal shows of a pull"},
    {"runtime", "needs another runtime on the host"},
    {"label-file", "as --label, whose values run_flags_test compares"},
    {"attach", "what of the container's output the caller sees: the engine's tests"},
    {"detach-keys", "a terminal's: the engine's tests"},
    {"sig-proxy", "signals of the caller: the engine's tests"},
    {"restart", "the supervisor's: restart_policy_test"},
    {"health-cmd", "the supervisor's: health_test"},
    {"health-interval", "the supervisor's: health_test"},
    {"health-timeout", "the supervisor's: health_test"},
    {"health-retries", "the supervisor's: health_test"},
    {"health-start-period", "the supervisor's: health_test"},
    {"health-start-interval", "the supervisor's: health_test"},
    {"no-healthcheck", "the supervisor's: health_test"},
    {"device-write-bps", "as --device-read-bps, with another file of the cgroup"},
    {"device-read-iops", "as --device-write-iops, with another file of the cgroup"},
};

TEST(FlagCoverage, EveryFlagIsSeenInAContainerOrNamedWithItsReason) {
  std::string tests;
  for (const auto &entry : fs::directory_iterator(SKIFF_FLAG_TESTS)) {
    if (entry.path().extension() == ".cc") tests += read_file(entry.path());
  }
  for (const cli::FlagSpec &flag : compose::run_flags) {
    const std::string name(flag.name);
    const bool named = tests.find("\"--" + name + "\"") != std::string::npos ||
                       (flag.letter != 0 && tests.find(std::string("\"-") + flag.letter) != std::string::npos);
    EXPECT_TRUE(flag.hidden || named || elsewhere.contains(name)) << "--" << name;
  }
}

}  // namespace
}  // namespace skiff::rig
