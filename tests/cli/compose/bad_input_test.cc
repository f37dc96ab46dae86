// What goes wrong in a project: the error has its place and its remedy, and `down` removes whatever was made.
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include <filesystem>

#include "runtime/kernel/fd.h"
#include "tests/cli/background.h"
#include "tests/cli/compose/project_program.h"

namespace skiff::rig {
namespace {

class BadInput : public ProjectProgram {
 protected:
  static void down(EngineRig &rig, const std::string &file) {
    const Outcome down = project(rig, file, {"down", "-v", "-t", "0"});
    EXPECT_EQ(down.code, 0) << down.err;
    expect_nothing_left(rig);
  }
  // `config` and `up` say the same, and nothing is made.
  static void expect_finding(const std::string &text, const std::vector<std::string> &wanted) {
    EngineRig rig;
    write_file(rig.path("compose.yaml"), text);
    for (const char *verb : {"config", "up"}) {
      const Outcome outcome = project(rig, rig.path("compose.yaml"), {verb});
      EXPECT_EQ(outcome.code, 2) << verb << outcome.err;
      for (const std::string &one : wanted) {
        EXPECT_NE(outcome.err.find(one), std::string::npos) << verb << ": " << one << " is not in:\n" << outcome.err;
      }
    }
    expect_nothing_left(rig);
  }
};

TEST_F(BadInput, AYamlErrorHasItsPlace) {
  expect_finding("services:\n  web:\n    image: [a\n    command: b\n",
                 {"compose.yaml:5:1: flow sequence without a closing bracket"});
  expect_finding("services:\n  web:\n\timage: a\n", {"compose.yaml:3:"});
}

TEST_F(BadInput, AnUnknownKeyHasItsPlaceAndTheNearOne) {
  expect_finding("services:\n  web:\n    image: a\n    comand: b\n",
                 {"compose.yaml:4:5", "comand", "did you mean command?"});
}

TEST_F(BadInput, AMissingVariableHasItsPlaceAndItsText) {
  expect_finding("services:\n  web:\n    image: \"${TAG_OF_NOTHING:?say which}\"\n",
                 {"compose.yaml:3:12", "TAG_OF_NOTHING", "say which"});
}

TEST_F(BadInput, ACycleIsPrinted) {
  expect_finding("services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x, depends_on: [a]}\n",
                 {"compose.yaml:", "a -> b -> a"});
}

TEST_F(BadInput, APortThatIsInUseIsNamed) {
  EngineRig rig;
  make_image(rig);
  const std::string file = write_project(rig, "  a: {<<: *s, ports: ['18090:80'], command: [sleep, '1000']}\n");
  const kernel::Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address{.sin_family = AF_INET, .sin_port = htons(18090), .sin_addr = {}, .sin_zero = {}};
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  const Outcome up = project(rig, file, {"up", "-d"});
  EXPECT_EQ(up.code, 1);
  EXPECT_NE(up.err.find("service a"), std::string::npos) << up.err;
  EXPECT_NE(up.err.find("18090"), std::string::npos) << up.err;
  down(rig, file);
}

TEST_F(BadInput, AMissingImageIsNamedAndNothingIsMade) {
  EngineRig rig;
  const std::string file =
      write_project(rig, "  a: {image: example/nonesuch, pull_policy: never, network_mode: none}\n");
  const Outcome up = project(rig, file, {"up", "-d"});
  EXPECT_EQ(up.code, 4);
  EXPECT_NE(up.err.find("service a: image example/nonesuch is not here, and pull_policy is never"), std::string::npos)
      << up.err;
  EXPECT_NE(up.err.find("skiff-image pull example/nonesuch"), std::string::npos) << up.err;
  EXPECT_EQ(rig.compose({"ps", "-aq"}).out, "");
  down(rig, file);
}

TEST_F(BadInput, AFolderThatDoesNotExistIsNamed) {
  EngineRig rig;
  make_image(rig);
  const std::string file = write_project(
      rig, "  a: {<<: *s, network_mode: none, volumes: [{type: bind, source: ./nonesuch, target: /x}]}\n");
  const Outcome up = project(rig, file, {"up", "-d"});
  EXPECT_EQ(up.code, 4) << up.err;
  EXPECT_NE(up.err.find("service a"), std::string::npos) << up.err;
  EXPECT_NE(up.err.find("/nonesuch"), std::string::npos) << up.err;
  EXPECT_EQ(rig.compose({"ps", "-aq"}).out, "");
  down(rig, file);
}

TEST_F(BadInput, AHealthCheckThatHangsIsToldAndDoesNotHangUp) {
  EngineRig rig;
  make_image(rig);
  const std::string file = write_project(
      rig,
      "  a: {<<: *s, network_mode: none, command: [sleep, '1000'], healthcheck: {test: [CMD, /bin/busybox, sleep, "
      "'1000'], interval: 100ms, timeout: 100ms, retries: 2}}\n"
      "  b: {<<: *s, network_mode: none, command: [sleep, '1000'], depends_on: {a: {condition: service_healthy}}}\n");
  const Outcome up = project(rig, file, {"up", "-d"});
  EXPECT_EQ(up.code, 1);
  EXPECT_NE(up.err.find("p-a-1"), std::string::npos) << up.err;
  EXPECT_NE(up.err.find("unhealthy"), std::string::npos) << up.err;
  EXPECT_EQ(project(rig, file, {"up", "-d", "--wait", "a"}).code, 1);
  down(rig, file);
}

TEST_F(BadInput, AContainerThatExitsAtOnceIsToldWithWhatItWrote) {
  EngineRig rig;
  make_image(rig);
  const std::string file = write_project(
      rig,
      "  a: {<<: *s, network_mode: none, entrypoint: [/bin/busybox, sh, -c, 'busybox echo no settings; exit 3']}\n"
      "  b: {<<: *s, network_mode: none, command: [sleep, '1000']}\n");
  const Outcome up = project(rig, file, {"up", "--abort-on-container-failure"});
  EXPECT_EQ(up.code, 3) << up.err;
  EXPECT_NE(up.out.find("a-1  | no settings\n"), std::string::npos) << up.out;
  EXPECT_EQ(rig.inspect("p-b-1")["State"]["Status"], "exited");
  down(rig, file);
}

TEST_F(BadInput, WaitBelievesNoContainerThatIsAboutToFail) {
  EngineRig rig;
  make_image(rig);
  const std::string file = write_project(
      rig,
      "  a: {<<: *s, network_mode: none, entrypoint: [/bin/busybox, sh, -c, 'for i in 1 2 3 4 5 6 7 8 9; do busybox "
      "ls -lR /proc/self >/dev/null; done; busybox echo no settings; exit 3']}\n"
      "  b: {<<: *s, network_mode: none, command: [sleep, '1000']}\n"
      "  ends: {<<: *s, network_mode: none, entrypoint: [/bin/busybox, 'true']}\n");
  const Outcome up = project(rig, file, {"up", "-d", "--wait", "a", "b"});
  EXPECT_EQ(up.code, 1);
  EXPECT_NE(up.err.find("service a: container p-a-1 exited (3)\n    | no settings"), std::string::npos) << up.err;
  EXPECT_EQ(up.err.find("p-b-1 exited"), std::string::npos) << up.err;
  const Outcome ended = project(rig, file, {"up", "-d", "--wait", "ends"});
  EXPECT_EQ(ended.code, 1);
  EXPECT_NE(ended.err.find("container p-ends-1 exited (0)"), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find("service_completed_successfully"), std::string::npos) << ended.err;
  down(rig, file);
}

// One runs when it is looked at, and has ended when the other one is healthy.
TEST_F(BadInput, WaitLooksAgainWhenAllAreThere) {
  EngineRig rig;
  make_image(rig);
  const std::string binds = "volumes: ['" + rig.out() + ":/out', '" + rig.state() + ":/state']";
  const std::string file = write_project(
      rig, "  a: {<<: *s, network_mode: none, " + binds +
               ", entrypoint: [/bin/busybox, sh, -c, 'busybox mkfifo /out/end; read x </out/end; exit 4']}\n"
               "  b: {<<: *s, network_mode: none, " +
               binds +
               ", command: [sleep, '1000'], healthcheck: {interval: 500ms, timeout: 20s, test: [CMD, /bin/busybox, sh, "
               "-c, 'busybox test -p /out/end && busybox echo >/out/end && until busybox grep -q exitCode.*4 "
               "/state/containers/*/run.json; do :; done']}}\n");
  const Outcome up = project(rig, file, {"up", "-d", "--wait"});
  EXPECT_EQ(up.code, 1);
  EXPECT_NE(up.err.find("service a: container p-a-1 exited (4)"), std::string::npos) << up.err;
  down(rig, file);
}

TEST_F(BadInput, AProgramThatIsNotThereIsTheServicesFailure) {
  EngineRig rig;
  make_image(rig);
  const std::string file = write_project(rig, "  a: {<<: *s, network_mode: none, entrypoint: [/bin/nonesuch]}\n");
  const Outcome up = project(rig, file, {"up", "-d"});
  EXPECT_NE(up.code, 0);
  EXPECT_NE(up.err.find("service a"), std::string::npos) << up.err;
  EXPECT_NE(up.err.find("/bin/nonesuch"), std::string::npos) << up.err;
  down(rig, file);
}

TEST_F(BadInput, ANameThatIsInUseIsToldWithWhoHasIt) {
  EngineRig rig;
  make_image(rig);
  ASSERT_EQ(rig.run({"-d", "--name", "taken", "--network", "none"}, "sleep 1000").code, 0);
  const std::string file = write_project(rig, "  a: {<<: *s, network_mode: none, container_name: taken}\n");
  const Outcome up = project(rig, file, {"up", "-d"});
  EXPECT_EQ(up.code, 1);
  EXPECT_NE(up.err.find("service a: the name taken is taken by container " + id_of(rig, "taken").substr(0, 12)),
            std::string::npos)
      << up.err;
  EXPECT_EQ(project(rig, file, {"down"}).code, 0);
  EXPECT_EQ(rig.inspect("taken")["State"]["Status"], "running");
  EXPECT_EQ(rig.compose({"--no-project", "rm", "-f", "taken"}).code, 0);
  expect_nothing_left(rig);
}

TEST_F(BadInput, OfTwoAtOnceOneComesUpAndTheOtherIsTold) {
  EngineRig rig;
  make_image(rig);
  const std::string file = write_project(rig, "  a: {<<: *s, network_mode: none, command: [sleep, '1000']}\n");
  const Outcome both = run_program({"/bin/sh", "-c", R"("$@" & "$@"; a=$?; wait $!; echo "$a $?")", "sh",
                                    SKIFF_COMPOSE_PROGRAM, "--state", rig.state(), "--store", rig.path("store"),
                                    "--progress", "quiet", "-f", file, "-p", "p", "up", "-d"});
  // The second may come when the first is through.
  EXPECT_NE(both.out, "1 1\n") << both.err;
  EXPECT_EQ(project(rig, file, {"ps", "-q"}).out.size(), 13U);
  down(rig, file);
}

// Wherever it is killed, the next one goes on, and `down` leaves nothing.
TEST_F(BadInput, AnUpThatIsKilledIsTakenAwayByDown) {
  EngineRig rig;
  make_image(rig);
  const std::string file = write_project(rig,
                                         "  a: {<<: *s, volumes: [data:/data, /anonymous], command: [sleep, '1000']}\n"
                                         "  b: {<<: *s, depends_on: [a], command: [sleep, '1000']}\n",
                                         "volumes: {data: {}}\n");
  const auto kill_up = [&](int milliseconds) {
    kernel::Child up = start_quietly({SKIFF_COMPOSE_PROGRAM, "--state", rig.state(), "--store", rig.path("store"),
                                      "--progress", "quiet", "-f", file, "-p", "p", "up", "-d"});
    (void)kernel::wait_readable(up.pidfd(), std::chrono::milliseconds(milliseconds));
    (void)kernel::pidfd_send_signal(up.pidfd(), SIGKILL);
    EXPECT_NE(wait_for_code(up), -1);
  };
  for (int milliseconds = 10; milliseconds < 700; milliseconds += 90) {
    kill_up(milliseconds);
    down(rig, file);
  }
  kill_up(200);
  const Outcome up = project(rig, file, {"up", "-d"});
  EXPECT_EQ(up.code, 0) << up.err;
  EXPECT_EQ(project(rig, file, {"ps", "-q"}).out.size(), 2 * 13U);
  down(rig, file);
}

TEST_F(BadInput, WhatAKilledUpWasWritingOfANetworkIsTakenAwayByDown) {
  EngineRig rig;
  make_image(rig);
  const std::string file = write_project(rig, "  a: {<<: *s, command: [sleep, '1000']}\n");
  const Outcome up = project(rig, file, {"up", "-d"});
  ASSERT_EQ(up.code, 0) << up.err;
  write_file(rig.state() + "/networks/p_default.json.1", "{");
  down(rig, file);
}

}  // namespace
}  // namespace skiff::rig
