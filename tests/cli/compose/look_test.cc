// ps, logs, inspect, exec, stats, top, port, events: what a container shows.
#include <gtest/gtest.h>
#include <unistd.h>

#include <sstream>

#include "tests/cli/compose/compose_rig.h"

namespace skiff::rig {
namespace {

std::vector<Json> json_lines(const std::string &text) {
  std::vector<Json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(Json::parse(line));
  return lines;
}

TEST(ComposePs, ShowsWhatRunsAndWithAEverything) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "runs", "--label", "a=b"}, "sleep 1000");
  (void)rig.start({"--name", "ended"}, "exit 3");
  EXPECT_EQ(rig.compose({"wait", "ended"}).out, "3\n");
  const std::vector<Json> running = json_lines(rig.compose({"ps", "--format", "json"}).out);
  ASSERT_EQ(running.size(), 1U);
  EXPECT_EQ(running[0]["Names"], "runs");
  EXPECT_EQ(running[0]["Labels"], "a=b");
  const std::vector<Json> all = json_lines(rig.compose({"ps", "-a", "--format", "json"}).out);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0]["Names"], "ended") << "the newest comes first";
  EXPECT_TRUE(std::string(all[0]["Status"]).starts_with("Exited (3)")) << all[0];
  EXPECT_EQ(json_lines(rig.compose({"ps", "-n1", "--format", "json"}).out).size(), 1U);
  EXPECT_EQ(json_lines(rig.compose({"ps", "-a", "-f", "exited=3", "--format", "json"}).out).size(), 1U);
  EXPECT_EQ(json_lines(rig.compose({"ps", "-f", "label=a", "--format", "json"}).out).size(), 1U);
  EXPECT_EQ(rig.compose({"ps", "-f", "nothing=x"}).code, 1);
}

TEST(ComposeLogs, KeepsBothStreamsAndTheirTimes) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "c"}, "echo one; echo two >&2; printf 'no end'");
  EXPECT_EQ(rig.compose({"wait", "c"}).out, "0\n");
  const Outcome logs = rig.compose({"logs", "c"});
  EXPECT_EQ(logs.out, "one\nno end");
  EXPECT_EQ(logs.err, "two\n");
  EXPECT_EQ(rig.compose({"logs", "--tail", "1", "c"}).out, "no end");
  EXPECT_EQ(rig.compose({"logs", "-n0", "c"}).out, "");
  EXPECT_EQ(rig.compose({"logs", "--since", "1h", "c"}).out, "one\nno end");
  EXPECT_EQ(rig.compose({"logs", "--until", "1h", "c"}).out, "");
  EXPECT_EQ(rig.compose({"logs", "-t", "--tail", "1", "c"}).out.substr(4, 1), "-");
}

TEST(ComposeLogs, FollowsUntilTheEnd) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "c"}, "echo first; while ! test -e /go; do sleep 0.05; done; echo last");
  ASSERT_TRUE(rig.wait_for_log("c", "first"));
  const Outcome followed = run_program({"/bin/sh", "-c", R"("$@" logs -f c & "$@" exec c touch /go; wait $!)", "sh",
                                        SKIFF_COMPOSE_PROGRAM, "--state", rig.state()});
  EXPECT_EQ(followed.out, "first\nlast\n") << followed.err;
}

TEST(ComposeLogs, AreRotatedAndReadOverTheirFiles) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "c", "--log-opt", "max-size=10k", "--log-opt", "max-file=3"}, "seq 1 1000");
  EXPECT_EQ(rig.compose({"wait", "c"}).out, "0\n");
  const std::string tail = rig.compose({"logs", "--tail", "200", "c"}).out;
  EXPECT_TRUE(tail.starts_with("801\n")) << tail.substr(0, 20);
  EXPECT_TRUE(tail.ends_with("1000\n"));
}

TEST(ComposeExec, RunsBesideAndEndsWithItsCode) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "c", "-e", "A=container"}, "sleep 1000");
  EXPECT_EQ(rig.compose({"exec", "c", "sh", "-c", "echo $A; exit 3"}).code, 3);
  EXPECT_EQ(rig.compose({"exec", "-e", "A=exec", "c", "sh", "-c", "echo $A"}).out, "exec\n");
  EXPECT_EQ(rig.compose({"exec", "-u", "user", "c", "id", "-u"}).out, "1000\n");
  EXPECT_EQ(rig.compose({"exec", "-w", "/tmp", "c", "sh", "-c", "echo $PWD"}).out, "/tmp\n");
  EXPECT_EQ(rig.compose({"exec", "-i", "c", "cat"}, "through\n").out, "through\n");
  EXPECT_EQ(rig.compose({"exec", "c", "cat"}, "through\n").out, "");
  EXPECT_EQ(rig.compose({"exec", "c", "nothing"}).code, 127);
  EXPECT_EQ(rig.compose({"exec", "c", "/etc/passwd"}).code, 126);
  EXPECT_EQ(rig.compose({"exec", "-u", "nobody-here", "c", "id"}).code, 1);
  EXPECT_EQ(rig.compose({"stop", "-t", "0", "c"}).code, 0);
  EXPECT_EQ(rig.compose({"exec", "c", "true"}).code, 1);
}

TEST(ComposeExec, KeepsItsEnvironmentOffTheDisk) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "c"}, "sleep 1000");
  EXPECT_EQ(rig.compose({"exec", "-e", "SECRET=verysecret", "c", "true"}).code, 0);
  EXPECT_NE(run_program({"/bin/grep", "-rq", "verysecret", rig.state()}).code, 0);
}

TEST(ComposeInspect, HasDockersShape) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  const std::string id = rig.start({"--name", "c", "-m", "64m", "-v", "vol:/data:ro"}, "sleep 1000");
  const Json object = rig.inspect("c");
  EXPECT_EQ(object["Id"], id);
  EXPECT_EQ(object["Name"], "/c");
  EXPECT_EQ(object["State"]["Running"], true);
  EXPECT_EQ(object["State"]["Pid"], rig.run_record("c")["pid"]);
  EXPECT_EQ(object["Config"]["Image"], "busybox");
  EXPECT_EQ(object["HostConfig"]["Memory"], 64 << 20);
  EXPECT_EQ(object["HostConfig"]["NetworkMode"], "none");
  EXPECT_EQ(object["Mounts"][0]["Name"], "vol");
  EXPECT_EQ(object["Mounts"][0]["RW"], false);
}

TEST(ComposeStats, CountsMemoryAndProcesses) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "c"}, "sleep 1000");
  const std::vector<Json> lines = json_lines(rig.compose({"stats", "--no-stream", "--format", "json"}).out);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0]["Name"], "c");
  EXPECT_EQ(lines[0]["PIDs"], "1");
  EXPECT_NE(rig.compose({"top", "c"}).out.find("sleep 1000"), std::string::npos);
  const Json top = Json::parse(rig.compose({"top", "--format", "json", "c"}).out);
  EXPECT_EQ(top["Name"], "c");
  ASSERT_EQ(top["Processes"].size(), 1U);
  EXPECT_EQ(top["Processes"][0].size(), top["Titles"].size());
  EXPECT_EQ(top["Titles"].back(), "CMD");
  EXPECT_TRUE(std::string(top["Processes"][0].back()).ends_with("sleep 1000")) << top;
}

TEST(ComposeDiff, ShowsWhatWasAddedChangedAndDeleted) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "c"}, "echo x > /tmp/new; echo y >> /etc/passwd; rm /data/file");
  EXPECT_EQ(rig.compose({"wait", "c"}).out, "0\n");
  EXPECT_EQ(rig.compose({"diff", "c"}).out, "C /data\nD /data/file\nC /etc\nC /etc/passwd\nC /tmp\nA /tmp/new\n");
  const Json found = Json::parse(rig.compose({"diff", "--format", "json", "c"}).out);
  EXPECT_EQ(found["changed"], Json({"/data", "/etc", "/etc/passwd", "/tmp"}));
  EXPECT_EQ(found["added"], Json({"/tmp/new"}));
  EXPECT_EQ(found["deleted"], Json({"/data/file"}));
}

TEST(ComposeInfo, AndVersionArePrintedForMachinesToo) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "c"}, "sleep 1000");
  const Json info = Json::parse(rig.compose({"info", "-f", "json"}).out);
  EXPECT_EQ(info["ContainersRunning"], 1);
  EXPECT_EQ(info["ContainersStopped"], 0);
  EXPECT_EQ(info["State"], rig.state());
  const std::string number = rig.compose({"version", "--short"}).out;
  EXPECT_EQ(std::string(Json::parse(rig.compose({"version", "--format", "json"}).out)["version"]) + "\n", number);
  EXPECT_EQ(rig.compose({"version"}).out, "skiff-compose version " + number);
}

TEST(ComposeFormat, RefusesATemplateWithWhatToTakeInstead) {
  const Outcome ps = run_program({SKIFF_COMPOSE_PROGRAM, "ps", "--format", "{{.Names}}"});
  EXPECT_EQ(ps.code, 2);
  EXPECT_NE(ps.err.find("table|json"), std::string::npos) << ps.err;
  EXPECT_NE(ps.err.find("Go templates are not understood; take json"), std::string::npos) << ps.err;
}

TEST(ComposeUpdate, ChangesTheLimitsOfWhatRunsAndOfItsNextStart) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "c"}, "sleep 1000");
  EXPECT_EQ(rig.compose({"update", "-m", "32m", "--restart", "on-failure:2", "c"}).out, "c\n");
  EXPECT_EQ(rig.inspect("c")["HostConfig"]["Memory"], 32 << 20);
  EXPECT_EQ(rig.inspect("c")["HostConfig"]["RestartPolicy"]["MaximumRetryCount"], 2);
  const Outcome stats = rig.compose({"stats", "--no-stream", "--format", "json"});
  EXPECT_NE(stats.out.find("/ 32MiB"), std::string::npos) << stats.out;
}

TEST(ComposeEvents, TellWhatHappenedInItsOrder) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "c"}, "exit 2");
  EXPECT_EQ(rig.compose({"wait", "c"}).out, "2\n");
  EXPECT_EQ(rig.compose({"rm", "c"}).code, 0);
  std::string actions;
  for (const Json &event :
       json_lines(rig.compose({"events", "--since", "1h", "--until", "0s", "--format", "json"}).out)) {
    actions += std::string(event["Action"]) + " ";
    if (event["Action"] == "die") {
      EXPECT_EQ(event["Actor"]["Attributes"]["exitCode"], "2");
    }
  }
  EXPECT_EQ(actions, "create start die destroy ");
}

}  // namespace
}  // namespace skiff::rig
