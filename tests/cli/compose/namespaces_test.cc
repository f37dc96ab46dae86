// What containers share with one another, and what nobody shares: ids, memory, namespaces.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/compose/compose_rig.h"

namespace skiff::rig {
namespace {

std::string link_in(const ComposeRig &rig, const std::string &name, const std::string &space) {
  return rig.compose({"exec", name, "readlink", "/proc/self/ns/" + space}).out;
}

TEST(ComposeNamespaces, ModesThatNameAContainerJoinItsNamespaces) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "first", "--uid-map", "0:700000:65536"}, "sleep 1000");
  (void)rig.start(
      {"--name", "second", "--uts", "container:first", "--cgroupns", "container:first", "--userns", "container:first"},
      "echo mine > /tmp/file; sleep 1000");
  for (const char *space : {"uts", "cgroup", "user"}) {
    EXPECT_EQ(link_in(rig, "second", space), link_in(rig, "first", space)) << space;
    EXPECT_NE(link_in(rig, "second", space), std::filesystem::read_symlink(std::string("/proc/self/ns/") + space))
        << space;
  }
  EXPECT_EQ(rig.compose({"exec", "second", "stat", "-c", "%u", "/bin/busybox"}).out, "0\n");
  // The other one is asked at every start.
  EXPECT_EQ(rig.compose({"restart", "-t", "0", "first"}).code, 0);
  EXPECT_EQ(rig.compose({"restart", "-t", "0", "second"}).code, 0);
  EXPECT_EQ(link_in(rig, "second", "user"), link_in(rig, "first", "user"));
  EXPECT_EQ(rig.compose({"stop", "-t", "0", "first", "second"}).code, 0);
  const Outcome alone = rig.compose({"start", "second"});
  EXPECT_EQ(alone.code, 1);
  EXPECT_NE(alone.err.find("start it first"), std::string::npos) << alone.err;
}

TEST(ComposeNamespaces, AutoGivesEachContainerIdsOfItsOwn) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  const std::string script = "cat /proc/self/uid_map | tr -s ' '";
  const auto map_of = [&](const char *name) {
    (void)rig.start({"--name", name, "--userns", "auto"}, script);
    EXPECT_EQ(rig.compose({"wait", name}).out, "0\n");
    return rig.compose({"logs", name}).out;
  };
  const std::string first = map_of("first");
  const std::string second = map_of("second");
  EXPECT_NE(first, second);
  EXPECT_EQ(first.find(" 0 "), 0U) << first;
  // Whose container is gone has given them back.
  EXPECT_EQ(rig.compose({"rm", "first"}).code, 0);
  EXPECT_EQ(map_of("third"), first);
}

TEST(ComposeNamespaces, OfTwoAtOnceEachGetsOtherIds) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  const Outcome both = run_program({"/bin/sh", "-c", R"("$@" & "$@"; wait)", "sh", SKIFF_COMPOSE_PROGRAM, "--state",
                                    rig.state(), "--store", rig.path("store"), "run", "--rm", "--network", "none",
                                    "--userns", "auto", "busybox", "sh", "-c", "cat /proc/self/uid_map"});
  const std::size_t half = both.out.size() / 2;
  EXPECT_GT(half, 10U) << both.err;
  EXPECT_NE(both.out.substr(0, half), both.out.substr(half)) << both.err;
}

TEST(ComposeNamespaces, WhoSharesAnIpcNamespaceSharesItsMemory) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "first", "--ipc", "shareable", "--shm-size", "3m"}, "sleep 1000");
  (void)rig.start({"--name", "second", "--ipc", "container:first", "--userns", "auto"}, "sleep 1000");
  EXPECT_EQ(rig.compose({"exec", "second", "sh", "-c", "echo shared > /dev/shm/note"}).code, 0);
  EXPECT_EQ(rig.compose({"exec", "first", "cat", "/dev/shm/note"}).out, "shared\n");
  EXPECT_EQ(rig.compose({"exec", "first", "sh", "-c", "df -k /dev/shm | tail -n 1 | tr -s ' ' | cut -d' ' -f2"}).out,
            "3072\n");
  EXPECT_EQ(link_in(rig, "second", "ipc"), link_in(rig, "first", "ipc"));
  // Memory does not outlive the run.
  EXPECT_EQ(rig.compose({"restart", "-t", "0", "first"}).code, 0);
  EXPECT_EQ(rig.compose({"exec", "first", "ls", "/dev/shm"}).out, "");
  EXPECT_EQ(rig.compose({"rm", "-f", "first", "second"}).code, 0);
  EXPECT_EQ(rig.leftovers(), std::vector<std::string>());
}

TEST(ComposeNamespaces, AnIpcNamespaceThatIsNotShareableIsNotJoined) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "first"}, "sleep 1000");
  const Outcome refused =
      rig.compose({"run", "--rm", "--network", "none", "--ipc", "container:first", "busybox", "true"});
  EXPECT_EQ(refused.code, 125);
  EXPECT_NE(refused.err.find("make it with --ipc shareable"), std::string::npos) << refused.err;
}

}  // namespace
}  // namespace skiff::rig
