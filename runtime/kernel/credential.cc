#include "runtime/kernel/credential.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/kernel/call.h"

namespace skiff::kernel {
namespace {

// On 32-bit x86 and Arm the plain names take 16-bit ids.
#ifdef SYS_setresuid32
constexpr long setresuid_call = SYS_setresuid32;
constexpr long setresgid_call = SYS_setresgid32;
constexpr long setgroups_call = SYS_setgroups32;
#else
constexpr long setresuid_call = SYS_setresuid;
constexpr long setresgid_call = SYS_setresgid;
constexpr long setgroups_call = SYS_setgroups;
#endif

}  // namespace

Status setgroups(std::span<const gid_t> groups) {
  if (::syscall(setgroups_call, groups.size(), groups.data()) == 0) return {};
  return call_failed("setgroups", {groups.size()});
}

Result<std::vector<gid_t>> getgroups() {
  const int count = ::getgroups(0, nullptr);
  if (count < 0) return call_failed("getgroups", {});
  std::vector<gid_t> groups(static_cast<size_t>(count));
  const int held = ::getgroups(count, groups.data());
  if (held < 0) return call_failed("getgroups", {count});
  groups.resize(static_cast<size_t>(held));
  return groups;
}

Status setresuid(uid_t uid) {
  if (::syscall(setresuid_call, uid, uid, uid) == 0) return {};
  return call_failed("setresuid", {uid});
}

Status setresgid(gid_t gid) {
  if (::syscall(setresgid_call, gid, gid, gid) == 0) return {};
  return call_failed("setresgid", {gid});
}

uid_t geteuid() { return ::geteuid(); }
gid_t getegid() { return ::getegid(); }
uid_t getuid() { return ::getuid(); }
gid_t getgid() { return ::getgid(); }

}  // namespace skiff::kernel
