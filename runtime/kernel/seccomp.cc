#include "runtime/kernel/seccomp.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/kernel/call.h"

namespace skiff::kernel {
namespace {

constexpr FlagName flag_names[] = {
    {SECCOMP_FILTER_FLAG_TSYNC, "SECCOMP_FILTER_FLAG_TSYNC"},
    {SECCOMP_FILTER_FLAG_LOG, "SECCOMP_FILTER_FLAG_LOG"},
    {SECCOMP_FILTER_FLAG_SPEC_ALLOW, "SECCOMP_FILTER_FLAG_SPEC_ALLOW"},
    {SECCOMP_FILTER_FLAG_NEW_LISTENER, "SECCOMP_FILTER_FLAG_NEW_LISTENER"},
    {SECCOMP_FILTER_FLAG_TSYNC_ESRCH, "SECCOMP_FILTER_FLAG_TSYNC_ESRCH"},
    {SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"},
};

long seccomp(unsigned operation, unsigned flags, void *args) { return ::syscall(SYS_seccomp, operation, flags, args); }

[[gnu::cold]] std::unexpected<Error> filter_failed(int number, unsigned flags, size_t length) {
  return call_failed(number, "seccomp",
                     {Argument::word("SECCOMP_SET_MODE_FILTER"), Argument::flags(flags, flag_names), length});
}

}  // namespace

Result<Fd> seccomp_set_mode_filter(unsigned flags, std::span<const sock_filter> program) {
  // The length is 16 bits wide: a longer program would be cut, and a cut filter may allow what the whole one denies.
  if (program.empty() || program.size() > BPF_MAXINSNS) return filter_failed(EINVAL, flags, program.size());
  constexpr unsigned both = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_NEW_LISTENER;
  if ((flags & both) == both) flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
  // The kernel only reads it; its header has no const.
  sock_fprog args{.len = static_cast<unsigned short>(program.size()),
                  .filter = const_cast<sock_filter *>(program.data())};
  const long result = seccomp(SECCOMP_SET_MODE_FILTER, flags, &args);
  if (result < 0) return filter_failed(errno, flags, program.size());
  if ((flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0) return Fd(static_cast<int>(result));
  // Without TSYNC_ESRCH a positive result is the thread that could not be synchronised.
  if (result > 0) return filter_failed(ESRCH, flags, program.size());
  return Fd();
}

Result<bool> seccomp_get_action_avail(uint32_t action) {
  if (seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0) return true;
  if (errno == EOPNOTSUPP) return false;
  return call_failed("seccomp", {Argument::word("SECCOMP_GET_ACTION_AVAIL"), Argument::flags(action, {})});
}

Result<seccomp_notif_sizes> seccomp_get_notif_sizes() {
  seccomp_notif_sizes sizes{};
  if (seccomp(SECCOMP_GET_NOTIF_SIZES, 0, &sizes) == 0) return sizes;
  return call_failed("seccomp", {Argument::word("SECCOMP_GET_NOTIF_SIZES")});
}

bool seccomp_has_flags(unsigned flags) {
  // Flags are checked before the program is read: EFAULT says they are known.
  return seccomp(SECCOMP_SET_MODE_FILTER, flags, nullptr) != 0 && errno == EFAULT;
}

}  // namespace skiff::kernel
