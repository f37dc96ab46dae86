// Projects, as their users bring them up and down.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>

#include <filesystem>

#include "tests/cli/compose/project_program.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

TEST_F(ProjectProgram, AShopComesUpInBothLanguagesAndGoesDownWithoutATrace) {
  EngineRig rig;
  make_image(rig);
  for (const std::string file : {"compose.yaml", "compose.ctst"}) {
    const std::string path = std::string(SKIFF_COMPOSE_SHOP) + "/" + file;
    const Outcome up = project(rig, path, {"up", "-d", "--wait", "--wait-timeout", "60"});
    ASSERT_EQ(up.code, 0) << file << ": " << up.err;
    EXPECT_EQ(project(rig, path, {"ps", "--services"}).out, "app\ncache\ndb\nweb\nworker\n");
    EXPECT_EQ(project(rig, path, {"exec", "web", "busybox", "wget", "-qO-", "http://app:8000/"}).out, "app\n");
    EXPECT_NE(project(rig, path, {"plan"}).out.find("Nothing to change."), std::string::npos);
    const Outcome down = project(rig, path, {"down", "-v"});
    EXPECT_EQ(down.code, 0) << down.err;
    expect_nothing_left(rig);
  }
}

TEST_F(ProjectProgram, AServiceThatIsKilledComesBackByItsPolicy) {
  EngineRig rig;
  make_image(rig);
  const std::string file = write_project(
      rig, "  a:\n    <<: *s\n    restart: always\n    network_mode: none\n    volumes: ['" + rig.out() +
               ":/out']\n    entrypoint: [/bin/busybox, sh, -c, 'n=$$(busybox ls /out | busybox wc -l); : >/out/$$n; "
               "exec busybox sleep 1000']\n");
  ASSERT_EQ(project(rig, file, {"up", "-d"}).code, 0);
  ASSERT_TRUE(wait_for_file(rig.out() + "/0"));
  ASSERT_EQ(::kill(rig.inspect("p-a-1")["State"]["Pid"], SIGKILL), 0);
  EXPECT_TRUE(wait_for_file(rig.out() + "/1"));
  EXPECT_EQ(project(rig, file, {"down"}).code, 0);
  expect_nothing_left(rig);
}

TEST_F(ProjectProgram, OnlyWhatHasChangedIsMadeAnew) {
  EngineRig rig;
  make_image(rig);
  const std::string same = "  a: {<<: *s, network_mode: none, command: [sleep, '1000']}\n";
  const std::string file = write_project(rig, same + "  b: {<<: *s, network_mode: none, command: [sleep, '1000']}\n");
  ASSERT_EQ(project(rig, file, {"up", "-d"}).code, 0);
  const std::string a = id_of(rig, "p-a-1");
  const std::string b = id_of(rig, "p-b-1");
  write_project(rig, same + "  b: {<<: *s, network_mode: none, command: [sleep, '1001']}\n");
  EXPECT_NE(project(rig, file, {"plan"}).out.find("~ p-b-1"), std::string::npos);
  const Outcome up = project(rig, file, {"up", "-d"});
  ASSERT_EQ(up.code, 0) << up.err;
  EXPECT_EQ(id_of(rig, "p-a-1"), a);
  EXPECT_NE(id_of(rig, "p-b-1"), b);
  ASSERT_EQ(project(rig, file, {"scale", "a=3"}).code, 0);
  EXPECT_EQ(project(rig, file, {"ps", "-q", "a"}).out.size(), 3U * 13U);
  // Without its file, by what the containers' labels say.
  EXPECT_EQ(rig.compose({"-p", "p", "down"}).code, 0);
  expect_nothing_left(rig);
}

TEST_F(ProjectProgram, AFailureNamesItsServiceAndLeavesAloneWhatDependsOnIt) {
  EngineRig rig;
  make_image(rig);
  const std::string file =
      write_project(rig,
                    "  a: {<<: *s, network_mode: none, entrypoint: [/bin/busybox, sh, -c, 'echo broken; exit 7']}\n"
                    "  b: {<<: *s, network_mode: none, command: [sleep, '1000'],"
                    " depends_on: {a: {condition: service_completed_successfully}}}\n");
  const Outcome up = project(rig, file, {"up", "-d"});
  EXPECT_EQ(up.code, 1);
  EXPECT_NE(up.err.find("service a: container p-a-1 did not complete: it exited (7)"), std::string::npos) << up.err;
  EXPECT_NE(up.err.find("| broken"), std::string::npos) << up.err;
  EXPECT_NE(up.err.find("p-b-1 was left alone: it waits for p-a-1"), std::string::npos) << up.err;
  EXPECT_EQ(project(rig, file, {"down"}).code, 0);
  expect_nothing_left(rig);
}

TEST_F(ProjectProgram, TheOutputOfAllIsShownUntilOneEndsTheWhole) {
  EngineRig rig;
  make_image(rig);
  const std::string file =
      write_project(rig,
                    "  long: {<<: *s, network_mode: none, command: [sleep, '1000']}\n"
                    "  job: {<<: *s, network_mode: none, entrypoint: [/bin/busybox, sh, -c, 'echo done; exit 5']}\n");
  const Outcome up = project(rig, file, {"up", "--exit-code-from", "job"});
  EXPECT_EQ(up.code, 5) << up.err;
  EXPECT_NE(up.out.find("job-1   | done\n"), std::string::npos) << up.out;
  EXPECT_EQ(rig.inspect("p-long-1")["State"]["Status"], "exited");
  EXPECT_EQ(project(rig, file, {"down"}).code, 0);
  expect_nothing_left(rig);
}

TEST_F(ProjectProgram, ACommandRunsInOneMoreContainerOfAService) {
  EngineRig rig;
  make_image(rig);
  const std::string file = write_project(
      rig,
      "  db: {<<: *s, network_mode: none, command: [sleep, '1000']}\n"
      "  web: {<<: *s, network_mode: none, environment: {A: '1'}, depends_on: [db], command: [sleep, '1000']}\n");
  const Outcome run = project(rig, file, {"run", "--rm", "-e", "B=2", "web", "sh", "-c", "busybox echo $A $B; exit 9"});
  EXPECT_EQ(run.code, 9) << run.err;
  EXPECT_EQ(run.out, "1 2\n");
  EXPECT_EQ(project(rig, file, {"ps", "--services"}).out, "db\n");
  EXPECT_EQ(project(rig, file, {"down"}).code, 0);
  expect_nothing_left(rig);
}

// It has no mark yet, only the file that who starts it has made.
TEST_F(ProjectProgram, DownWaitsForASupervisorThatIsJustStarting) {
  EngineRig rig;
  make_image(rig);
  const std::string file = write_project(rig, "  a: {<<: *s, network_mode: none, command: [sleep, '1000']}\n");
  ASSERT_EQ(project(rig, file, {"ps"}).code, 0);
  const std::string claim = rig.state() + "/run/supervisors/project-p";
  fs::create_directories(fs::path(claim).parent_path());
  write_file(claim, "");
  const Outcome down = project(rig, file, {"down"});
  EXPECT_EQ(down.code, 0) << down.err;
  EXPECT_EQ(down.err.find("has not ended"), std::string::npos) << down.err;
  EXPECT_FALSE(fs::exists(claim));
}

TEST_F(ProjectProgram, OfTwoAtOnceTheSecondIsToldWhoIsAtIt) {
  EngineRig rig;
  make_image(rig);
  const std::string file = write_project(rig, "  a: {<<: *s, network_mode: none, command: [sleep, '1000']}\n");
  fs::create_directories(rig.state() + "/projects");
  const std::string lock = rig.state() + "/projects/p.lock";
  const std::string holder = "\"up\" (process " + std::to_string(::getpid()) + ")";
  write_file(lock, holder);
  const kernel::Fd held = kernel::open(lock, O_RDWR).value();
  ASSERT_TRUE(kernel::flock(held, LOCK_EX));
  const Outcome up = project(rig, file, {"up", "-d"});
  EXPECT_EQ(up.code, 1);
  EXPECT_NE(up.err.find("project p: " + holder + " is changing it"), std::string::npos) << up.err;
}

}  // namespace
}  // namespace skiff::rig
