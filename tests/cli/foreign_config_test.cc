// Configurations that others write run unchanged.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/background.h"

namespace skiff::rig {
namespace {

TEST(ForeignConfig, RuncsSpecRunsUnchangedButForTheTerminal) {
  REQUIRE_ROOT();
  const char *runc = ::access("/usr/sbin/runc", X_OK) == 0 ? "/usr/sbin/runc" : "/usr/bin/runc";
  if (::access(runc, X_OK) != 0) GTEST_SKIP() << "needs runc";
  Rig rig;
  ASSERT_EQ(run_program({runc, "spec", "--bundle", rig.bundle()}).code, 0);
  rig.config = Json::parse(read_file(rig.bundle() + "/config.json"));
  rig.config["process"]["terminal"] = false;
  rig.config["root"]["readonly"] = true;
  const Outcome outcome =
      rig.skiff({"run", "foreign"}, "id -u; hostname; echo $$; touch /x 2>/dev/null || echo read-only\n");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "0\nrunc\n1\nread-only\n");
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(ForeignConfig, OurOwnSpecRunsUnchangedButForTheTerminal) {
  REQUIRE_ROOT();
  Rig rig;
  ASSERT_EQ(run_program({program(), "spec", "--bundle", rig.bundle()}).code, 0);
  rig.config = Json::parse(read_file(rig.bundle() + "/config.json"));
  rig.config["process"]["terminal"] = false;
  const Outcome outcome = rig.skiff({"run", "own"}, "id -u; echo $$\n");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "0\n1\n");
}

TEST(ForeignConfig, OurRootlessSpecRunsForAUserWithoutPrivileges) {
  REQUIRE_ROOT();
  Rig rig;
  for (const std::string &path : {rig.path(""), rig.bundle(), rig.rootfs()}) {
    ASSERT_EQ(::chown(path.c_str(), 65534, 65534), 0);
  }
  const auto as_nobody = [&](std::vector<std::string> words) {
    std::vector<std::string> all = {
        "/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",    "/usr/bin/env", "-C",
        rig.bundle(),       program(),       "--root",        rig.path("rootless")};
    all.insert(all.end(), words.begin(), words.end());
    return run_program(all, "id -u; hostname\n");
  };
  const Outcome written = as_nobody({"spec", "--rootless"});
  ASSERT_EQ(written.code, 0) << written.err;
  Json config = Json::parse(read_file(rig.bundle() + "/config.json"));
  config["process"]["terminal"] = false;
  write_file(rig.bundle() + "/config.json", config.dump());
  const Outcome outcome = as_nobody({"run", "rootless"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out.substr(0, 2), "0\n");
}

// The fields that an engine above fills in: labels as annotations, rlimits, hooks of the network, bind mounts of
// resolv.conf and its like, the long device list, the seccomp profile with several architectures.
Json engine_config() {
  return Json::parse(R"({
    "ociVersion": "1.2.0",
    "process": {
      "terminal": false,
      "user": {"uid": 0, "gid": 0, "umask": 18, "additionalGids": [0, 1, 2, 3, 4, 6, 10, 11, 20, 26, 27]},
      "args": ["sh", "-c", "umask; hostname; cat /etc/hostname; cat /run/.containerenv; df /dev/shm >/dev/null; grep Seccomp: /proc/self/status; ulimit -n"],
      "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "container=podman", "TERM=xterm", "HOME=/root", "HOSTNAME=pod"],
      "cwd": "/",
      "capabilities": {
        "bounding": ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID"],
        "effective": ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID"],
        "permitted": ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID"]
      },
      "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
      "oomScoreAdj": 100
    },
    "root": {"path": "", "readonly": false},
    "hostname": "pod",
    "mounts": [
      {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]},
      {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
      {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
      {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
      {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"]},
      {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["rprivate", "nosuid", "noexec", "nodev", "relatime", "ro"]},
      {"destination": "/run", "type": "tmpfs", "source": "tmpfs", "options": ["rw", "rprivate", "nosuid", "nodev", "tmpcopyup"]},
      {"destination": "/etc/hostname", "type": "bind", "source": "HOST/hostname", "options": ["bind", "rprivate"]},
      {"destination": "/run/.containerenv", "type": "bind", "source": "HOST/containerenv", "options": ["bind", "rprivate"]},
      {"destination": "/dev/shm", "type": "bind", "source": "HOST/shm", "options": ["bind", "rprivate", "nosuid", "noexec", "nodev"]}
    ],
    "annotations": {
      "io.container.manager": "libpod", "io.podman.annotations.autoremove": "FALSE", "org.opencontainers.image.stopSignal": "15",
      "org.systemd.property.KillSignal": "15", "org.systemd.property.TimeoutStopUSec": "uint64 10000000"
    },
    "linux": {
      "uidMappings": [], "gidMappings": [],
      "sysctl": {"net.ipv4.ping_group_range": "0 0"},
      "resources": {
        "devices": [{"allow": false, "access": "rwm"}],
        "memory": {"disableOOMKiller": false, "checkBeforeUpdate": false}, "cpu": {}, "pids": {"limit": 2048}, "blockIO": {}
      },
      "cgroupsPath": "CGROUP",
      "namespaces": [{"type": "pid"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}, {"type": "cgroup"}],
      "devices": [
        {"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 438, "uid": 0, "gid": 0}
      ],
      "seccomp": {
        "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
        "syscalls": [
          {"names": ["bdflush", "no_such_call"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1},
          {"names": ["SYSCALLS"], "action": "SCMP_ACT_ALLOW"},
          {"names": ["personality"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 0, "op": "SCMP_CMP_EQ"}]}
        ]
      },
      "rootfsPropagation": "private",
      "maskedPaths": ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/fs/selinux", "/sys/dev/block", "/proc/interrupts", "/sys/devices/virtual/powercap"],
      "readonlyPaths": ["/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
    }
  })");
}

TEST(ForeignConfig, WhatAnEngineWritesRunsUnchanged) {
  REQUIRE_ROOT();
  Rig rig;
  write_file(rig.path("hostname"), "pod\n");
  write_file(rig.path("containerenv"), "engine\n");
  ASSERT_EQ(::mkdir(rig.path("shm").c_str(), 01777), 0);
  rig.config = engine_config();
  rig.config["root"]["path"] = rig.rootfs();
  rig.config["linux"]["cgroupsPath"] = rig.cgroup();
  for (Json &mount : rig.config["mounts"]) {
    std::string source = mount["source"];
    if (source.starts_with("HOST/")) mount["source"] = rig.path(source.substr(5));
  }
  rig.config["linux"]["seccomp"]["syscalls"][1]["names"] = {"read",
                                                            "write",
                                                            "open",
                                                            "openat",
                                                            "close",
                                                            "stat",
                                                            "fstat",
                                                            "lstat",
                                                            "newfstatat",
                                                            "poll",
                                                            "lseek",
                                                            "mmap",
                                                            "mprotect",
                                                            "munmap",
                                                            "brk",
                                                            "rt_sigaction",
                                                            "rt_sigprocmask",
                                                            "rt_sigreturn",
                                                            "ioctl",
                                                            "access",
                                                            "pipe",
                                                            "pipe2",
                                                            "dup",
                                                            "dup2",
                                                            "dup3",
                                                            "getpid",
                                                            "clone",
                                                            "clone3",
                                                            "fork",
                                                            "vfork",
                                                            "execve",
                                                            "execveat",
                                                            "exit",
                                                            "exit_group",
                                                            "wait4",
                                                            "kill",
                                                            "uname",
                                                            "fcntl",
                                                            "getcwd",
                                                            "chdir",
                                                            "umask",
                                                            "getuid",
                                                            "geteuid",
                                                            "getgid",
                                                            "getegid",
                                                            "getppid",
                                                            "getpgrp",
                                                            "setpgid",
                                                            "arch_prctl",
                                                            "prctl",
                                                            "prlimit64",
                                                            "getrlimit",
                                                            "set_tid_address",
                                                            "set_robust_list",
                                                            "rseq",
                                                            "statfs",
                                                            "fstatfs",
                                                            "getdents64",
                                                            "readlink",
                                                            "futex",
                                                            "getrandom",
                                                            "sigaltstack",
                                                            "setuid",
                                                            "setgid",
                                                            "getgroups",
                                                            "setgroups",
                                                            "capset",
                                                            "capget",
                                                            "fchdir",
                                                            "close_range",
                                                            "sendto",
                                                            "recvfrom",
                                                            "readv",
                                                            "writev",
                                                            "sysinfo",
                                                            "gettimeofday",
                                                            "clock_gettime",
                                                            "sendfile",
                                                            "setresuid",
                                                            "setresgid",
                                                            "faccessat",
                                                            "faccessat2",
                                                            "openat2",
                                                            "statx"};
  const Outcome outcome = rig.skiff({"run", rig.id()});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "0022\npod\npod\nengine\nSeccomp:\t2\n1024\n") << outcome.err;
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

}  // namespace
}  // namespace skiff::rig
