#include "runtime/clone_refusal.h"

#include <fmt/format.h>
#include <sched.h>

#include <array>
#include <charconv>
#include <optional>

namespace skiff {
namespace {

constexpr std::array<std::pair<std::uint64_t, const char *>, 8> limited = {{{CLONE_NEWUSER, "user"},
                                                                            {CLONE_NEWPID, "pid"},
                                                                            {CLONE_NEWNET, "net"},
                                                                            {CLONE_NEWNS, "mnt"},
                                                                            {CLONE_NEWIPC, "ipc"},
                                                                            {CLONE_NEWUTS, "uts"},
                                                                            {CLONE_NEWCGROUP, "cgroup"},
                                                                            {CLONE_NEWTIME, "time"}}};

std::optional<std::uint64_t> read_switch(const kernel::Procfs &proc, const std::string &file) {
  const Result<std::string> text = proc.read_file("sys/" + file);
  if (!text) return std::nullopt;
  std::uint64_t number = 0;
  const bool parsed = std::from_chars(text->data(), text->data() + text->size(), number).ec == std::errc();
  return parsed ? std::optional(number) : std::nullopt;
}

// namespaces(7): a limit for each user, 0 turns the namespace off.
std::string explain_no_space(std::uint64_t flags, const kernel::Procfs &proc) {
  for (const auto &[flag, name] : limited) {
    if ((flags & flag) == 0 || read_switch(proc, fmt::format("user/max_{}_namespaces", name)) != 0) continue;
    return fmt::format("user.max_{0}_namespaces is 0, which turns them off: sysctl user.max_{0}_namespaces=10000",
                       name);
  }
  return "this user has as many namespaces as he may (sysctl user.max_user_namespaces and its like), or they are "
         "nested "
         "32 deep: end containers, or raise the limit";
}

std::string explain_no_permission(const kernel::Procfs &proc) {
  if (read_switch(proc, "kernel/unprivileged_userns_clone") == 0) {
    return "kernel.unprivileged_userns_clone is 0, which leaves user namespaces to root: sysctl "
           "kernel.unprivileged_userns_clone=1, or run as root";
  }
  return "user namespaces are refused in a chroot, and where a seccomp filter or a security module around the runtime "
         "forbids them";
}

std::string remedy_for(int number, const kernel::CloneRequest &request, const kernel::Procfs &proc) {
  if (number == ENOSPC) return explain_no_space(request.flags, proc);
  if (number == EACCES && request.cgroup.valid()) {
    return "to move a process there, this user must own cgroup.procs of the cgroup that has both that one and the "
           "runtime's own in it: start the runtime in a delegated cgroup (systemd-run --user --scope)";
  }
  const bool new_user = (request.flags & CLONE_NEWUSER) != 0;
  return new_user && (number == EPERM || number == EACCES) ? explain_no_permission(proc) : "";
}

}  // namespace

Result<kernel::Child> explain_clone(Result<kernel::Child> child, const kernel::CloneRequest &request,
                                    const kernel::Procfs &proc) {
  if (child) return child;
  return std::unexpected(explain_refusal(std::move(child).error(), request, proc));
}

Error explain_refusal(Error error, const kernel::CloneRequest &request, const kernel::Procfs &proc) {
  error = explain_confinement(std::move(error), proc);
  if (error.remedy.empty()) error.remedy = remedy_for(error.number, request, proc);
  return error;
}

Error explain_confinement(Error error, const kernel::Procfs &proc) {
  const bool refused = error.number == EACCES || error.number == EPERM;
  if (!refused || !error.remedy.empty() || read_switch(proc, "kernel/apparmor_restrict_unprivileged_userns") != 1) {
    return error;
  }
  error.remedy =
      "kernel.apparmor_restrict_unprivileged_userns is 1: give the runtime an AppArmor profile that allows userns, or "
      "set it to 0";
  return error;
}

}  // namespace skiff
