#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/compose/flag_rig.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

class SecurityFlags : public ::testing::Test {
 protected:
  void SetUp() override { REQUIRE_ROOT(); }
  void TearDown() override { EXPECT_EQ(rig.rig().leftovers(), std::vector<std::string>()); }

  // A set of the first process, in hexadecimal.
  Outcome set(const std::vector<std::string> &flags, const std::string &name) {
    return rig.run(flags, "grep " + name + " /proc/self/status | cut -f2");
  }

  FlagRig rig;
};

// CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE SYS_CHROOT SETFCAP
constexpr const char *usual = "00000000800405fb\n";

TEST_F(SecurityFlags, TheUsualCapabilitiesAreFew) {
  EXPECT_PRINTS(set({}, "CapBnd"), usual);
  EXPECT_PRINTS(set({}, "CapEff"), usual);
  EXPECT_PRINTS(set({}, "CapInh"), "0000000000000000\n");
}

TEST_F(SecurityFlags, CapAddAndCapDropChangeThem) {
  EXPECT_PRINTS(set({"--cap-add", "net_admin"}, "CapEff"), "00000000800415fb\n");
  EXPECT_PRINTS(set({"--cap-drop", "CAP_CHOWN"}, "CapEff"), "00000000800405fa\n");
  EXPECT_PRINTS(set({"--cap-drop", "ALL"}, "CapBnd"), "0000000000000000\n");
  EXPECT_PRINTS(set({"--cap-drop", "ALL", "--cap-add", "CHOWN"}, "CapBnd"), "0000000000000001\n");
  EXPECT_NE(rig.run({"--cap-add", "NET_ADMINS"}, "true").err.find("did you mean \"CAP_NET_ADMIN\"?"),
            std::string::npos);
}

TEST_F(SecurityFlags, AllIsWhatTheHostCanGive) {
  const Outcome all = set({"--cap-add", "ALL", "--cap-drop", "CHOWN"}, "CapBnd");
  EXPECT_EQ(std::stoull(all.out, nullptr, 16), rig.host.capabilities & ~std::uint64_t{1}) << all.err;
}

TEST_F(SecurityFlags, WhoIsNotRootKeepsWhatHeIsGivenByName) {
  EXPECT_PRINTS(set({"-u", "1000"}, "CapEff"), "0000000000000000\n");
  EXPECT_PRINTS(set({"-u", "1000", "--cap-add", "NET_BIND_SERVICE"}, "CapEff"), "0000000000000400\n");
}

TEST_F(SecurityFlags, NoNewPrivilegesIsOnUnlessItIsTakenOff) {
  const std::string script = "grep NoNewPrivs /proc/self/status | cut -f2";
  EXPECT_PRINTS(rig.run({}, script), "1\n");
  EXPECT_PRINTS(rig.run({"--security-opt", "no-new-privileges:false"}, script), "0\n");
  EXPECT_PRINTS(rig.run({"--privileged"}, script), "0\n");
  EXPECT_PRINTS(rig.run({"--privileged", "--security-opt", "no-new-privileges"}, script), "1\n");
}

TEST_F(SecurityFlags, PrivilegedHasEverythingTheHostHas) {
  const Outcome outcome =
      rig.run({"--privileged"},
              "grep Seccomp: /proc/self/status | cut -f2; test -c /dev/kmsg && echo kmsg; "
              "mkdir /mnt; mount -t tmpfs x /mnt && echo mounted; echo 1 > /proc/sys/net/ipv4/ip_forward && echo set");
  EXPECT_EQ(outcome.out, std::string("0\n") + (fs::exists("/dev/kmsg") ? "kmsg\n" : "") + "mounted\nset\n")
      << outcome.err;
}

TEST_F(SecurityFlags, PathsAreMaskedUnlessTheyAreOpened) {
  const std::string script =
      "cat /proc/timer_list 2>/dev/null | wc -l; echo 1 > /proc/sys/net/ipv4/ip_forward || echo refused";
  EXPECT_PRINTS(rig.run({}, script), "0\nrefused\n");
  EXPECT_PRINTS(rig.run({"--security-opt", "unmask=/proc/sys"}, "mountpoint -q /proc/sys || echo open"), "open\n");
  EXPECT_PRINTS(rig.run({"--security-opt", "unmask=ALL"}, "mountpoint -q /proc/sys || echo open"), "open\n");
  EXPECT_PRINTS(rig.run({"--security-opt", "systempaths=unconfined"}, "mountpoint -q /proc/sys || echo open"),
                "open\n");
  EXPECT_PRINTS(
      rig.run({"--security-opt", "mask=/etc/passwd:/work"}, "wc -c < /etc/passwd; touch /work/x || echo refused"),
      "0\nrefused\n");
}

TEST_F(SecurityFlags, LabelsAndProfilesComeIntoTheConfiguration) {
  (void)rig.run(
      {"--security-opt", "apparmor=mine", "--security-opt", "label=type:web_t", "--security-opt", "label=level:s0:c1"},
      "true");
  EXPECT_EQ(rig.rig().config.at("process").at("apparmorProfile"), "mine");
  EXPECT_EQ(rig.rig().config.at("process").at("selinuxLabel"), "system_u:system_r:web_t:s0:c1");
  EXPECT_EQ(rig.rig().config.at("linux").at("mountLabel"), "system_u:object_r:container_file_t:s0:c1");
  EXPECT_NE(rig.run({"--security-opt", "seccom=x"}, "true").err.find("did you mean \"seccomp\"?"), std::string::npos);
}

TEST_F(SecurityFlags, UserMapsMakeAUserNamespace) {
  fs::permissions(rig.path(""), fs::perms::all);
  const std::string script = "cat /proc/self/uid_map | tr -s ' '; cat /proc/self/gid_map | tr -s ' '";
  EXPECT_PRINTS(rig.run({"--uid-map", "0:100000:65536"}, script), " 0 100000 65536\n 0 100000 65536\n");
  EXPECT_PRINTS(rig.run({"--uid-map", "0:100000:65536", "--gid-map", "0:200000:65536"}, script),
                " 0 100000 65536\n 0 200000 65536\n");
  EXPECT_PRINTS(rig.run({"--userns", "host"}, "cat /proc/self/uid_map | tr -s ' '"), " 0 0 4294967295\n");
  EXPECT_PRINTS(rig.run({"--uid-map", "0:5"}, "cat /proc/self/uid_map | tr -s ' '"), " 0 5 1\n");
  EXPECT_NE(rig.run({"--uid-map", "0:100000:10", "-u", "50"}, "true").err.find("the user namespace does not map it"),
            std::string::npos);
  EXPECT_NE(rig.run({"--userns", "keep-id"}, "true").err.find("root keeps its id without"), std::string::npos);
}

TEST_F(SecurityFlags, UsernsAutoTakesIdsOfNobodyElse) {
  fs::permissions(rig.path(""), fs::perms::all);
  rig.host.uid_ranges = rig.host.gid_ranges = {{.first = 300000, .size = 131072}};
  EXPECT_PRINTS(rig.run({"--userns", "auto"}, "cat /proc/self/uid_map | tr -s ' '"), " 0 300000 65536\n");
}

TEST_F(SecurityFlags, NamespacesOfTheHostAreShared) {
  const auto link = [](const char *name) {
    return fs::read_symlink(std::string("/proc/self/ns/") + name).string() + "\n";
  };
  for (const auto &[flag, name] : {std::pair("--pid", "pid"),
                                   {"--ipc", "ipc"},
                                   {"--uts", "uts"},
                                   {"--cgroupns", "cgroup"},
                                   {"--network", "net"}}) {
    const std::string script = std::string("readlink /proc/self/ns/") + name;
    EXPECT_PRINTS(rig.run({flag, "host"}, script), link(name));
    const Outcome own = rig.run({}, script);
    EXPECT_NE(own.out, link(name)) << own.err;
    EXPECT_EQ(own.code, 0) << own.err;
  }
}

TEST_F(SecurityFlags, NamespacesOfAnotherContainerAreJoined) {
  const auto pid = std::to_string(::getpid());
  rig.context.namespaces = {.network = "/proc/" + pid + "/ns/net",
                            .pid = "/proc/" + pid + "/ns/pid",
                            .ipc = "/proc/" + pid + "/ns/ipc",
                            .uts = "/proc/" + pid + "/ns/uts",
                            .cgroup = "",
                            .user = ""};
  const std::vector<std::string> flags = {"--network", "container:x", "--pid", "container:x",
                                          "--ipc",     "container:x", "--uts", "container:x"};
  for (const char *name : {"net", "pid", "ipc", "uts"}) {
    EXPECT_PRINTS(rig.run(flags, std::string("readlink /proc/self/ns/") + name),
                  fs::read_symlink(std::string("/proc/self/ns/") + name).string() + "\n");
  }
  rig.context.namespaces.pid.clear();
  EXPECT_NE(rig.run(flags, "true").err.find("pid: container:x does not run; start it first"), std::string::npos);
}

TEST_F(SecurityFlags, IpcNoneHasNoSharedMemory) {
  EXPECT_PRINTS(rig.run({"--ipc", "none"}, "grep -c ' /dev/shm ' /proc/mounts"), "0\n");
  rig.context.shm_directory = rig.directory("shm");
  write_file(rig.path("shm/there"), "shared\n");
  EXPECT_PRINTS(rig.run({"--ipc", "shareable"}, "cat /dev/shm/there"), "shared\n");
}

TEST_F(SecurityFlags, NetworkNoneHasLoopbackAlone) {
  EXPECT_PRINTS(rig.run({"--network", "none"}, "ls /sys/class/net"), "lo\n");
}

}  // namespace
}  // namespace skiff::rig
