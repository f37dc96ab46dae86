#include "runtime/kernel/prctl.h"

#include <sys/personality.h>

#include "runtime/kernel/call.h"

namespace skiff::kernel {
namespace {

Status set_option(int option, std::string_view name, unsigned long value) {
  if (::prctl(option, value, 0UL, 0UL, 0UL) == 0) return {};
  return call_failed("prctl", {Argument::word(name), static_cast<int64_t>(value)});
}

}  // namespace

Status set_pdeathsig(int signal) {
  return set_option(PR_SET_PDEATHSIG, "PR_SET_PDEATHSIG", static_cast<unsigned long>(signal));
}
Status set_dumpable(bool on) { return set_option(PR_SET_DUMPABLE, "PR_SET_DUMPABLE", on ? 1 : 0); }
Status set_no_new_privs() { return set_option(PR_SET_NO_NEW_PRIVS, "PR_SET_NO_NEW_PRIVS", 1); }
Status set_child_subreaper(bool on) { return set_option(PR_SET_CHILD_SUBREAPER, "PR_SET_CHILD_SUBREAPER", on ? 1 : 0); }
Status set_keepcaps(bool on) { return set_option(PR_SET_KEEPCAPS, "PR_SET_KEEPCAPS", on ? 1 : 0); }

Status set_name(CString name) {
  if (::prctl(PR_SET_NAME, name.c_str(), 0UL, 0UL, 0UL) == 0) return {};
  return call_failed("prctl", {Argument::word("PR_SET_NAME"), name});
}

Result<unsigned> personality(unsigned long persona) {
  const int before = ::personality(persona);
  if (before < 0) return call_failed("personality", {persona});
  return static_cast<unsigned>(before);
}

}  // namespace skiff::kernel
