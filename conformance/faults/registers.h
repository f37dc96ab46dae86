// The one thing about a traced system call that differs from machine to machine: how it is skipped and what it returns.
#pragma once

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/user.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace skiff::conformance {

#if defined(__x86_64__)

// At the stop before a call: none is made.
inline bool skip_call(pid_t task) {
  return ::ptrace(PTRACE_POKEUSER, task, offsetof(user_regs_struct, orig_rax), -1L) == 0;
}
// At the stop after it.
inline bool set_result(pid_t task, long value) {
  return ::ptrace(PTRACE_POKEUSER, task, offsetof(user_regs_struct, rax), value) == 0;
}

#elif defined(__aarch64__)

inline bool skip_call(pid_t task) {
  int none = -1;
  iovec vector{.iov_base = &none, .iov_len = sizeof none};
  return ::ptrace(PTRACE_SETREGSET, task, NT_ARM_SYSTEM_CALL, &vector) == 0;
}
inline bool set_result(pid_t task, long value) {
  user_regs_struct registers{};
  iovec vector{.iov_base = &registers, .iov_len = sizeof registers};
  if (::ptrace(PTRACE_GETREGSET, task, NT_PRSTATUS, &vector) != 0) return false;
  registers.regs[0] = static_cast<std::uint64_t>(value);
  return ::ptrace(PTRACE_SETREGSET, task, NT_PRSTATUS, &vector) == 0;
}

#endif

}  // namespace skiff::conformance
