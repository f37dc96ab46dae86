// checkpoint and restore: the same processes before and after, with what they hold.
#include "tests/cli/checkpoint.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/inside.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

// There and back, with all that the rig's config asks for.
void expect_it_goes_on(Rig &rig, Talk &talk, const std::vector<std::string> &flags = {}) {
  const Outcome started = talk.start();
  ASSERT_EQ(started.code, 0) << started.err;
  EXPECT_EQ(talk.say("here"), "1 here\n");
  const Outcome saved = talk.checkpoint(flags);
  ASSERT_EQ(saved.code, 0) << saved.err;
  EXPECT_CLEAN(rig);
  const Outcome restored = talk.restore(flags);
  ASSERT_EQ(restored.code, 0) << restored.err;
  EXPECT_EQ(talk.say("there"), "2 there\n");
  EXPECT_EQ(rig.state()["status"], "running");
  const Outcome inside = rig.skiff({"exec", rig.id(), "echo", "ok"});
  EXPECT_EQ(inside.out, "ok\n") << inside.err;
}

void expect_clean_end(Rig &rig) {
  const Outcome removed = rig.skiff({"delete", "--force", rig.id()});
  EXPECT_EQ(removed.code, 0) << removed.err;
  EXPECT_CLEAN(rig);
}

TEST(Checkpoint, ARestoredContainerGoesOnWhereItWas) {
  REQUIRE_CRIU();
  Rig rig;
  Talk talk(rig);
  expect_it_goes_on(rig, talk);
  expect_clean_end(rig);
}

TEST(Checkpoint, ItMayBeRepeated) {
  REQUIRE_CRIU();
  Rig rig;
  Talk talk(rig);
  ASSERT_EQ(talk.start().code, 0);
  for (int round = 1; round <= 3; ++round) {
    EXPECT_EQ(talk.say("a"), std::to_string(round) + " a\n");
    const Outcome saved = talk.checkpoint();
    ASSERT_EQ(saved.code, 0) << saved.err;
    const Outcome restored = talk.restore();
    ASSERT_EQ(restored.code, 0) << restored.err;
  }
  EXPECT_EQ(talk.say("b"), "4 b\n");
  expect_clean_end(rig);
}

// CRIU has put the container into a time namespace, which has to be that of all its processes.
TEST(Checkpoint, WhatWasExecutedAfterARestoreIsSavedAgain) {
  REQUIRE_CRIU();
  Rig rig;
  Talk talk(rig);
  expect_it_goes_on(rig, talk);
  const Outcome inside = rig.skiff({"exec", rig.id(), "sh", "-c", "sleep 1000 </dev/null >/dev/null 2>&1 & echo $!"});
  ASSERT_EQ(inside.code, 0) << inside.err;
  const Outcome saved = talk.checkpoint();
  ASSERT_EQ(saved.code, 0) << saved.err;
  const Outcome restored = talk.restore();
  ASSERT_EQ(restored.code, 0) << restored.err;
  EXPECT_EQ(talk.say("again"), "3 again\n");
  const std::string pid = inside.out.substr(0, inside.out.find('\n'));
  EXPECT_EQ(rig.skiff({"exec", rig.id(), "test", "-d", "/proc/" + pid}).code, 0);
  expect_clean_end(rig);
}

TEST(Checkpoint, WithLeaveRunningTheContainerStays) {
  REQUIRE_CRIU();
  Rig rig;
  Talk talk(rig);
  ASSERT_EQ(talk.start().code, 0);
  const Outcome saved = talk.checkpoint({"--leave-running"});
  ASSERT_EQ(saved.code, 0) << saved.err;
  EXPECT_EQ(rig.state()["status"], "running");
  EXPECT_EQ(talk.say("still"), "1 still\n");
  expect_clean_end(rig);
}

TEST(Checkpoint, APausedContainerCanBeSaved) {
  REQUIRE_CRIU();
  Rig rig;
  Talk talk(rig);
  ASSERT_EQ(talk.start().code, 0);
  ASSERT_EQ(rig.skiff({"pause", rig.id()}).code, 0);
  const Outcome saved = talk.checkpoint();
  ASSERT_EQ(saved.code, 0) << saved.err;
  EXPECT_CLEAN(rig);
  const Outcome restored = talk.restore();
  ASSERT_EQ(restored.code, 0) << restored.err;
  EXPECT_EQ(talk.say("awake"), "1 awake\n");
  expect_clean_end(rig);
}

TEST(Checkpoint, BindsOfEveryKindAreMountedAgain) {
  REQUIRE_CRIU();
  Rig rig;
  fs::create_directories(rig.path("outer"));
  fs::create_directories(rig.path("inner"));
  write_file(rig.path("inner") + "/name", "inner");
  write_file(rig.path("file"), "file");
  fs::create_directories(rig.rootfs() + "/real");
  fs::create_symlink("/real", rig.rootfs() + "/link");
  add_mount(rig, "/outer", "bind", rig.path("outer"), {"bind"});
  add_mount(rig, "/outer/deep/inner", "bind", rig.path("inner"), {"bind", "ro"});
  add_mount(rig, "/link", "bind", rig.path("inner"), {"rbind"});
  add_mount(rig, "/etc/file", "bind", rig.path("file"), {"bind"});
  add_mount(rig, "/run", "tmpfs", "tmpfs", {});
  add_mount(rig, "/run/below/tmpfs", "bind", rig.path("inner"), {"bind"});
  Talk talk(rig);
  expect_it_goes_on(rig, talk);
  const Outcome seen = rig.skiff(
      {"exec", rig.id(), "cat", "/outer/deep/inner/name", "/real/name", "/etc/file", "/run/below/tmpfs/name"});
  EXPECT_EQ(seen.out, "innerinnerfileinner") << seen.err;
  EXPECT_NE(rig.skiff({"exec", rig.id(), "touch", "/outer/deep/inner/new"}).code, 0);
  expect_clean_end(rig);
}

// Another rootfs has none of the places that the first create has made.
TEST(Checkpoint, AnotherRootfsGetsItsMountPoints) {
  REQUIRE_CRIU();
  Rig rig;
  fs::create_directories(rig.path("source"));
  add_mount(rig, "/new/place", "bind", rig.path("source"), {"bind"});
  add_mount(rig, "/new/memory", "tmpfs", "tmpfs", {});
  fs::copy(rig.rootfs(), rig.path("other"), fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  Talk talk(rig);
  ASSERT_EQ(talk.start().code, 0);
  const Outcome saved = talk.checkpoint();
  ASSERT_EQ(saved.code, 0) << saved.err;
  rig.config["root"]["path"] = rig.path("other");
  ASSERT_FALSE(fs::exists(rig.path("other") + "/new"));
  const Outcome restored = talk.restore();
  ASSERT_EQ(restored.code, 0) << restored.err;
  EXPECT_EQ(rig.state()["rootfs"], rig.path("other"));
  ASSERT_EQ(rig.skiff({"exec", rig.id(), "touch", "/new/place/made"}).code, 0);
  EXPECT_TRUE(fs::exists(rig.path("source") + "/made"));
  expect_clean_end(rig);
}

TEST(Checkpoint, MaskedPathsStayMasked) {
  REQUIRE_CRIU();
  Rig rig;
  write_file(rig.rootfs() + "/secret", "secret");
  fs::create_directories(rig.rootfs() + "/hidden/below");
  rig.config["linux"]["maskedPaths"] = {"/secret", "/hidden", "/proc/acpi", "/not/there", "/proc/timer_list"};
  Talk talk(rig);
  expect_it_goes_on(rig, talk);
  const Outcome seen = rig.skiff({"exec", rig.id(), "sh", "-c", "cat /secret; ls /hidden"});
  EXPECT_EQ(seen.code, 0) << seen.err;
  EXPECT_EQ(seen.out, "");
  expect_clean_end(rig);
}

TEST(Checkpoint, LimitsAreThoseOfTheConfiguration) {
  REQUIRE_CRIU();
  Rig rig;
  rig.config["linux"]["resources"]["pids"] = {{"limit", 7}};
  Talk talk(rig);
  ASSERT_EQ(talk.start().code, 0);
  ASSERT_EQ(talk.checkpoint().code, 0);
  rig.config["linux"]["resources"]["pids"] = {{"limit", 9}};
  const Outcome restored = talk.restore({"--manage-cgroups-mode", "ignore"});
  ASSERT_EQ(restored.code, 0) << restored.err;
  const Outcome stats = rig.skiff({"events", "--stats", rig.id()});
  EXPECT_NE(stats.out.find(R"("limit":9)"), std::string::npos) << stats.out;
  expect_clean_end(rig);
}

TEST(Checkpoint, UserAndTimeNamespacesAreMadeAgain) {
  REQUIRE_CRIU();
  Rig rig;
  add_user_namespace(rig);
  namespace_entry(rig, "time");
  rig.config["linux"]["timeOffsets"]["monotonic"]["secs"] = 5000;
  Talk talk(rig);
  expect_it_goes_on(rig, talk);
  const std::string pid = std::to_string(rig.state()["pid"].get<int>());
  EXPECT_NE(read_file("/proc/" + pid + "/uid_map").find(std::to_string(first_mapped_id)), std::string::npos);
  EXPECT_NE(namespace_link(pid, "time"), namespace_link("self", "time"));
  expect_clean_end(rig);
}

TEST(Checkpoint, ANetworkNamespaceByPathIsTheOneThatIsThere) {
  REQUIRE_CRIU();
  Rig rig;
  kernel::Pipe ends = kernel::pipe2().value();
  kernel::Child holder = kernel::clone3({.flags = CLONE_NEWNET}).value();
  if (holder.is_this_process()) {
    char byte = 0;
    ends.write.reset();
    (void)kernel::read_some(ends.read, {&byte, 1});
    _exit(0);
  }
  const std::string pid = std::to_string(holder.pid());
  namespace_entry(rig, "network")["path"] = "/proc/" + pid + "/ns/net";
  Talk talk(rig);
  expect_it_goes_on(rig, talk);
  EXPECT_EQ(namespace_link(std::to_string(rig.state()["pid"].get<int>()), "net"), namespace_link(pid, "net"));
  expect_clean_end(rig);
}

TEST(Checkpoint, TheLoopbackOfANewNetworkNamespaceIsUp) {
  REQUIRE_CRIU();
  Rig rig;
  Talk talk(rig);
  expect_it_goes_on(rig, talk);
  const Outcome links = rig.skiff({"exec", rig.id(), "ip", "address", "show", "lo"});
  EXPECT_NE(links.out.find("inet 127.0.0.1/8"), std::string::npos) << links.out;
  expect_clean_end(rig);
}

TEST(Checkpoint, RestoreRunsTheRuntimesHooks) {
  REQUIRE_CRIU();
  Rig rig;
  const std::string said = rig.path("said");
  rig.config["hooks"]["createRuntime"] = {{{"path", "/bin/sh"}, {"args", {"sh", "-c", "cat >" + said}}}};
  rig.config["hooks"]["poststop"] = {{{"path", "/bin/sh"}, {"args", {"sh", "-c", "cat >" + said + ".after"}}}};
  Talk talk(rig);
  ASSERT_EQ(talk.start().code, 0);
  ASSERT_EQ(talk.checkpoint().code, 0);
  EXPECT_EQ(Json::parse(read_file(said + ".after"))["status"], "stopped");
  fs::remove(said);
  const Outcome restored = talk.restore();
  ASSERT_EQ(restored.code, 0) << restored.err;
  const Json state = Json::parse(read_file(said));
  EXPECT_EQ(state["id"], rig.id());
  EXPECT_EQ(state["pid"], rig.state()["pid"]);
  expect_clean_end(rig);
}

TEST(Checkpoint, AHookThatFailsLeavesNothing) {
  REQUIRE_CRIU();
  Rig rig;
  Talk talk(rig);
  ASSERT_EQ(talk.start().code, 0);
  ASSERT_EQ(talk.checkpoint().code, 0);
  rig.config["hooks"]["createRuntime"] = {{{"path", "/bin/false"}}};
  const Outcome restored = talk.restore();
  EXPECT_EQ(restored.code, 1);
  EXPECT_NE(restored.err.find("hooks.createRuntime[0] (/bin/false)"), std::string::npos) << restored.err;
  EXPECT_CLEAN(rig);
}

TEST(Checkpoint, ATerminalComesByTheConsoleSocket) {
  REQUIRE_CRIU();
  Rig rig;
  rig.config["process"]["terminal"] = true;
  Talk talk(rig);
  ConsoleSocket first(rig.path("first"));
  ASSERT_EQ(talk.start({"--console-socket", rig.path("first")}).code, 0);
  {
    const kernel::Fd master = first.receive();
    ASSERT_TRUE(kernel::write_all(master, "one\n"));
    EXPECT_NE(read_until(master, "1 one").find("1 one"), std::string::npos);
    const Outcome saved = talk.checkpoint();
    ASSERT_EQ(saved.code, 0) << saved.err;
  }
  ConsoleSocket second(rig.path("second"));
  const Outcome restored = talk.restore({"--console-socket", rig.path("second")});
  ASSERT_EQ(restored.code, 0) << restored.err;
  const kernel::Fd master = second.receive();
  ASSERT_TRUE(kernel::write_all(master, "two\n"));
  EXPECT_NE(read_until(master, "2 two").find("2 two"), std::string::npos);
  expect_clean_end(rig);
}

TEST(Checkpoint, ThePidFileNamesTheRestoredInit) {
  REQUIRE_CRIU();
  Rig rig;
  Talk talk(rig);
  ASSERT_EQ(talk.start().code, 0);
  ASSERT_EQ(talk.checkpoint({"--work-path", rig.path("work")}).code, 0);
  EXPECT_TRUE(fs::exists(rig.path("work") + "/dump.log"));
  const Outcome restored = talk.restore({"--pid-file", rig.path("pid"), "--work-path", rig.path("work")});
  ASSERT_EQ(restored.code, 0) << restored.err;
  EXPECT_EQ(read_file(rig.path("pid")), std::to_string(rig.state()["pid"].get<int>()));
  EXPECT_TRUE(fs::exists(rig.path("work") + "/restore.log"));
  expect_clean_end(rig);
}

TEST(Checkpoint, MemoryIsSavedInRounds) {
  REQUIRE_CRIU("mem_dirty_track");
  Rig rig;
  Talk talk(rig);
  ASSERT_EQ(talk.start().code, 0);
  for (const char *round : {"first", "second"}) {
    std::vector<std::string> words = {"--criu",     criu_program(), "checkpoint",
                                      "--pre-dump", "--image-path", rig.path(round)};
    if (std::string(round) == "second") words.insert(words.end(), {"--parent-path", "../first"});
    words.push_back(rig.id());
    const Outcome saved = rig.skiff(words);
    ASSERT_EQ(saved.code, 0) << saved.err;
    EXPECT_EQ(rig.state()["status"], "running");
  }
  const Outcome saved = talk.checkpoint({"--parent-path", "../second"});
  ASSERT_EQ(saved.code, 0) << saved.err;
  EXPECT_TRUE(fs::exists(rig.path("images") + "/parent"));
  const Outcome restored = talk.restore();
  ASSERT_EQ(restored.code, 0) << restored.err;
  EXPECT_EQ(talk.say("on"), "1 on\n");
  expect_clean_end(rig);
}

TEST(Checkpoint, SettingsForCriuComeByTheAnnotation) {
  REQUIRE_CRIU();
  Rig rig;
  write_file(rig.path("criu.conf"), "log-file=mine.log\n");
  rig.config["annotations"]["org.criu.config"] = rig.path("criu.conf");
  Talk talk(rig);
  expect_it_goes_on(rig, talk);
  EXPECT_TRUE(fs::exists(rig.path("images") + "/mine.log"));
  EXPECT_FALSE(fs::exists(rig.path("images") + "/dump.log"));
  expect_clean_end(rig);
}

// In the foreground the command ends as the program does.
TEST(Checkpoint, RestoreInTheForegroundHasTheProgramsExitCode) {
  REQUIRE_CRIU();
  Rig rig;
  Talk talk(rig);
  rig.script("read line; exit 7");
  ASSERT_EQ(talk.start().code, 0);
  const Outcome saved = talk.checkpoint();
  ASSERT_EQ(saved.code, 0) << saved.err;
  talk.tell("go");
  const Outcome restored = talk.restore_and_stay();
  EXPECT_EQ(restored.code, 7) << restored.err;
  EXPECT_CLEAN(rig);
}

// ---- what cannot be ----

TEST(Checkpoint, AFailureHasTheLinesOfTheLogAndItsPath) {
  REQUIRE_CRIU();
  Rig rig;
  // A file of the host, which CRIU cannot find in the container.
  rig.script("exec sleep 1000");
  const kernel::Fd file = kernel::open(rig.path("out"), O_WRONLY | O_CREAT, 0600).value();
  kernel::Child started = start_program(command_line(rig, {"run", "--detach", rig.id()}), {file, file, file});
  ASSERT_EQ(wait_for_code(started), 0);
  const Outcome saved =
      rig.skiff({"--criu", criu_program(), "checkpoint", "--image-path", rig.path("images"), rig.id()});
  EXPECT_EQ(saved.code, 1);
  EXPECT_NE(saved.err.find("criu failed: dump: "), std::string::npos) << saved.err;
  EXPECT_NE(saved.err.find("Error (criu/"), std::string::npos) << saved.err;
  EXPECT_NE(saved.err.find("path=" + rig.path("out")), std::string::npos) << saved.err;
  EXPECT_NE(saved.err.find("see " + rig.path("images") + "/dump.log"), std::string::npos) << saved.err;
  EXPECT_EQ(rig.state()["status"], "running");
  expect_clean_end(rig);
}

TEST(Checkpoint, ImagesThatAreNoneLeaveNothing) {
  REQUIRE_CRIU();
  Rig rig;
  fs::create_directories(rig.path("images"));
  const Outcome restored =
      rig.skiff({"--criu", criu_program(), "restore", "--image-path", rig.path("images"), rig.id()});
  EXPECT_EQ(restored.code, 1);
  EXPECT_NE(restored.err.find("criu failed: restore"), std::string::npos) << restored.err;
  EXPECT_CLEAN(rig);
}

TEST(Checkpoint, WithoutCriuThePackageIsNamed) {
  REQUIRE_ROOT();
  Rig rig;
  rig.start_waiting();
  const Outcome saved =
      rig.skiff({"--criu", rig.path("nowhere"), "checkpoint", "--image-path", rig.path("images"), rig.id()});
  EXPECT_EQ(saved.code, 1);
  EXPECT_NE(saved.err.find("install the package criu"), std::string::npos) << saved.err;
  EXPECT_EQ(rig.state()["status"], "running");
  expect_clean_end(rig);
  fs::create_directories(rig.path("images"));
  const Outcome restored =
      rig.skiff({"--criu", rig.path("nowhere"), "restore", "--image-path", rig.path("images"), rig.id()});
  EXPECT_EQ(restored.code, 1);
  EXPECT_NE(restored.err.find("install the package criu"), std::string::npos) << restored.err;
  EXPECT_CLEAN(rig);
}

TEST(Checkpoint, ACriuThatEndsWithoutAWordIsAnError) {
  REQUIRE_ROOT();
  Rig rig;
  rig.start_waiting();
  const Outcome saved = rig.skiff({"--criu", "/bin/true", "checkpoint", "--image-path", rig.path("images"), rig.id()});
  EXPECT_EQ(saved.code, 1);
  EXPECT_NE(saved.err.find("criu ended without an answer"), std::string::npos) << saved.err;
  EXPECT_EQ(rig.state()["status"], "running");
}

TEST(Checkpoint, OnlyWhatRunsCanBeSaved) {
  REQUIRE_ROOT();
  Rig rig;
  ASSERT_EQ(rig.skiff({"create", rig.id()}).code, 0);
  const Outcome created = rig.skiff({"checkpoint", rig.id()});
  EXPECT_EQ(created.code, 1);
  EXPECT_NE(created.err.find("a created container cannot be checkpointed"), std::string::npos) << created.err;
  ASSERT_EQ(rig.skiff({"kill", rig.id(), "KILL"}).code, 0);
  EXPECT_EQ(rig.skiff({"checkpoint", rig.id()}).code, 1);
}

TEST(Checkpoint, FlagsThatCannotBeAreErrorsThatNameThem) {
  REQUIRE_ROOT();
  Rig rig;
  rig.start_waiting();
  const auto refused = [&](const std::vector<std::string> &flags) {
    std::vector<std::string> words = {"checkpoint", "--image-path", rig.path("images")};
    words.insert(words.end(), flags.begin(), flags.end());
    words.push_back(rig.id());
    const Outcome outcome = rig.skiff(words);
    EXPECT_EQ(outcome.code, 1);
    EXPECT_NE(outcome.err.find(flags.front()), std::string::npos) << outcome.err;
  };
  refused({"--parent-path", "/absolute"});
  refused({"--parent-path", "not/there"});
  refused({"--page-server", "nowhere"});
  refused({"--page-server", "127.0.0.1:70000"});
  refused({"--status-fd", "99"});
  refused({"--manage-cgroups-mode", "some"});
  refused({"--network-lock", "some"});
  refused({"--empty-ns", "pid"});
}

}  // namespace
}  // namespace skiff::rig
