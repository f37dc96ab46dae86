#include "compose/seccomp_profile.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "runtime/kernel/fd.h"

namespace skiff::compose {
namespace {

using spec::Seccomp;
using spec::SeccompAction;
using spec::SeccompArg;
using spec::SeccompOperator;
using spec::SeccompSyscall;

constexpr std::uint32_t no_permission = EPERM;
// CLONE_NEWTIME is below: it is for clone3 and unshare alone, where the bit is no exit signal.
constexpr std::uint64_t namespace_flags = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                                          CLONE_NEWPID | static_cast<std::uint32_t>(CLONE_NEWNET);
// Since Linux 4.8 a filter is asked again when a tracer has changed the call (seccomp(2)): before, ptrace(2) led past
// it.
constexpr std::uint32_t safe_ptrace = 4U << 16U | 8U << 8U;

void allow(Seccomp &profile, std::string name, std::vector<SeccompArg> args) {
  profile.syscalls.push_back(
      {.names = {std::move(name)}, .action = SeccompAction::allow, .errno_ret = {}, .args = std::move(args)});
}

SeccompArg compare(std::uint32_t index, SeccompOperator op, std::uint64_t value, std::uint64_t value_two = 0) {
  return {.index = index, .value = value, .value_two = value_two, .op = op};
}

bool has(const std::vector<std::string> &capabilities, std::string_view name) {
  return std::ranges::find(capabilities, name) != capabilities.end();
}

// One rule for all that is allowed as it is: the filter is smaller so.
void allow_groups(Seccomp &profile, std::span<const CallGroup> groups, const SeccompContext &context) {
  SeccompSyscall rule;
  rule.action = SeccompAction::allow;
  for (const CallGroup &group : groups) {
    if (!group.capability.empty() && !has(context.capabilities, group.capability)) continue;
    rule.names.insert(rule.names.end(), group.names.begin(), group.names.end());
  }
  std::ranges::sort(rule.names);
  const auto twice = std::ranges::unique(rule.names);
  rule.names.erase(twice.begin(), twice.end());
  profile.syscalls.push_back(std::move(rule));
}

// A process or a thread, but no namespace. The flags of clone3 lie in memory, where no filter sees them: ENOSYS makes C
// libraries use clone.
void allow_clone(Seccomp &profile, const SeccompContext &context) {
  // clone(2): on s390x the flags are the second argument.
  const std::uint32_t flags = context.machine.starts_with("s390") ? 1 : 0;
  allow(profile, "clone", {compare(flags, SeccompOperator::masked_eq, namespace_flags, 0)});
  profile.syscalls.push_back({.names = {"clone3"}, .action = SeccompAction::errno_, .errno_ret = ENOSYS, .args = {}});
}

// To ask, and to be an ordinary process of Linux with 64 or 32 bits.
void allow_personality(Seccomp &profile, std::span<const std::uint64_t> values) {
  for (const std::uint64_t value : values) allow(profile, "personality", {compare(0, SeccompOperator::eq, value)});
}

// Not AF_VSOCK, which leads to the machine's hypervisor past every network namespace, and not AF_ALG, a way into the
// kernel that programs do without. Between the two lies AF_NFC.
void allow_most_sockets(Seccomp &profile) {
  allow(profile, "socket", {compare(0, SeccompOperator::lt, AF_ALG)});
  allow(profile, "socket", {compare(0, SeccompOperator::eq, AF_NFC)});
  allow(profile, "socket", {compare(0, SeccompOperator::gt, AF_VSOCK)});
}

// AF_NETLINK is how a C library learns which addresses there are.
void allow_network_sockets(Seccomp &profile, std::span<const std::uint64_t> families) {
  for (const std::uint64_t family : families) allow(profile, "socket", {compare(0, SeccompOperator::eq, family)});
}

std::vector<std::string> native(const SeccompContext &context) {
  constexpr auto known = std::to_array<std::pair<std::string_view, std::string_view>>({
      {"x86_64", "SCMP_ARCH_X86_64"},
      {"aarch64", "SCMP_ARCH_AARCH64"},
      {"riscv64", "SCMP_ARCH_RISCV64"},
      {"ppc64le", "SCMP_ARCH_PPC64LE"},
      {"s390x", "SCMP_ARCH_S390X"},
      {"loongarch64", "SCMP_ARCH_LOONGARCH64"},
      {"armv7l", "SCMP_ARCH_ARM"},
      {"i686", "SCMP_ARCH_X86"},
  });
  for (const auto &[machine, name] : known) {
    if (machine == context.machine) return {std::string(name)};
  }
  return {};  // the runtime's own
}

// Programs with 32 bits run on the same machine.
std::vector<std::string> native_and_narrow(const SeccompContext &context) {
  std::vector<std::string> all = native(context);
  if (context.machine == "x86_64") all.insert(all.end(), {"SCMP_ARCH_X86", "SCMP_ARCH_X32"});
  if (context.machine == "aarch64") all.emplace_back("SCMP_ARCH_ARM");
  if (context.machine == "s390x") all.emplace_back("SCMP_ARCH_S390");
  return all;
}

Seccomp make_start() {
  Seccomp profile;
  profile.default_action = SeccompAction::errno_;
  profile.default_errno_ret = no_permission;
  return profile;
}

Seccomp make_default(const SeccompContext &context) {
  constexpr std::array<std::uint64_t, 5> ordinary = {0, 0x8, 0x20000, 0x20008, 0xffffffff};
  Seccomp profile = make_start();
  profile.architectures = native_and_narrow(context);
  allow_groups(profile, default_calls(), context);
  if (!has(context.capabilities, "CAP_SYS_ADMIN")) allow_clone(profile, context);
  if (context.kernel >= safe_ptrace && !has(context.capabilities, "CAP_SYS_PTRACE")) {
    for (const char *name : {"ptrace", "process_vm_readv", "process_vm_writev"}) allow(profile, name, {});
  }
  allow_personality(profile, ordinary);
  allow_most_sockets(profile);
  return profile;
}

Seccomp make_strict(const SeccompContext &context) {
  constexpr std::array<std::uint64_t, 4> families = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
  constexpr std::array<std::uint64_t, 2> ordinary = {0, 0xffffffff};
  Seccomp profile = make_start();
  profile.architectures = native(context);
  allow_groups(profile, strict_calls(), context);
  allow_clone(profile, context);
  allow_personality(profile, ordinary);
  allow_network_sockets(profile, families);
  return profile;
}

Seccomp make_minimal(const SeccompContext &context) {
  constexpr std::array<std::uint64_t, 3> families = {AF_UNIX, AF_INET, AF_INET6};
  Seccomp profile = make_start();
  profile.architectures = native(context);
  allow_groups(profile, minimal_calls(), context);
  allow_clone(profile, context);
  allow_network_sockets(profile, families);
  return profile;
}

Result<Seccomp> load_profile(const std::string &path, const SeccompContext &context) {
  constexpr std::size_t longest_file = std::size_t{16} << 20U;
  const kernel::Fd file = TRY(kernel::open(path, O_RDONLY));
  return parse_seccomp_profile(TRY(in(path, kernel::read_all(file, longest_file))), path, context);
}

// "6.18.5-arch1" as major << 16 | minor << 8.
std::uint32_t kernel_number(std::string_view release) {
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  const auto [dot, first] = std::from_chars(release.data(), release.data() + release.size(), major);
  if (first == std::errc{} && dot != release.data() + release.size() && *dot == '.') {
    std::from_chars(dot + 1, release.data() + release.size(), minor);
  }
  return (major & 0xffU) << 16U | (minor & 0xffU) << 8U;
}

}  // namespace

SeccompContext seccomp_context(std::vector<std::string> capabilities) {
  utsname names{};
  ::uname(&names);
  return {.capabilities = std::move(capabilities), .machine = names.machine, .kernel = kernel_number(names.release)};
}

Result<std::optional<Seccomp>> make_seccomp(const std::string &name, const SeccompContext &context) {
  if (name == "disabled" || name == "unconfined") return std::nullopt;
  if (name.empty() || name == "default" || name == "builtin") return make_default(context);
  if (name == "strict") return make_strict(context);
  if (name == "minimal") return make_minimal(context);
  if (!name.starts_with('/')) {
    return fail(fmt::format("\"{}\" is no profile", name), "use default, strict, minimal, disabled or a file's path");
  }
  return TRY(load_profile(name, context));
}

}  // namespace skiff::compose
