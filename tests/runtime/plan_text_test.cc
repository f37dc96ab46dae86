#include "runtime/plan_text.h"

#include <gtest/gtest.h>
#include <linux/mount.h>

namespace skiff {
namespace {

PlanOptions options() {
  PlanOptions out;
  out.id = "c";
  out.bundle = "/bundle";
  out.disable_cgroups = true;
  return out;
}

std::string text_of(const spec::Config &config, const Host &host = {}) {
  const Result<Plan> plan = make_plan(config, host, options());
  return plan ? describe(*plan) : plan.error().message();
}

TEST(PlanText, TheDefaultConfigurationReadsAsAStory) {
  EXPECT_EQ(text_of(spec::make_default_config()), R"(container                           c
bundle                              /bundle
linux.namespaces                    new pid,network,mount,ipc,uts
linux.cgroupsPath                   cgroup by none
linux.namespaces (cgroup)           unshare the cgroup namespace
process                             join the session keyring _ses.c
hostname                            set the hostname skiff
linux.rootfsPropagation             make / rslave
root.path                           attach /bundle/rootfs to itself
mounts[0] (/proc)                   proc proc -> /proc
mounts[1] (/dev)                    tmpfs tmpfs -> /dev  nosuid,strictatime  mode=755,size=65536k
mounts[2] (/dev/pts)                devpts devpts -> /dev/pts  nosuid,noexec  newinstance,ptmxmode=0666,mode=0620,gid=5
mounts[3] (/dev/shm)                tmpfs shm -> /dev/shm  nosuid,nodev,noexec  mode=1777,size=65536k
mounts[4] (/dev/mqueue)             mqueue mqueue -> /dev/mqueue  nosuid,nodev,noexec
linux.namespaces (network)          join the new network namespace
linux.namespaces (network)          bring up lo
mounts[5] (/sys)                    sysfs sysfs -> /sys  ro,nosuid,nodev,noexec
mounts[6] (/sys/fs/cgroup)          cgroup -> /sys/fs/cgroup  ro,nosuid,nodev,noexec
default devices                     make char /dev/null 1:3 mode 0666
default devices                     make char /dev/zero 1:5 mode 0666
default devices                     make char /dev/full 1:7 mode 0666
default devices                     make char /dev/random 1:8 mode 0666
default devices                     make char /dev/urandom 1:9 mode 0666
default devices                     make char /dev/tty 5:0 mode 0666
default devices                     link /dev/fd -> /proc/self/fd
default devices                     link /dev/stdin -> /proc/self/fd/0
default devices                     link /dev/stdout -> /proc/self/fd/1
default devices                     link /dev/stderr -> /proc/self/fd/2
default devices                     link /dev/core -> /proc/kcore
default devices                     link /dev/ptmx -> pts/ptmx
root.path                           pivot_root
process.terminal                    open a terminal as /dev/console
linux.readonlyPaths[0]              make /proc/bus read-only
linux.readonlyPaths[1]              make /proc/fs read-only
linux.readonlyPaths[2]              make /proc/irq read-only
linux.readonlyPaths[3]              make /proc/sys read-only
linux.readonlyPaths[4]              make /proc/sysrq-trigger read-only
linux.maskedPaths[0]                mask /proc/acpi
linux.maskedPaths[1]                mask /proc/asound
linux.maskedPaths[2]                mask /proc/kcore
linux.maskedPaths[3]                mask /proc/keys
linux.maskedPaths[4]                mask /proc/latency_stats
linux.maskedPaths[5]                mask /proc/timer_list
linux.maskedPaths[6]                mask /proc/timer_stats
linux.maskedPaths[7]                mask /proc/sched_debug
linux.maskedPaths[8]                mask /sys/firmware
linux.maskedPaths[9]                mask /proc/scsi
root.readonly                       make / read-only
process                             start a session
process.rlimits[0] (RLIMIT_NOFILE)  limit RLIMIT_NOFILE soft 1024 hard 1024
process.cwd                         go to /, made where missing
process.capabilities.bounding       drop from the bounding set all but kill,net_bind_service,audit_write
process.user                        become user 0:0
process.capabilities                set capabilities permitted kill,net_bind_service,audit_write
process.user.umask                  set umask 0022
process.noNewPrivileges             forbid new privileges
process.args                        exec sh with 2 variables
)");
}

TEST(PlanText, TheRootlessConfigurationReadsAsAStory) {
  Host host;
  host.uid = 1000;
  host.gid = 1000;
  host.privileged = false;
  EXPECT_EQ(text_of(spec::make_rootless_config(1000, 1000), host), R"(container                           c
bundle                              /bundle
linux.namespaces                    new pid,mount,ipc,uts,user
linux.uidMappings                   map 0->1000 x1
linux.gidMappings                   map 0->1000 x1
linux.cgroupsPath                   cgroup by none
process.rlimits[0] (RLIMIT_NOFILE)  limit RLIMIT_NOFILE soft 1024 hard 1024
linux.namespaces (cgroup)           unshare the cgroup namespace
process                             join the session keyring _ses.c
hostname                            set the hostname skiff
linux.rootfsPropagation             make / rslave
root.path                           attach /bundle/rootfs to itself
mounts[0] (/proc)                   proc proc -> /proc
mounts[1] (/dev)                    tmpfs tmpfs -> /dev  nosuid,strictatime  mode=755,size=65536k
mounts[2] (/dev/pts)                devpts devpts -> /dev/pts  nosuid,noexec  newinstance,ptmxmode=0666,mode=0620
mounts[3] (/dev/shm)                tmpfs shm -> /dev/shm  nosuid,nodev,noexec  mode=1777,size=65536k
mounts[4] (/dev/mqueue)             mqueue mqueue -> /dev/mqueue  nosuid,nodev,noexec
mounts[5] (/sys)                    rbind /sys -> /sys  ro,nosuid,nodev,noexec
mounts[6] (/sys/fs/cgroup)          cgroup -> /sys/fs/cgroup  ro,nosuid,nodev,noexec
default devices                     bind from the host char /dev/null 1:3
default devices                     bind from the host char /dev/zero 1:5
default devices                     bind from the host char /dev/full 1:7
default devices                     bind from the host char /dev/random 1:8
default devices                     bind from the host char /dev/urandom 1:9
default devices                     bind from the host char /dev/tty 5:0
default devices                     link /dev/fd -> /proc/self/fd
default devices                     link /dev/stdin -> /proc/self/fd/0
default devices                     link /dev/stdout -> /proc/self/fd/1
default devices                     link /dev/stderr -> /proc/self/fd/2
default devices                     link /dev/core -> /proc/kcore
default devices                     link /dev/ptmx -> pts/ptmx
root.path                           pivot_root
process.terminal                    open a terminal as /dev/console
linux.readonlyPaths[0]              make /proc/bus read-only
linux.readonlyPaths[1]              make /proc/fs read-only
linux.readonlyPaths[2]              make /proc/irq read-only
linux.readonlyPaths[3]              make /proc/sys read-only
linux.readonlyPaths[4]              make /proc/sysrq-trigger read-only
linux.maskedPaths[0]                mask /proc/acpi
linux.maskedPaths[1]                mask /proc/asound
linux.maskedPaths[2]                mask /proc/kcore
linux.maskedPaths[3]                mask /proc/keys
linux.maskedPaths[4]                mask /proc/latency_stats
linux.maskedPaths[5]                mask /proc/timer_list
linux.maskedPaths[6]                mask /proc/timer_stats
linux.maskedPaths[7]                mask /proc/sched_debug
linux.maskedPaths[8]                mask /sys/firmware
linux.maskedPaths[9]                mask /proc/scsi
root.readonly                       make / read-only
process                             start a session
process.cwd                         go to /, made where missing
process.capabilities.bounding       drop from the bounding set all but kill,net_bind_service,audit_write
process.user                        become user 0:0, groups kept
process.capabilities                set capabilities permitted kill,net_bind_service,audit_write
process.user.umask                  set umask 0022
process.noNewPrivileges             forbid new privileges
process.args                        exec sh with 2 variables
)");
}

TEST(PlanText, AMountTellsItsAttributesDataAndOrders) {
  MountStep step;
  step.kind = MountStep::Kind::bind;
  step.source = "/srv/data";
  step.destination = "/data";
  step.recursive = true;
  step.attributes.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID;
  step.attributes.clear = MOUNT_ATTR_NOEXEC;
  step.clear_unless_locked = MOUNT_ATTR_NODEV;
  step.propagation = {MS_SLAVE | MS_REC};
  step.recursive_attributes.set = MOUNT_ATTR_RDONLY;
  step.id_map_of_container = true;
  EXPECT_EQ(
      describe(Action(step)),
      "rbind /srv/data -> /data  ro,nosuid,exec; dev unless locked; recursively ro; rslave; idmap as the container");
}

TEST(PlanText, ARelativeAccessTimeShowsThoughItsBitIsZero) {
  MountStep step;
  step.kind = MountStep::Kind::remount;
  step.destination = "/data";
  step.attributes.clear = MOUNT_ATTR__ATIME;
  EXPECT_EQ(describe(Action(step)), "remount /data  relatime");
}

// A value of config.json is a line of the log: it must not make up others.
TEST(PlanText, ControlCharactersAreEscaped) {
  EXPECT_EQ(describe(Action(SetHostname{"a\nb\x1b"})), "set the hostname a\\x0ab\\x1b");
  EXPECT_EQ(describe(Step{"host\nname", LoopbackUp{}}).find('\n'), std::string::npos);
}

TEST(PlanText, VariablesAreCountedAndNotShown) {
  spec::Config config = spec::make_default_config();
  config.process->env = {"PASSWORD=secret"};
  EXPECT_EQ(text_of(config).find("secret"), std::string::npos);
}

TEST(PlanText, AnExecIsTextToo) {
  spec::Process process;
  process.cwd = "/tmp";
  process.args = {"id"};
  process.user.uid = 5;
  process.user.gid = 6;
  process.user.additional_gids = {7, 8};
  process.rlimits = {{.type = "RLIMIT_CORE", .hard = ~std::uint64_t{0}, .soft = 0}};
  process.oom_score_adj = 3;
  process.terminal = true;
  process.console_size = spec::ConsoleSize{.height = 25, .width = 80};
  const Result<ExecPlan> plan = make_exec_plan(process, spec::make_default_config(), {}, {.id = "c"});
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_EQ(describe(*plan), R"(process.oomScoreAdj                 write oom_score_adj = 3
process.terminal                    open a terminal 80x25
process                             join the session keyring _ses.c
process                             start a session
process.rlimits[0] (RLIMIT_CORE)    limit RLIMIT_CORE soft 0 hard unlimited
process.cwd                         go to /tmp, made where missing
process.user                        become user 5:6, groups 7,8
process.cwd                         go to /tmp, where that was denied
process.user.umask                  set umask 0022
process.args                        exec id with 0 variables
)");
}

}  // namespace
}  // namespace skiff
