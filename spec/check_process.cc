#include <fmt/format.h>

#include <array>

#include "spec/check.h"

namespace skiff::spec {

namespace {

constexpr std::array<std::string_view, 16> rlimit_names = {
    "RLIMIT_AS",      "RLIMIT_CORE",     "RLIMIT_CPU",        "RLIMIT_DATA",   "RLIMIT_FSIZE", "RLIMIT_LOCKS",
    "RLIMIT_MEMLOCK", "RLIMIT_MSGQUEUE", "RLIMIT_NICE",       "RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_RSS",
    "RLIMIT_RTPRIO",  "RLIMIT_RTTIME",   "RLIMIT_SIGPENDING", "RLIMIT_STACK"};
constexpr std::array<std::string_view, 7> policy_names = {"SCHED_OTHER", "SCHED_FIFO", "SCHED_RR",      "SCHED_BATCH",
                                                          "SCHED_ISO",   "SCHED_IDLE", "SCHED_DEADLINE"};
constexpr std::array<std::string_view, 7> scheduler_flag_names = {
    "SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM",        "SCHED_FLAG_DL_OVERRUN",    "SCHED_FLAG_KEEP_POLICY",
    "SCHED_FLAG_KEEP_PARAMS",   "SCHED_FLAG_UTIL_CLAMP_MIN", "SCHED_FLAG_UTIL_CLAMP_MAX"};
constexpr std::array<std::string_view, 3> io_class_names = {"IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"};

void check_user(Checker &c, const Place &at, const User &user) {
  c.clause("config.md, POSIX-platform User");
  if (user.umask) c.in_range(at / "umask", *user.umask, 0, 0777, "JSON numbers are decimal: 022 is written 18");
}

void check_rlimits(Checker &c, const Place &at, const std::vector<Rlimit> &rlimits) {
  c.clause("config.md, POSIX process");
  std::array<bool, rlimit_names.size()> seen{};
  for (std::size_t i = 0; i < rlimits.size(); ++i) {
    const Rlimit &rlimit = rlimits[i];
    const Place here = at / i;
    if (c.known(here / "type", rlimit.type, rlimit_names)) {
      bool &before = seen[*find_name(rlimit_names, rlimit.type)];
      if (before) c.add(here / "type", fmt::format("{} is given twice", rlimit.type), "keep one of the two");
      before = true;
    }
    if (rlimit.soft > rlimit.hard && !c.doubtful(here / "hard")) {
      c.add(here / "soft", fmt::format("soft limit {} is above the hard limit {}", rlimit.soft, rlimit.hard),
            "lower soft or raise hard");
    }
  }
}

void check_deadline(Checker &c, const Place &at, const Scheduler &scheduler) {
  // sched_setattr(2): sched_runtime <= sched_deadline <= sched_period, and a period of 0 is the deadline.
  if (scheduler.runtime == 0) c.add(at / "runtime", "is required by SCHED_DEADLINE");
  if (scheduler.deadline < scheduler.runtime) {
    c.add(at / "deadline", fmt::format("{} is below runtime, {}", scheduler.deadline, scheduler.runtime));
  }
  if (scheduler.period != 0 && scheduler.period < scheduler.deadline) {
    c.add(at / "period", fmt::format("{} is below deadline, {}", scheduler.period, scheduler.deadline));
  }
}

void check_scheduler(Checker &c, const Place &at, const Scheduler &scheduler) {
  c.clause("config.md, Linux Process");
  c.all_known(at / "flags", scheduler.flags, scheduler_flag_names);
  if (!c.known(at / "policy", scheduler.policy, policy_names) || c.doubtful(at / "policy")) return;
  const std::string_view policy = scheduler.policy;
  if (policy == "SCHED_OTHER" || policy == "SCHED_BATCH") c.in_range(at / "nice", scheduler.nice, -20, 19);
  if (policy == "SCHED_FIFO" || policy == "SCHED_RR") {
    c.in_range(at / "priority", scheduler.priority, 1, 99, fmt::format("{} needs a priority", policy));
  } else if (scheduler.priority != 0) {
    c.add(at / "priority", fmt::format("{} has no priority", policy), "use SCHED_FIFO or SCHED_RR, or nice instead");
  }
  if (policy == "SCHED_DEADLINE") {
    check_deadline(c, at, scheduler);
    return;
  }
  const std::string text = fmt::format("is of SCHED_DEADLINE only, the policy is {}", policy);
  if (scheduler.runtime != 0) c.add(at / "runtime", text);
  if (scheduler.deadline != 0) c.add(at / "deadline", text);
  if (scheduler.period != 0) c.add(at / "period", text);
}

void check_priorities(Checker &c, const Place &at, const Process &process) {
  c.clause("config.md, Linux Process");
  if (process.oom_score_adj) c.in_range(at / "oomScoreAdj", *process.oom_score_adj, -1000, 1000);
  if (process.scheduler) check_scheduler(c, at / "scheduler", *process.scheduler);
  if (process.io_priority) {
    const Place here = at / "ioPriority";
    c.known(here / "class", process.io_priority->class_, io_class_names);
    c.in_range(here / "priority", process.io_priority->priority, 0, 7, "0 is the highest");
  }
  if (process.exec_cpu_affinity) {
    const Place here = at / "execCPUAffinity";
    c.cpu_list(here / "initial", process.exec_cpu_affinity->initial);
    c.cpu_list(here / "final", process.exec_cpu_affinity->final);
  }
}

}  // namespace

void check_environment(Checker &c, const Place &at, const std::vector<std::string> &env) {
  for (std::size_t i = 0; i < env.size(); ++i) {
    const std::size_t equals = env[i].find('=');
    if (equals == std::string::npos) {
      c.add(at / i, fmt::format("{} has no =", quote(env[i])), "write NAME=VALUE");
    } else if (equals == 0) {
      c.add(at / i, fmt::format("{} has no name", quote(env[i])), "write NAME=VALUE");
    }
  }
}

void check_process(Checker &c, const Place &at, const Process &process) {
  c.clause("config.md, Process");
  c.absolute(at / "cwd", process.cwd);
  if (process.args.empty()) c.add(at / "args", "at least one entry is required", "name the program to run");
  // An empty args[0] is execvp's business, not this clause's: it fails there with ENOENT.
  check_environment(c, at / "env", process.env);
  check_user(c, at / "user", process.user);
  check_rlimits(c, at / "rlimits", process.rlimits);
  check_priorities(c, at, process);
}

}  // namespace skiff::spec
