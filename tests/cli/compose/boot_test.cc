// `start --restart-policies`, which systemd calls when the machine has booted.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "tests/cli/compose/compose_rig.h"

namespace skiff::rig {
namespace {

// What the container's files say when the machine went down while it ran, or after somebody had stopped it.
void stage_other_boot(const ComposeRig &rig, const std::string &name, bool stopped) {
  const std::string file = rig.state() + "/containers/" + std::string(rig.inspect(name)["Id"]) + "/run.json";
  Json run = Json::parse(read_file(file));
  ASSERT_EQ(rig.compose({"stop", "-t", "0", name}).code, 0);
  if (stopped) run = Json::parse(read_file(file));
  run["bootId"] = "00000000-0000-0000-0000-000000000000";
  write_file(file, run.dump());
}

std::vector<std::string> sorted_lines(const std::string &text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  std::ranges::sort(lines);
  return lines;
}

TEST(ComposeBoot, PoliciesStartWhatRanAndNotWhatWasStopped) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  using Words = std::vector<std::string>;
  for (const auto &[name, policy, stopped] :
       std::vector<std::tuple<std::string, std::string, bool>>{{"always", "always", false},
                                                               {"always-stopped", "always", true},
                                                               {"unless", "unless-stopped", false},
                                                               {"unless-stopped", "unless-stopped", true},
                                                               {"failure", "on-failure", false},
                                                               {"none", "no", false}}) {
    (void)rig.start({"--name", name, "--restart", policy}, "sleep 1000");
    stage_other_boot(rig, name, stopped);
  }
  (void)rig.start({"--name", "here", "--restart", "always"}, "sleep 1000");
  ASSERT_EQ(rig.compose({"stop", "-t", "0", "here"}).code, 0);
  ASSERT_EQ(
      rig.compose({"create", "--name", "never", "--network", "none", "--restart", "always", "busybox", "true"}).code,
      0);
  EXPECT_EQ(sorted_lines(rig.compose({"--dry-run", "start", "--restart-policies"}).out),
            (Words{"> always  start container", "> always-stopped  start container", "> unless  start container"}));
  const Outcome started = rig.compose({"start", "--restart-policies"});
  EXPECT_EQ(started.code, 0) << started.err;
  EXPECT_EQ(sorted_lines(started.out), (Words{"always", "always-stopped", "unless"}));
  EXPECT_EQ(sorted_lines(rig.compose({"ps", "--format", "table", "-q", "--filter", "status=running"}).out).size(), 3U);
  EXPECT_EQ(rig.inspect("unless")["State"]["Status"], "running");
  EXPECT_EQ(rig.inspect("unless-stopped")["State"]["Status"], "exited");
  // Once is enough.
  EXPECT_EQ(rig.compose({"start", "--restart-policies"}).out, "");
  EXPECT_EQ(rig.compose({"start", "--restart-policies", "always"}).code, 2);
}

TEST(ComposeBoot, OneThatFailsKeepsNobodyElseDown) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  write_file(rig.path("file"), "");
  (void)rig.start({"--name", "broken", "--restart", "always", "-v", rig.path("file") + ":/file"}, "sleep 1000");
  (void)rig.start({"--name", "good", "--restart", "always"}, "sleep 1000");
  stage_other_boot(rig, "broken", false);
  stage_other_boot(rig, "good", false);
  ASSERT_EQ(::unlink(rig.path("file").c_str()), 0);
  const Outcome started = rig.compose({"start", "--restart-policies"});
  EXPECT_EQ(started.code, 1);
  EXPECT_EQ(started.out, "good\n");
  EXPECT_NE(started.err.find("broken"), std::string::npos) << started.err;
}

// They lie on a tmpfs, which the reboot has emptied.
TEST(ComposeBoot, SecretsOfAProjectAreWrittenAgain) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  write_file(rig.path("compose.yaml"),
             "name: p\nservices:\n  a: {image: busybox, network_mode: none, restart: always, secrets: [key],"
             " command: [sleep, '1000']}\nsecrets: {key: {file: ./key}}\n");
  write_file(rig.path("key"), "hunter2\n");
  const std::vector<std::string> file = {"-f", rig.path("compose.yaml"), "--progress", "quiet"};
  const Outcome up = rig.compose({"-f", rig.path("compose.yaml"), "up", "-d"});
  ASSERT_EQ(up.code, 0) << up.err;
  stage_other_boot(rig, "p-a-1", false);
  ASSERT_EQ(run_program({"/bin/rm", "-r", rig.state() + "/run/projects"}).code, 0);
  const Outcome started = rig.compose({"start", "--restart-policies"});
  EXPECT_EQ(started.out, "p-a-1\n") << started.err;
  EXPECT_EQ(rig.compose({"--no-project", "exec", "p-a-1", "cat", "/run/secrets/key"}).out, "hunter2\n");
  EXPECT_EQ(rig.compose({"-p", "p", "down"}).code, 0);
}

}  // namespace
}  // namespace skiff::rig
