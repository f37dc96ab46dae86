// prctl(2), each option under its own name, and personality(2).
#pragma once

#include <sys/prctl.h>

#include "runtime/kernel/fd.h"

namespace skiff::kernel {

// PR_SET_PDEATHSIG. Cleared by a change of credentials and by execve of a set-user-ID file; the caller checks
// afterwards that its parent still lives.
[[nodiscard]] Status set_pdeathsig(int signal);
// PR_SET_DUMPABLE: false keeps other processes of the same user from tracing us and from opening our /proc/PID/fd.
[[nodiscard]] Status set_dumpable(bool on);
// PR_SET_NO_NEW_PRIVS; it cannot be taken back.
[[nodiscard]] Status set_no_new_privs();
// PR_SET_CHILD_SUBREAPER: orphans below us become our children.
[[nodiscard]] Status set_child_subreaper(bool on);
// PR_SET_NAME: what ps shows, at most 15 bytes.
[[nodiscard]] Status set_name(CString name);
// PR_SET_KEEPCAPS: permitted capabilities survive setresuid away from 0.
[[nodiscard]] Status set_keepcaps(bool on);

// personality(2): what it was before.
[[nodiscard]] Result<unsigned> personality(unsigned long persona);

}  // namespace skiff::kernel
