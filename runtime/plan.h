// What a create or an exec will do, decided completely before anything is touched.
//
// make_plan(config, host) is pure. A plan is: how the init process is launched (Launch), what the parent does to it
// from outside (cgroup, id maps), and the list of steps that init applies in order inside its namespaces. One loop
// applies the steps; each carries the field of config.json it comes from, which is the place that its errors name. The
// plan prints as text, one line a step (plan_text.h): `skiff plan`, `--debug` and the golden tests read the same lines.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/cgroup_plan.h"
#include "runtime/host.h"
#include "spec/config.h"

namespace skiff {

struct SeccompProgram;  // bpf.h

// ---- launch ----

struct Join {
  std::string field;       // linux.namespaces[2] (network)
  std::uint64_t flag = 0;  // CLONE_NEWNET
  std::string path;
};

struct IdMaps {
  std::vector<spec::IdMapping> uids;
  std::vector<spec::IdMapping> gids;
};

struct TimeOffsetLine {
  std::string clock;  // monotonic, boottime
  std::int64_t secs = 0;
  std::uint32_t nanosecs = 0;
};

// How the init process comes into being. Two shapes: one clone3 with every new namespace where nothing is joined; a
// relay child that joins first and then clones init as the parent's own child where a namespace has a path. Only a new
// time namespace comes later, made by who is to be in it: unshare(2) makes it for children, setns(2) moves into it.
struct Launch {
  std::uint64_t new_namespaces = 0;  // CLONE_NEW* of clone3; never CLONE_NEWCGROUP (see UnshareCgroup) or CLONE_NEWTIME
  bool new_time_namespace = false;
  // Making a network namespace takes the kernel as long as all the others together, so the parent makes it while init
  // mounts (JoinNetwork). Not in a new user namespace, which must own it, nor where processes are joined to others.
  bool network_apart = false;
  std::vector<Join> joins;        // in the order of joining: user first, mount last
  std::optional<IdMaps> id_maps;  // of a new user namespace
  std::vector<TimeOffsetLine> time_offsets;
};

// ---- steps of init, in the order in which they may appear ----

struct UnshareCgroup {};  // after init sits in its cgroup: clone3 would root the namespace in the parent's
struct JoinSessionKeyring {
  std::string name;               // "_ses.ID"
  std::uint32_t permissions = 0;  // KEY_* bits added, by which a later exec finds the keyring again; 0 in an exec
  std::string label;              // process.selinuxLabel, or empty
};
struct JoinNetwork {};  // the namespace that the parent has made meanwhile: Launch::network_apart
struct LoopbackUp {};
struct SetHostname {
  std::string name;
};
struct SetDomainname {
  std::string name;
};

// mount_setattr("/", propagation): what reaches the host from the container's mount namespace, and back. Never
// MS_UNBINDABLE, with which the rootfs and every bind source would refuse to be bound: that one waits for
// SetRootPropagation.
struct SetPropagation {
  std::uint64_t propagation = 0;  // MS_SLAVE, MS_PRIVATE, MS_SHARED
  bool recursive = true;
};

// The rootfs becomes a mount of its own, over itself, private, and the directory every later path is resolved in.
struct AttachRootfs {
  std::string path;  // absolute
  // The mount that `path` lies on gets this first, MS_SLAVE or MS_PRIVATE: pivot_root(2) refuses a shared parent, and
  // what is attached below one appears on the host too. 0 where no mount is shared any more, and with host_mounts,
  // where that mount is the host's.
  std::uint64_t parent_propagation = 0;
};

struct MountAttributes {
  std::uint64_t set = 0;  // MOUNT_ATTR_*
  std::uint64_t clear = 0;
};

// One entry of `mounts`, or a mount that the runtime adds.
struct MountStep {
  enum class Kind : std::uint8_t {
    filesystem,  // fsopen(type), options, fsmount
    bind,        // open_tree(source)
    cgroup,      // type "cgroup": whatever this host's layout asks for
    remount,     // changes the mount that is there
  };
  Kind kind = Kind::filesystem;
  std::string type;
  std::string source;                                        // bind: absolute on the host
  std::string destination;                                   // absolute inside the rootfs
  std::vector<std::pair<std::string, std::string>> options;  // of the filesystem; an empty second is a flag
  std::uint64_t superblock_flags = 0;  // MS_RDONLY, MS_SYNCHRONOUS, MS_DIRSYNC, MS_LAZYTIME... as fsconfig flags
  MountAttributes attributes;
  // bind: cleared as well, as the remount of mount(2) that callers know does, but left out where that is EPERM (the
  // flag is locked: the source comes from a more privileged mount namespace, mount_namespaces(7)).
  std::uint64_t clear_unless_locked = 0;
  MountAttributes recursive_attributes;    // rro, rnosuid...
  std::vector<std::uint64_t> propagation;  // in the order written; MS_REC is or-ed in where recursive
  bool recursive = false;                  // rbind
  bool readonly_last = false;         // a tmpfs, or what is on /dev: takes mount points and nodes first, ro is late
  bool copy_up = false;               // tmpcopyup
  bool copy_symlink = false;          // a source that is a symbolic link becomes that link (Podman's copy-symlink)
  bool source_nofollow = false;       // src-nofollow
  bool destination_nofollow = false;  // dest-nofollow
  std::optional<IdMaps> id_maps;      // an id-mapped mount
  bool id_map_of_container = false;   // "idmap" without own mappings: those of the container's user namespace
  bool id_map_recursive = false;      // ridmap
  std::string data_label;             // SELinux context= option, or empty
  std::string data_label_option = "context";  // or the option that run.oci.mount_context_type asks for
};

struct MakeDevice {
  std::string path;        // absolute inside the rootfs
  std::uint32_t mode = 0;  // type and permission bits: S_IFCHR | 0666
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  bool bind_from_host = false;  // in a user namespace mknod is refused: the host's node is bound
};

// A symbolic link under /dev: fd, stdin, stdout, stderr, core, ptmx.
struct MakeSymlink {
  std::string path;
  std::string target;
};

struct RunHooks {
  enum class Kind : std::uint8_t { prestart, create_runtime, create_container, start_container, poststart, poststop };
  Kind kind = Kind::create_runtime;
  std::vector<spec::Hook> hooks;
};

struct PivotRoot {
  enum class Way : std::uint8_t { pivot, move, chroot };  // move: --no-pivot; chroot: no new mount namespace
  Way way = Way::pivot;
};
// A pty pair from the container's devpts; its end becomes stdin, stdout and stderr.
struct SetupConsole {
  std::optional<spec::ConsoleSize> size;
  bool dev_console = true;  // and is bound to /dev/console; not where nothing is mounted, nor in an exec
  bool translates = true;   // "\n" to "\r\n" (ONLCR); the terminal in front of a foreground command does that already
};
struct SetRootPropagation {
  std::uint64_t propagation = 0;  // MS_SHARED or MS_UNBINDABLE, with MS_REC where recursive
};
struct SetSysctl {
  std::string key;
  std::string value;
};
struct MakeReadonly {
  std::string path;
};
struct MaskPath {
  std::string path;
};
struct FinishReadonly {
  std::string destination;
};  // of a MountStep with readonly_last
struct RootReadonly {};

// ---- steps of the process, the same for init and for exec ----

struct NewSession {};  // setsid, and the controlling terminal where there is one
struct SetRlimit {
  int resource = 0;
  std::string name;  // RLIMIT_NOFILE
  std::uint64_t soft = 0, hard = 0;
};
struct SetScheduler {
  spec::Scheduler scheduler;
  bool limited_cpus = false;  // linux.resources.cpu.cpus: the kernel refuses SCHED_DEADLINE on some of the processors
};
struct SetIoPriority {
  spec::IoPriority priority;
};
struct SetMemoryPolicy {
  spec::MemoryPolicy policy;
};
struct SetPersonality {
  std::uint64_t personality = 0;
};
struct SetUmask {
  std::uint32_t umask = 0;
};
struct SetApparmorProfile {
  std::string profile;
  bool no_new_privileges = false;  // a runtime that is confined itself can then only add a profile to its own
};
struct SetSelinuxLabel {
  std::string label;
};
struct LoadSeccomp {
  std::vector<sock_filter> program;  // empty where PlanOptions::defer_seccomp asked for that
  std::uint32_t flags = 0;           // SECCOMP_FILTER_FLAG_*, without NEW_LISTENER
  bool listener = false;             // the notify descriptor goes to listenerPath
};
struct DropBounding {
  std::uint64_t keep = 0;
};  // bit n is capability n
struct SetUser {
  std::uint32_t uid = 0, gid = 0;
  std::vector<std::uint32_t> additional_gids;
  bool keep_groups = false;  // setgroups is denied in this user namespace, or run.oci.keep_original_groups asks for it
};
struct SetCapabilities {
  std::uint64_t effective = 0, permitted = 0, inheritable = 0, ambient = 0;
};
// Twice for a user who is not root: before the change of user, because /root is a usual cwd of an unprivileged user;
// and after it, because root of a user namespace may be refused where the user is not.
struct ChangeDirectory {
  std::string path;
  bool create = false;         // cwd is made where it is missing, as the callers expect
  bool may_be_denied = false;  // EACCES is no error yet: the step with `again` follows
  bool again = false;          // nothing to do unless the step before was denied
};
struct NoNewPrivileges {};

using Action = std::variant<UnshareCgroup, JoinSessionKeyring, JoinNetwork, LoopbackUp, SetHostname, SetDomainname,
                            SetPropagation, AttachRootfs, MountStep, MakeDevice, MakeSymlink, RunHooks, PivotRoot,
                            SetupConsole, SetRootPropagation, SetSysctl, MakeReadonly, MaskPath, FinishReadonly,
                            RootReadonly, NewSession, SetRlimit, SetScheduler, SetIoPriority, SetMemoryPolicy,
                            SetPersonality, SetUmask, SetApparmorProfile, SetSelinuxLabel, LoadSeccomp, DropBounding,
                            SetUser, SetCapabilities, ChangeDirectory, NoNewPrivileges>;

struct Step {
  std::string
      field;  // "mounts[3] (/data)", "process.rlimits[0]", or what the runtime adds by itself: "default devices"
  Action action;
};

// linux.intelRdt: the container's place below the root of the mounted resctrl filesystem.
struct IntelRdtPlan {
  std::string group;                  // a directory's name, or empty for the root: the default class of service
  bool create = false;                // made where it is missing; otherwise missing is an error
  bool remove = false;                // with the container, where this create has made it
  std::vector<std::string> schemata;  // lines, in the order in which they are written; none: the file is left alone
  std::string monitor_group;          // a directory's name below the group's mon_groups, or empty
};

// The program at the end.
struct Program {
  std::vector<std::string> args;
  std::vector<std::string> env;     // HOME is added from the container's passwd where it is missing
  std::uint32_t uid = 0;            // whose HOME
  std::uint32_t preserved_fds = 0;  // descriptors 3 to 3+n-1 stay open (LISTEN_FDS, --preserve-fds)
};

struct Plan {
  std::string id;
  std::string bundle;  // absolute
  std::string rootfs;  // absolute
  Launch launch;
  CgroupPlan cgroup;
  std::optional<std::int32_t> oom_score_adj;  // by the parent: a user namespace's root may not write it
  std::vector<Step> outer_rlimits;            // SetRlimit by the parent, where a user namespace could not raise them
  std::vector<std::pair<std::string, std::string>> net_devices;  // host name, name inside
  std::optional<IntelRdtPlan> intel_rdt;
  std::string seccomp_listener_path;
  std::string seccomp_listener_metadata;
  bool host_mounts = false;      // without a mount namespace: what is mounted stays on the host (host_mounts.h)
  std::string notify_directory;  // to be made before the mounts' sources are opened; empty: none
  std::vector<Step> steps;
  bool terminal = false;
  Program program;
  std::vector<std::string> warnings;  // unknown capabilities and the like: logged, not errors
};

// Where a container that notifies its service manager (notify.h) sees the socket.
inline constexpr const char *notify_mount_point = "/run/notify";
inline constexpr const char *notify_variable = "NOTIFY_SOCKET=/run/notify/notify.sock";

// How the command line changes the plan.
struct PlanOptions {
  std::string id;
  std::string bundle;  // absolute
  bool no_pivot = false;
  bool no_new_keyring = false;
  bool systemd_cgroup = false;
  bool disable_cgroups = false;
  bool foreground = false;  // the terminal stays with the command
  std::uint32_t preserve_fds = 0;
  std::string notify_directory = {};        // of the host, for the socket that NOTIFY_SOCKET names inside; empty: none
  const SeccompProgram *seccomp = nullptr;  // borrowed: linux.seccomp as compiled before (bpf.h); null: compiled now
  bool defer_seccomp = false;  // without `seccomp`: LoadSeccomp's program stays empty for the caller to fill
};

// The plan of create and run. Errors name the field; they are those that need the host's facts (everything else is
// spec::check's).
[[nodiscard]] Result<Plan> make_plan(const spec::Config &config, const Host &host, const PlanOptions &options);

// What exec applies after joining: `process` is the process to run, `config` the container's own configuration, whose
// seccomp profile counts here too.
struct ExecPlan {
  std::vector<Step> steps;
  std::vector<Step> outer_rlimits;  // SetRlimit by the parent, before the process joins a user namespace
  std::optional<std::int32_t> oom_score_adj;
  std::optional<spec::CpuAffinity> cpu_affinity;  // process.execCPUAffinity
  std::string seccomp_listener_path;
  std::string seccomp_listener_metadata;
  bool terminal = false;  // SetupConsole comes before the steps, by whoever applies them
  SetupConsole console;
  Program program;
  std::vector<std::string> warnings;
};
struct ExecOptions {
  std::string id;
  bool no_new_keyring = false;  // as at create
  bool foreground = false;      // as in PlanOptions
  std::uint32_t preserve_fds = 0;
  const SeccompProgram *seccomp = nullptr;  // as in PlanOptions
  bool defer_seccomp = false;
};
[[nodiscard]] Result<ExecPlan> make_exec_plan(const spec::Process &process, const spec::Config &config,
                                              const Host &host, const ExecOptions &options);

}  // namespace skiff
