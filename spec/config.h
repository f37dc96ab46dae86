// runtime-spec 1.3.0, config.json, the Linux platform: every field as a typed value under its JSON name in snake_case.
//
// Values only. An optional is a field whose absence means something else than its zero value. Unknown properties are
// ignored (config.md, "Extensibility"); fields of other platforms (windows, solaris, zos, freebsd, vm) are not kept.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/error.h"

namespace skiff::spec {

using StringMap = std::map<std::string, std::string>;

// ---- process ----

struct ConsoleSize {
  std::uint32_t height = 0;
  std::uint32_t width = 0;
};

struct User {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::optional<std::uint32_t> umask;
  std::vector<std::uint32_t> additional_gids;
  std::string username;
};

// Names as the spec writes them (CAP_CHOWN). A name that the kernel does not know is a warning, not an error
// (config.md, "Linux Process").
struct Capabilities {
  std::vector<std::string> bounding;
  std::vector<std::string> effective;
  std::vector<std::string> inheritable;
  std::vector<std::string> permitted;
  std::vector<std::string> ambient;
};

struct Rlimit {
  std::string type;  // RLIMIT_NOFILE
  std::uint64_t hard = 0;
  std::uint64_t soft = 0;
};

struct Scheduler {
  std::string policy;  // SCHED_OTHER
  std::int32_t nice = 0;
  std::int32_t priority = 0;
  std::vector<std::string> flags;  // SCHED_FLAG_RESET_ON_FORK
  std::uint64_t runtime = 0;
  std::uint64_t deadline = 0;
  std::uint64_t period = 0;
};

struct IoPriority {
  std::string class_;  // "class": IOPRIO_CLASS_BE
  std::int32_t priority = 0;
};

struct CpuAffinity {
  std::string initial;  // cpu lists: "0-3,7"
  std::string final;
};

struct Process {
  bool terminal = false;
  std::optional<ConsoleSize> console_size;
  User user;
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::string cwd;
  std::optional<Capabilities> capabilities;
  std::vector<Rlimit> rlimits;
  bool no_new_privileges = false;
  std::string apparmor_profile;
  std::optional<std::int32_t> oom_score_adj;
  std::optional<Scheduler> scheduler;
  std::string selinux_label;
  std::optional<IoPriority> io_priority;
  std::optional<CpuAffinity> exec_cpu_affinity;
};

// ---- root, mounts, hooks ----

struct Root {
  std::string path;
  bool readonly = false;
};

struct IdMapping {
  std::uint32_t container_id = 0;  // "containerID"
  std::uint32_t host_id = 0;       // "hostID"
  std::uint32_t size = 0;
};

struct Mount {
  std::string destination;
  std::string type;
  std::string source;
  std::vector<std::string> options;
  std::vector<IdMapping> uid_mappings;
  std::vector<IdMapping> gid_mappings;
};

struct Hook {
  std::string path;
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::optional<std::int32_t> timeout;  // seconds
};

struct Hooks {
  std::vector<Hook> prestart;
  std::vector<Hook> create_runtime;
  std::vector<Hook> create_container;
  std::vector<Hook> start_container;
  std::vector<Hook> poststart;
  std::vector<Hook> poststop;
};

// ---- linux ----

enum class NamespaceType : std::uint8_t { pid, network, mount, ipc, uts, user, cgroup, time };
inline constexpr std::array<std::string_view, 8> namespace_type_names = {"pid", "network", "mount",  "ipc",
                                                                         "uts", "user",    "cgroup", "time"};

struct Namespace {
  NamespaceType type = NamespaceType::pid;
  std::string path;  // empty: a new namespace
};

struct Device {
  std::string path;
  std::string type;  // c, b, u or p
  std::int64_t major = 0;
  std::int64_t minor = 0;
  std::optional<std::uint32_t> file_mode;
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;
};

struct NetDevice {
  std::string name;  // the name inside the container; empty: unchanged
};

struct DeviceCgroup {
  bool allow = false;
  std::string type;                   // a, c, b, or empty for a
  std::optional<std::int64_t> major;  // absent: any
  std::optional<std::int64_t> minor;
  std::string access;  // of r, w, m
};

struct Memory {
  std::optional<std::int64_t> limit;
  std::optional<std::int64_t> reservation;
  std::optional<std::int64_t> swap;
  std::optional<std::int64_t> kernel;
  std::optional<std::int64_t> kernel_tcp;  // "kernelTCP"
  std::optional<std::uint64_t> swappiness;
  std::optional<bool> disable_oom_killer;  // "disableOOMKiller"
  std::optional<bool> use_hierarchy;
  std::optional<bool> check_before_update;
};

struct Cpu {
  std::optional<std::uint64_t> shares;
  std::optional<std::int64_t> quota;
  std::optional<std::uint64_t> burst;
  std::optional<std::uint64_t> period;
  std::optional<std::int64_t> realtime_runtime;
  std::optional<std::uint64_t> realtime_period;
  std::string cpus;
  std::string mems;
  std::optional<std::int64_t> idle;
};

struct Pids {
  std::optional<std::int64_t> limit;
};

struct WeightDevice {
  std::int64_t major = 0;
  std::int64_t minor = 0;
  std::optional<std::uint16_t> weight;
  std::optional<std::uint16_t> leaf_weight;
};

struct ThrottleDevice {
  std::int64_t major = 0;
  std::int64_t minor = 0;
  std::uint64_t rate = 0;
};

struct BlockIo {
  std::optional<std::uint16_t> weight;
  std::optional<std::uint16_t> leaf_weight;
  std::vector<WeightDevice> weight_device;
  std::vector<ThrottleDevice> throttle_read_bps_device;
  std::vector<ThrottleDevice> throttle_write_bps_device;
  std::vector<ThrottleDevice> throttle_read_iops_device;
  std::vector<ThrottleDevice> throttle_write_iops_device;
};

struct HugepageLimit {
  std::string page_size;  // 2MB, 1GB
  std::uint64_t limit = 0;
};

struct InterfacePriority {
  std::string name;
  std::uint32_t priority = 0;
};

struct NetworkResources {
  std::optional<std::uint32_t> class_id;  // "classID"
  std::vector<InterfacePriority> priorities;
};

struct Rdma {
  std::optional<std::uint32_t> hca_handles;
  std::optional<std::uint32_t> hca_objects;
};

struct Resources {
  std::vector<DeviceCgroup> devices;
  std::optional<Memory> memory;
  std::optional<Cpu> cpu;
  std::optional<Pids> pids;
  std::optional<BlockIo> block_io;  // "blockIO"
  std::vector<HugepageLimit> hugepage_limits;
  std::optional<NetworkResources> network;
  std::map<std::string, Rdma> rdma;
  StringMap unified;
};

enum class SeccompAction : std::uint8_t { kill, kill_process, kill_thread, trap, errno_, trace, allow, log, notify };
inline constexpr std::array<std::string_view, 9> seccomp_action_names = {
    "SCMP_ACT_KILL",  "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP",  "SCMP_ACT_ERRNO",
    "SCMP_ACT_TRACE", "SCMP_ACT_ALLOW",        "SCMP_ACT_LOG",         "SCMP_ACT_NOTIFY"};

enum class SeccompOperator : std::uint8_t { ne, lt, le, eq, ge, gt, masked_eq };
inline constexpr std::array<std::string_view, 7> seccomp_operator_names = {
    "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ"};

// Open sets: a name outside them is a finding of check().
inline constexpr std::array<std::string_view, 23> seccomp_architecture_names = {
    "SCMP_ARCH_X86",         "SCMP_ARCH_X86_64", "SCMP_ARCH_X32",       "SCMP_ARCH_ARM",     "SCMP_ARCH_AARCH64",
    "SCMP_ARCH_MIPS",        "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL",  "SCMP_ARCH_MIPSEL64",
    "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC",    "SCMP_ARCH_PPC64",     "SCMP_ARCH_PPC64LE", "SCMP_ARCH_S390",
    "SCMP_ARCH_S390X",       "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64",  "SCMP_ARCH_RISCV64", "SCMP_ARCH_LOONGARCH64",
    "SCMP_ARCH_M68K",        "SCMP_ARCH_SH",     "SCMP_ARCH_SHEB"};
inline constexpr std::array<std::string_view, 4> seccomp_flag_names = {
    "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"};

struct SeccompArg {
  std::uint32_t index = 0;
  std::uint64_t value = 0;
  std::uint64_t value_two = 0;
  SeccompOperator op = SeccompOperator::eq;
};

struct SeccompSyscall {
  std::vector<std::string> names;
  SeccompAction action = SeccompAction::allow;
  std::optional<std::uint32_t> errno_ret;
  std::vector<SeccompArg> args;
};

struct Seccomp {
  SeccompAction default_action = SeccompAction::allow;
  std::optional<std::uint32_t> default_errno_ret;
  std::vector<std::string> architectures;         // SCMP_ARCH_X86_64
  std::optional<std::vector<std::string>> flags;  // SECCOMP_FILTER_FLAG_LOG; absent: the runtime's default, empty: none
  std::string listener_path;
  std::string listener_metadata;
  std::vector<SeccompSyscall> syscalls;
};

struct IntelRdt {
  std::string clos_id;  // "closID"
  std::vector<std::string> schemata;
  std::string l3_cache_schema;
  std::string mem_bw_schema;
  bool enable_monitoring = false;
};

inline constexpr std::array<std::string_view, 7> memory_policy_mode_names = {
    "MPOL_DEFAULT",   "MPOL_BIND",           "MPOL_INTERLEAVE", "MPOL_WEIGHTED_INTERLEAVE",
    "MPOL_PREFERRED", "MPOL_PREFERRED_MANY", "MPOL_LOCAL"};
inline constexpr std::array<std::string_view, 3> memory_policy_flag_names = {
    "MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES", "MPOL_F_STATIC_NODES"};

struct MemoryPolicy {
  std::string mode;  // MPOL_BIND
  std::string nodes;
  std::vector<std::string> flags;
};

struct Personality {
  std::string domain;  // LINUX, LINUX32
  std::vector<std::string> flags;
};

struct TimeOffset {
  std::int64_t secs = 0;
  std::uint32_t nanosecs = 0;
};

struct Linux {
  std::vector<IdMapping> uid_mappings;
  std::vector<IdMapping> gid_mappings;
  StringMap sysctl;
  std::optional<Resources> resources;
  std::string cgroups_path;
  std::vector<Namespace> namespaces;
  std::vector<Device> devices;
  std::map<std::string, NetDevice> net_devices;  // by the name on the host
  std::optional<Seccomp> seccomp;
  std::string rootfs_propagation;
  std::vector<std::string> masked_paths;
  std::vector<std::string> readonly_paths;
  std::string mount_label;
  std::optional<IntelRdt> intel_rdt;
  std::optional<MemoryPolicy> memory_policy;
  std::optional<Personality> personality;
  std::map<std::string, TimeOffset> time_offsets;  // "monotonic", "boottime"

  // The first namespace of this type, or nullptr.
  [[nodiscard]] const Namespace *find(NamespaceType type) const;
};

struct Config {
  std::string oci_version;  // "ociVersion"
  std::optional<Process> process;
  std::optional<Root> root;
  std::string hostname;
  std::string domainname;
  std::vector<Mount> mounts;
  Hooks hooks;
  StringMap annotations;
  Linux linux_;  // "linux"; absent is the same as empty
  bool has_linux = false;
};

// ---- JSON in and out ----

// One thing wrong with a document.
struct Finding {
  std::string pointer;  // RFC 6901: /mounts/3/source
  std::string text;     // what is wrong
  std::string clause;   // where the spec says so: "config.md, Mounts"; empty for a JSON error
  std::string remedy;   // what to do; may be empty

  // "/mounts/3/source: text; remedy (clause)"
  [[nodiscard]] std::string message() const;
};

// All findings as one Error: one line each, the count first where there are several.
[[nodiscard]] Error findings_error(std::string_view document, const std::vector<Finding> &findings);

// The document as values. Every wrong type and every number out of range is a finding, not the first only; what could
// be read is in the returned Config all the same. JSON that does not parse is one finding with line and column in its
// text.
struct Parsed {
  Config config;
  std::vector<Finding> findings;
};
[[nodiscard]] Parsed parse_config(std::string_view json);

// A process document alone: `exec --process FILE`.
struct ParsedProcess {
  Process process;
  std::vector<Finding> findings;
};
[[nodiscard]] ParsedProcess parse_process(std::string_view json);

// A resources document alone: `update --resources FILE`.
struct ParsedResources {
  Resources resources;
  std::vector<Finding> findings;
};
[[nodiscard]] ParsedResources parse_resources(std::string_view json);

// The values as JSON; what is at its default and optional is left out. parse(print(c)) == c. `pretty` is indented by
// tabs, as other runtimes' `spec` writes it; otherwise one line. Neither ends with a newline.
[[nodiscard]] std::string print_config(const Config &config, bool pretty);
[[nodiscard]] std::string print_process(const Process &process);

// ---- rules between fields ----

// The spec's rules that one field's type does not express: required fields, duplicates, absolute paths, known names,
// ranges, ids without mappings. All findings at once. Touches nothing.
[[nodiscard]] std::vector<Finding> check(const Config &config);
// What parsing found and what the rules find, without the rules' echo of what could not be read. A document that is not
// JSON at all has only its own finding. This is the one to call on a document.
[[nodiscard]] std::vector<Finding> check(const Parsed &parsed);
[[nodiscard]] std::vector<Finding> check(const ParsedProcess &parsed);
[[nodiscard]] std::vector<Finding> check(const ParsedResources &parsed);
// The same for a process alone. `pointer` is its place in the document ("/process", or "" for exec --process).
[[nodiscard]] std::vector<Finding> check(const Process &process, std::string_view pointer);
[[nodiscard]] std::vector<Finding> check(const Resources &resources, std::string_view pointer);

// ---- what `skiff spec` writes ----

[[nodiscard]] Config make_default_config();
// The same for a user without privileges: a user namespace that maps uid and gid to 0, no cgroups, no network
// namespace.
[[nodiscard]] Config make_rootless_config(std::uint32_t uid, std::uint32_t gid);
[[nodiscard]] Config make_rootless(Config config, std::uint32_t uid, std::uint32_t gid);

// ---- what a container of an image starts from ----

// As the default one, but its root can be written to, nothing is a terminal, and it has the capabilities that images'
// entry points count on (chown, setuid, ...): those that engines give.
[[nodiscard]] Config make_container_config();

}  // namespace skiff::spec
