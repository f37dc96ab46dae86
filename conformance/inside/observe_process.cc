#include <dirent.h>
#include <grp.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <vector>

#include "conformance/inside/observe.h"

namespace skiff::inside {
namespace {

// In the order of their numbers: capabilities(7).
constexpr std::array<std::string_view, 41> capability_names = {"CAP_CHOWN",
                                                               "CAP_DAC_OVERRIDE",
                                                               "CAP_DAC_READ_SEARCH",
                                                               "CAP_FOWNER",
                                                               "CAP_FSETID",
                                                               "CAP_KILL",
                                                               "CAP_SETGID",
                                                               "CAP_SETUID",
                                                               "CAP_SETPCAP",
                                                               "CAP_LINUX_IMMUTABLE",
                                                               "CAP_NET_BIND_SERVICE",
                                                               "CAP_NET_BROADCAST",
                                                               "CAP_NET_ADMIN",
                                                               "CAP_NET_RAW",
                                                               "CAP_IPC_LOCK",
                                                               "CAP_IPC_OWNER",
                                                               "CAP_SYS_MODULE",
                                                               "CAP_SYS_RAWIO",
                                                               "CAP_SYS_CHROOT",
                                                               "CAP_SYS_PTRACE",
                                                               "CAP_SYS_PACCT",
                                                               "CAP_SYS_ADMIN",
                                                               "CAP_SYS_BOOT",
                                                               "CAP_SYS_NICE",
                                                               "CAP_SYS_RESOURCE",
                                                               "CAP_SYS_TIME",
                                                               "CAP_SYS_TTY_CONFIG",
                                                               "CAP_MKNOD",
                                                               "CAP_LEASE",
                                                               "CAP_AUDIT_WRITE",
                                                               "CAP_AUDIT_CONTROL",
                                                               "CAP_SETFCAP",
                                                               "CAP_MAC_OVERRIDE",
                                                               "CAP_MAC_ADMIN",
                                                               "CAP_SYSLOG",
                                                               "CAP_WAKE_ALARM",
                                                               "CAP_BLOCK_SUSPEND",
                                                               "CAP_AUDIT_READ",
                                                               "CAP_PERFMON",
                                                               "CAP_BPF",
                                                               "CAP_CHECKPOINT_RESTORE"};

struct LimitName {
  std::string_view name;
  int number;
};
constexpr std::array<LimitName, 16> limit_names = {{{"RLIMIT_AS", RLIMIT_AS},
                                                    {"RLIMIT_CORE", RLIMIT_CORE},
                                                    {"RLIMIT_CPU", RLIMIT_CPU},
                                                    {"RLIMIT_DATA", RLIMIT_DATA},
                                                    {"RLIMIT_FSIZE", RLIMIT_FSIZE},
                                                    {"RLIMIT_LOCKS", RLIMIT_LOCKS},
                                                    {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
                                                    {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
                                                    {"RLIMIT_NICE", RLIMIT_NICE},
                                                    {"RLIMIT_NOFILE", RLIMIT_NOFILE},
                                                    {"RLIMIT_NPROC", RLIMIT_NPROC},
                                                    {"RLIMIT_RSS", RLIMIT_RSS},
                                                    {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
                                                    {"RLIMIT_RTTIME", RLIMIT_RTTIME},
                                                    {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
                                                    {"RLIMIT_STACK", RLIMIT_STACK}}};

std::string names_in(unsigned long long mask) {
  Text list('[');
  for (std::size_t i = 0; i < capability_names.size(); ++i) {
    if ((mask >> i & 1) != 0) list.add("", capability_names[i]);
  }
  return list.finish();
}

std::string capabilities(const std::string &status) {
  struct Set {
    std::string_view field;
    std::string_view key;
  };
  constexpr std::array<Set, 5> sets = {{{"CapBnd", "bounding"},
                                        {"CapEff", "effective"},
                                        {"CapInh", "inheritable"},
                                        {"CapPrm", "permitted"},
                                        {"CapAmb", "ambient"}}};
  Text out('{');
  for (const Set &set : sets) {
    const std::string mask = status_field(status, set.field);
    if (!mask.empty()) out.raw(set.key, names_in(std::strtoull(mask.c_str(), nullptr, 16)));
  }
  return out.finish();
}

std::string limits() {
  Text out('{');
  for (const auto &[name, number] : limit_names) {
    rlimit64 limit{};
    if (::prlimit64(0, static_cast<__rlimit_resource>(number), nullptr, &limit) != 0) continue;
    Text one('{');
    one.add_unsigned("soft", limit.rlim_cur);
    one.add_unsigned("hard", limit.rlim_max);
    out.raw(name, one.finish());
  }
  return out.finish();
}

std::string ids() {
  std::array<uid_t, 3> uid{};
  std::array<gid_t, 3> gid{};
  (void)::getresuid(uid.data(), &uid[1], &uid[2]);
  (void)::getresgid(gid.data(), &gid[1], &gid[2]);
  Text out('{');
  out.add("uid", uid[0]);
  out.add("euid", uid[1]);
  out.add("suid", uid[2]);
  out.add("gid", gid[0]);
  out.add("egid", gid[1]);
  out.add("sgid", gid[2]);
  return out.finish();
}

std::string groups() {
  std::vector<gid_t> all(65536);
  const int count = ::getgroups(static_cast<int>(all.size()), all.data());
  Text list('[');
  for (int i = 0; i < count; ++i) list.add("", all[static_cast<std::size_t>(i)]);
  return list.finish();
}

std::string strings(char **words) {
  Text list('[');
  for (; *words != nullptr; ++words) list.add("", *words);
  return list.finish();
}

// The descriptors that were open before this program opened any.
std::string descriptors() {
  Text list('[');
  DIR *directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) return list.finish();
  const std::string own = std::to_string(::dirfd(directory));
  while (const dirent *entry = ::readdir(directory)) {
    const std::string name = entry->d_name;
    if (name[0] == '.' || name == own) continue;
    std::array<char, 4096> target{};
    const ssize_t size = ::readlinkat(::dirfd(directory), entry->d_name, target.data(), target.size());
    Text one('{');
    one.add("fd", name);
    one.add("target", std::string_view(target.data(), size < 0 ? 0 : static_cast<std::size_t>(size)));
    list.raw("", one.finish());
  }
  ::closedir(directory);
  return list.finish();
}

std::string scheduling() {
  sched_param parameter{};
  (void)::sched_getparam(0, &parameter);
  Text out('{');
  out.add("policy", ::sched_getscheduler(0) & ~SCHED_RESET_ON_FORK);
  out.add("priority", parameter.sched_priority);
  out.add("nice", ::getpriority(PRIO_PROCESS, 0));
  const long priority = ::syscall(SYS_ioprio_get, 1, 0);
  out.add("ioClass", priority >> 13);
  out.add("ioPriority", priority & 0x1fff);
  return out.finish();
}

}  // namespace

void observe_process(Text &out, int argc, char **argv) {
  out.raw("fds", descriptors());
  (void)argc;
  out.raw("argv", strings(argv));
  out.raw("env", strings(environ));
  std::array<char, 4096> cwd{};
  if (::getcwd(cwd.data(), cwd.size()) != nullptr) out.add("cwd", cwd.data());
  out.add("pid", ::getpid());
  out.add("ppid", ::getppid());
  out.add("sid", ::getsid(0));
  out.raw("ids", ids());
  out.raw("groups", groups());
  const mode_t mask = ::umask(0);
  (void)::umask(mask);
  out.add("umask", mask);
  const std::string status = read_file("/proc/self/status");
  out.raw("capabilities", capabilities(status));
  out.add("noNewPrivileges", ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
  out.add("seccomp", status_field(status, "Seccomp"));
  out.add("blockedSignals", status_field(status, "SigBlk"));
  out.add("ignoredSignals", status_field(status, "SigIgn"));
  out.add("cpus", status_field(status, "Cpus_allowed_list"));
  out.add("memoryNodes", status_field(status, "Mems_allowed_list"));
  out.raw("rlimits", limits());
  out.add("oomScoreAdj", std::strtol(read_file("/proc/self/oom_score_adj").c_str(), nullptr, 10));
  out.raw("scheduler", scheduling());
  out.add("personality", ::personality(0xffffffff));
  out.add("label", read_file("/proc/self/attr/current"));
}

}  // namespace skiff::inside
