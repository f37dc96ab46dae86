// The members of a process, for Reader and Writer: their names, and the clause that describes them.
#pragma once

#include "spec/config.h"
#include "spec/reader.h"

namespace skiff::spec {

void fields(auto &v, Like<ConsoleSize> auto &size) {
  v.always("height", size.height);
  v.always("width", size.width);
}

void fields(auto &v, Like<User> auto &user) {
  v.clause("config.md, POSIX-platform User");
  v.always("uid", user.uid);
  v.always("gid", user.gid);
  v.optional("umask", user.umask);
  v.optional("additionalGids", user.additional_gids);
  v.optional("username", user.username);
}

void fields(auto &v, Like<Capabilities> auto &capabilities) {
  v.clause("config.md, Linux Process");
  v.optional("bounding", capabilities.bounding);
  v.optional("effective", capabilities.effective);
  v.optional("inheritable", capabilities.inheritable);
  v.optional("permitted", capabilities.permitted);
  v.optional("ambient", capabilities.ambient);
}

void fields(auto &v, Like<Rlimit> auto &rlimit) {
  v.clause("config.md, POSIX process");
  v.required("type", rlimit.type);
  v.required("hard", rlimit.hard);
  v.required("soft", rlimit.soft);
}

void fields(auto &v, Like<Scheduler> auto &scheduler) {
  v.clause("config.md, Linux Process");
  v.required("policy", scheduler.policy);
  v.optional("nice", scheduler.nice);
  v.optional("priority", scheduler.priority);
  v.optional("flags", scheduler.flags);
  v.optional("runtime", scheduler.runtime);
  v.optional("deadline", scheduler.deadline);
  v.optional("period", scheduler.period);
}

void fields(auto &v, Like<IoPriority> auto &priority) {
  v.clause("config.md, Linux Process");
  v.required("class", priority.class_);
  v.always("priority", priority.priority);
}

void fields(auto &v, Like<CpuAffinity> auto &affinity) {
  v.clause("config.md, Linux Process");
  v.optional("initial", affinity.initial);
  v.optional("final", affinity.final);
}

void fields(auto &v, Like<Process> auto &process) {
  v.clause("config.md, Process");
  v.optional("terminal", process.terminal);
  v.optional("consoleSize", process.console_size);
  v.always("user", process.user);
  v.optional("args", process.args);
  v.optional("env", process.env);
  v.always("cwd", process.cwd);
  v.clause("config.md, Linux Process");
  v.optional("capabilities", process.capabilities);
  v.clause("config.md, POSIX process");
  v.optional("rlimits", process.rlimits);
  v.clause("config.md, Linux Process");
  v.optional("noNewPrivileges", process.no_new_privileges);
  v.optional("apparmorProfile", process.apparmor_profile);
  v.optional("oomScoreAdj", process.oom_score_adj);
  v.optional("scheduler", process.scheduler);
  v.optional("selinuxLabel", process.selinux_label);
  v.optional("ioPriority", process.io_priority);
  v.optional("execCPUAffinity", process.exec_cpu_affinity);
}

}  // namespace skiff::spec
