#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "spec/check.h"

namespace skiff::spec {

namespace {

constexpr std::int64_t last_errno = 4095;        // the kernel's MAX_ERRNO
constexpr std::int64_t last_trace_data = 65535;  // SECCOMP_RET_DATA

std::string_view name_of(SeccompAction action) { return seccomp_action_names[static_cast<std::size_t>(action)]; }

void check_errno(Checker &c, const Place &place, const std::optional<std::uint32_t> &value, SeccompAction action) {
  if (!value) return;
  if (action == SeccompAction::errno_) {
    c.in_range(place, *value, 0, last_errno);
  } else if (action == SeccompAction::trace) {
    c.in_range(place, *value, 0, last_trace_data);
  } else {
    c.add(place, fmt::format("{} returns no errno", name_of(action)), "leave it out, or use SCMP_ACT_ERRNO");
  }
}

void check_syscall(Checker &c, const Place &at, const SeccompSyscall &syscall) {
  if (syscall.names.empty()) c.add(at / "names", "at least one entry is required");
  // An action that could not be read stands here as the default.
  if (!c.doubtful(at / "action")) check_errno(c, at / "errnoRet", syscall.errno_ret, syscall.action);
  const Place args = at / "args";
  for (std::size_t i = 0; i < syscall.args.size(); ++i) {
    c.in_range(args / i / "index", syscall.args[i].index, 0, 5, "a system call has six arguments");
  }
  if (syscall.action != SeccompAction::notify) return;
  // The filter is installed before its descriptor is sent to the agent, which takes a write.
  const auto write = std::ranges::find(syscall.names, "write");
  if (write == syscall.names.end()) return;
  c.add(
      at / "names" / static_cast<std::size_t>(write - syscall.names.begin()),
      "SCMP_ACT_NOTIFY cannot be used for the write syscall: the runtime needs it to hand the descriptor to the agent");
}

void check_listener(Checker &c, const Place &at, const Seccomp &seccomp) {
  if (!seccomp.listener_path.empty()) {
    c.absolute(at / "listenerPath", seccomp.listener_path);
    return;
  }
  if (!seccomp.listener_metadata.empty()) {
    c.add(at / "listenerMetadata", "is given without listenerPath", "leave it out or add listenerPath");
  }
  const bool notifies = std::ranges::any_of(
      seccomp.syscalls, [](const SeccompSyscall &syscall) { return syscall.action == SeccompAction::notify; });
  if (notifies) c.add(at / "listenerPath", "is required by SCMP_ACT_NOTIFY", "name the agent's socket");
}

}  // namespace

void check_seccomp(Checker &c, const Place &at, const Seccomp &seccomp) {
  c.clause("config-linux.md, Seccomp");
  c.all_known(at / "architectures", seccomp.architectures, seccomp_architecture_names);
  if (seccomp.flags) c.all_known(at / "flags", *seccomp.flags, seccomp_flag_names);
  if (seccomp.default_action == SeccompAction::notify) {
    c.add(at / "defaultAction", "SCMP_ACT_NOTIFY cannot be the default: it would stop the runtime itself",
          "name the system calls in syscalls");
  }
  if (!c.doubtful(at / "defaultAction")) {
    check_errno(c, at / "defaultErrnoRet", seccomp.default_errno_ret, seccomp.default_action);
  }
  const Place syscalls = at / "syscalls";
  for (std::size_t i = 0; i < seccomp.syscalls.size(); ++i) check_syscall(c, syscalls / i, seccomp.syscalls[i]);
  check_listener(c, at, seccomp);
}

}  // namespace skiff::spec
