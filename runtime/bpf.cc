#include "runtime/bpf.h"

#include <fmt/format.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <tuple>

#include "spec/names.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)  // Linux 5.19
#endif

namespace skiff {
namespace {

using spec::Seccomp;
using spec::SeccompAction;
using spec::SeccompArg;
using spec::SeccompOperator;
using spec::SeccompSyscall;

// In the order of spec::seccomp_flag_names. TSYNC is for the other threads of a process: the one that loads the filter
// has none, and the kernel refuses it beside a listener.
constexpr std::array<std::uint32_t, spec::seccomp_flag_names.size()> flag_values = {
    0,
    SECCOMP_FILTER_FLAG_LOG,
    SECCOMP_FILTER_FLAG_SPEC_ALLOW,
    SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
};

using Context = std::unique_ptr<void, decltype(&seccomp_release)>;

// ---- actions ----

bool takes_errno(SeccompAction action) { return action == SeccompAction::errno_ || action == SeccompAction::trace; }

// "When the action doesn't support an errno, the runtime MUST print and error and fail" (config-linux.md, "Seccomp").
Result<std::uint32_t> action_value(SeccompAction action, std::optional<std::uint32_t> errno_ret) {
  if (errno_ret && !takes_errno(action)) {
    return fail(fmt::format("{} returns no errno", spec::seccomp_action_names[static_cast<std::size_t>(action)]),
                "remove errnoRet, or use SCMP_ACT_ERRNO or SCMP_ACT_TRACE");
  }
  const std::uint32_t number = errno_ret.value_or(EPERM);
  switch (action) {
    case SeccompAction::kill:
    case SeccompAction::kill_thread:
      return SCMP_ACT_KILL_THREAD;
    case SeccompAction::kill_process:
      return SCMP_ACT_KILL_PROCESS;
    case SeccompAction::trap:
      return SCMP_ACT_TRAP;
    case SeccompAction::errno_:
      return SCMP_ACT_ERRNO(number);
    case SeccompAction::trace:
      return SCMP_ACT_TRACE(number);
    case SeccompAction::allow:
      return SCMP_ACT_ALLOW;
    case SeccompAction::log:
      return SCMP_ACT_LOG;
    case SeccompAction::notify:
      return SCMP_ACT_NOTIFY;
  }
  return fail("unknown action");
}

// ---- architectures ----

// SCMP_ARCH_X86_64 to the library's number; 0 where this library does not know it, which then is not this machine's.
Result<std::uint32_t> architecture_value(std::string_view name) {
  if (!spec::find_name(spec::seccomp_architecture_names, name)) {
    return fail(fmt::format("\"{}\" is not an architecture", name),
                spec::suggest_name(spec::seccomp_architecture_names, name));
  }
  std::string word(name.substr(std::string_view("SCMP_ARCH_").size()));
  std::ranges::transform(word, word.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return seccomp_arch_resolve_name(word.c_str());
}

// The native one first: its calls are the most frequent, so the stub tests for it first. It always counts, since a
// filter without it would kill the container's first call.
Result<std::vector<std::uint32_t>> add_architectures(scmp_filter_ctx context, const Seccomp &seccomp) {
  std::vector<std::uint32_t> added = {seccomp_arch_native()};
  for (std::size_t i = 0; i < seccomp.architectures.size(); ++i) {
    const std::string field = fmt::format("linux.seccomp.architectures[{}]", i);
    const std::uint32_t value = TRY(in(field, architecture_value(seccomp.architectures[i])));
    if (value == 0 || std::ranges::find(added, value) != added.end()) continue;
    const int status = seccomp_arch_add(context, value);
    if (status == -EDOM) continue;  // of the other byte order: it never runs on this machine
    if (status < 0) {
      return fail(-status, fmt::format("{}: seccomp_arch_add({})", field, seccomp.architectures[i]));
    }
    added.push_back(value);
  }
  return added;
}

// ---- rules ----

scmp_compare compare_value(SeccompOperator op) {
  constexpr std::array<scmp_compare, 7> values = {SCMP_CMP_NE, SCMP_CMP_LT, SCMP_CMP_LE,       SCMP_CMP_EQ,
                                                  SCMP_CMP_GE, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ};
  return values[static_cast<std::size_t>(op)];
}

Result<std::vector<scmp_arg_cmp>> comparisons(const std::vector<SeccompArg> &args) {
  std::vector<scmp_arg_cmp> out;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const SeccompArg &arg = args[i];
    if (arg.index > 5) {
      return fail(fmt::format("args[{}].index: {} is no argument of a system call", i, arg.index), "use 0 to 5");
    }
    // For SCMP_CMP_MASKED_EQ `value` is the mask and `value_two` what must remain; the others read `value` alone.
    out.push_back({arg.index, compare_value(arg.op), arg.value, arg.value_two});
  }
  return out;
}

// Two comparisons of one argument do not fit into one rule of libseccomp. The field's tools then let each comparison
// stand as a rule of its own: any of them is enough. Profiles in use count on that.
bool compares_twice(const std::vector<SeccompArg> &args) {
  std::uint32_t seen = 0;
  for (const SeccompArg &arg : args) {
    if ((seen & (1U << arg.index)) != 0) return true;
    seen |= 1U << arg.index;
  }
  return false;
}

struct Rules {
  scmp_filter_ctx context;
  std::uint32_t default_action = 0;
  std::size_t count = 0;

  Status add(const std::string &name, int number, std::uint32_t action, std::span<const scmp_arg_cmp> args) {
    const int status = seccomp_rule_add_array(context, action, number, static_cast<unsigned>(args.size()), args.data());
    if (status < 0) {
      return fail(-status, fmt::format("seccomp_rule_add_array({}, {} comparisons)", name, args.size()),
                  status == -EEXIST ? "another rule gives this call another action: remove one" : "");
    }
    ++count;
    return {};
  }

  Status add(const SeccompSyscall &rule) {
    const std::uint32_t action = TRY(action_value(rule.action, rule.errno_ret));
    const std::vector<scmp_arg_cmp> args = TRY(comparisons(rule.args));
    if (action == default_action) return {};  // says nothing new, and libseccomp refuses such a rule
    const bool apart = compares_twice(rule.args);
    for (const std::string &name : rule.names) {
      // Without the descriptor's number, which travels by this call, nobody could ever answer the notification.
      if (rule.action == SeccompAction::notify && name == "write") {
        return fail(fmt::format("SCMP_ACT_NOTIFY cannot be used for the {} syscall", name),
                    "the runtime itself hands the listener over by it");
      }
      const int number = seccomp_syscall_resolve_name(name.c_str());
      if (number == __NR_SCMP_ERROR) continue;
      if (!apart) {
        TRY(add(name, number, action, args));
        continue;
      }
      for (const scmp_arg_cmp &one : args) TRY(add(name, number, action, {&one, 1}));
    }
    return {};
  }
};

// libseccomp puts each comparison into a list that it walks: tens of thousands take it minutes, only for the program to
// be too long. Every one that stands alone in its rule, on a call that no rule takes as a whole, is an instruction at
// least; masks are left out, since those that mask everything away fall together.
Status refuse_too_many(const Seccomp &seccomp, std::uint32_t default_action) {
  using Comparison = std::tuple<int, std::uint32_t, SeccompOperator, std::uint64_t>;
  std::set<Comparison> alone;
  std::set<int> whole;
  for (const SeccompSyscall &rule : seccomp.syscalls) {
    const Result<std::uint32_t> action = action_value(rule.action, rule.errno_ret);
    if (!action || *action == default_action) continue;
    for (const std::string &name : rule.names) {
      const int number = seccomp_syscall_resolve_name(name.c_str());
      if (number == __NR_SCMP_ERROR) continue;
      if (rule.args.empty()) whole.insert(number);
      if (rule.args.size() != 1 || rule.args[0].op == SeccompOperator::masked_eq) continue;
      alone.emplace(number, rule.args[0].index, rule.args[0].op, rule.args[0].value);
    }
  }
  const auto least = std::ranges::count_if(alone, [&](const Comparison &one) { return !whole.contains(get<0>(one)); });
  if (least <= BPF_MAXINSNS) return {};
  return fail(fmt::format("linux.seccomp: {} comparisons make a program of more instructions than the kernel takes, {}",
                          least, static_cast<unsigned>(BPF_MAXINSNS)),
              "list fewer comparisons, or use ranges and masks");
}

// ---- the stub ----

constexpr std::uint32_t x32_bit = 0x40000000;
constexpr std::uint32_t arm_private = 0x0f0000;  // breakpoint, cacheflush, set_tls: far above the numbers that grow

sock_filter load(std::size_t offset) { return {BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<std::uint32_t>(offset)}; }
sock_filter jump_if(unsigned test, std::uint32_t value, std::size_t yes, std::size_t no) {
  return {static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), static_cast<std::uint8_t>(yes),
          static_cast<std::uint8_t>(no), value};
}
constexpr sock_filter answer_enosys = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | ENOSYS};
constexpr sock_filter to_filter = {BPF_JMP | BPF_JA, 0, 0, 0};  // its distance is known when the stub is whole

// The largest number among the names of the profile, 0 where it names none of this architecture's calls.
std::uint32_t newest_call(const Seccomp &seccomp, std::uint32_t architecture) {
  std::uint32_t newest = 0;
  for (const SeccompSyscall &rule : seccomp.syscalls) {
    for (const std::string &name : rule.names) {
      const int number = seccomp_syscall_resolve_name_arch(architecture, name.c_str());
      if (number < 0) continue;  // unknown, or a call that this architecture does not have
      if (architecture == SCMP_ARCH_ARM && static_cast<std::uint32_t>(number) >= arm_private) continue;
      newest = std::max(newest, static_cast<std::uint32_t>(number));
    }
  }
  return newest;
}

using Code = std::vector<sock_filter>;

// Number in the accumulator: above `newest` is answered, the rest goes on to the filter.
void append_test(Code &code, std::uint32_t newest) {
  if (newest != 0) {
    code.push_back(jump_if(BPF_JGT, newest, 0, 1));
    code.push_back(answer_enosys);
  }
  code.push_back(to_filter);
}

// What follows once the architecture is known.
Code architecture_section(const Seccomp &seccomp, std::uint32_t architecture, bool with_x32) {
  Code code = {load(offsetof(seccomp_data, nr))};
  const std::uint32_t newest = newest_call(seccomp, architecture);
  if (architecture == SCMP_ARCH_X86_64) {
    // x32 has the same AUDIT_ARCH and sets a bit in the number. Where the profile does not list it, the filter's own
    // answer to a foreign architecture must stay: no test.
    Code x32;
    append_test(x32, with_x32 ? newest_call(seccomp, SCMP_ARCH_X32) : 0);
    code.push_back(jump_if(BPF_JSET, x32_bit, 0, x32.size()));
    code.insert(code.end(), x32.begin(), x32.end());
  } else if (architecture == SCMP_ARCH_S390 || architecture == SCMP_ARCH_S390X) {
    // Numbers too large for the instruction come as 0 when the kernel does not know them; the call of that number is
    // long gone.
    code.push_back(jump_if(BPF_JEQ, 0, 0, 1));
    code.push_back(answer_enosys);
  } else if (architecture == SCMP_ARCH_ARM) {
    code.push_back(jump_if(BPF_JGE, arm_private, 0, 1));
    code.push_back(to_filter);
  }
  append_test(code, newest);
  return code;
}

// A C library tries a new call first and falls back where the answer is ENOSYS. A profile that is older than the call
// answers EPERM (or kills), so the program breaks that would have run on an older kernel. The stub gives the kernel's
// own answer for every number above the newest call that the profile names: its author cannot have judged those.
// Filters that let unknown calls pass, or hand them to a tracer, need none.
bool wants_stub(const Seccomp &seccomp) {
  switch (seccomp.default_action) {
    case SeccompAction::allow:
    case SeccompAction::log:
    case SeccompAction::trace:
    case SeccompAction::notify:
      return false;
    case SeccompAction::errno_:
      return seccomp.default_errno_ret.value_or(EPERM) != ENOSYS;
    case SeccompAction::kill:
    case SeccompAction::kill_process:
    case SeccompAction::kill_thread:
    case SeccompAction::trap:
      return true;
  }
  return true;
}

Code make_stub(const Seccomp &seccomp, const std::vector<std::uint32_t> &architectures) {
  if (!wants_stub(seccomp)) return {};
  const bool with_x32 = std::ranges::find(architectures, SCMP_ARCH_X32) != architectures.end();
  Code stub = {load(offsetof(seccomp_data, arch))};
  for (const std::uint32_t architecture : architectures) {
    if (architecture == SCMP_ARCH_X32)
      continue;  // in the section of x86_64; alone it cannot be, native is always there
    const Code section = architecture_section(seccomp, architecture, with_x32);
    stub.push_back(jump_if(BPF_JEQ, architecture, 0, section.size()));  // SCMP_ARCH_* is AUDIT_ARCH_*, x32 aside
    stub.insert(stub.end(), section.begin(), section.end());
  }
  for (std::size_t i = 0; i < stub.size(); ++i) {
    if (stub[i].code == to_filter.code) stub[i].k = static_cast<std::uint32_t>(stub.size() - i - 1);
  }
  return stub;
}

// ---- the filter itself ----

#if SCMP_VER_MAJOR > 2 || (SCMP_VER_MAJOR == 2 && SCMP_VER_MINOR >= 6)
Result<Code> export_filter(scmp_filter_ctx context) {
  std::size_t bytes = 0;
  int status = seccomp_export_bpf_mem(context, nullptr, &bytes);
  Code code(bytes / sizeof(sock_filter));
  if (status == 0) status = seccomp_export_bpf_mem(context, code.data(), &bytes);
  if (status < 0) return fail(-status, "linux.seccomp: seccomp_export_bpf_mem()");
  return code;
}
#else
// libseccomp before 2.6 writes only to a descriptor: the one reason for a system call in this room.
Result<Code> export_filter(scmp_filter_ctx context) {
  const int fd = memfd_create("seccomp", MFD_CLOEXEC);
  if (fd < 0) return fail(errno, "linux.seccomp: memfd_create(\"seccomp\", MFD_CLOEXEC)");
  const int status = seccomp_export_bpf(context, fd);
  const off_t bytes = lseek(fd, 0, SEEK_END);
  Code code(bytes > 0 ? static_cast<std::size_t>(bytes) / sizeof(sock_filter) : 0);
  const bool whole = bytes > 0 && pread(fd, code.data(), code.size() * sizeof(sock_filter), 0) == bytes;
  close(fd);
  if (status < 0) return fail(-status, "linux.seccomp: seccomp_export_bpf()");
  if (!whole) return fail("linux.seccomp: seccomp_export_bpf() wrote no whole program");
  return code;
}
#endif

Result<Context> make_context(std::uint32_t default_action) {
  // Otherwise libseccomp asks the kernel what it can do and the program would depend on the answer. What is not
  // supported is refused when the filter is loaded.
  seccomp_api_set(6);
  Context context(seccomp_init(default_action), &seccomp_release);
  if (!context) return fail("linux.seccomp.defaultAction: seccomp_init() refuses it");
  return context;
}

// ---- the cache's key ----

class Fnv {
 public:
  void add(std::string_view bytes) {
    for (const char c : bytes) {
      hash_ ^= static_cast<unsigned char>(c);
      hash_ *= (static_cast<Wide>(1) << 88U) + 0x13b;  // FNV prime of 128 bits
    }
  }
  void add(std::uint64_t number) {
    for (unsigned shift = 0; shift < 64; shift += 8) {
      const char c = static_cast<char>((number >> shift) & 0xff);
      add(std::string_view(&c, 1));
    }
  }
  // With its length, so that ["ab","c"] is not ["a","bc"].
  void add_text(std::string_view text) {
    add(text.size());
    add(text);
  }
  void add_optional(std::optional<std::uint32_t> number) { add(number ? std::uint64_t{*number} + 1 : 0); }
  [[nodiscard]] std::string hex() const {
    return fmt::format("{:016x}{:016x}", static_cast<std::uint64_t>(hash_ >> 64U), static_cast<std::uint64_t>(hash_));
  }

 private:
  using Wide = unsigned __int128;
  Wide hash_ = (static_cast<Wide>(0x6c62272e07bb0142) << 64U) | 0x62b821756295c58d;  // offset basis of 128 bits
};

// Raised whenever this file makes another program of the same profile.
constexpr std::uint64_t program_version = 1;

}  // namespace

Result<SeccompProgram> make_seccomp_program(const Seccomp &seccomp) {
  if (seccomp.default_action == SeccompAction::notify) {
    return fail("linux.seccomp.defaultAction: SCMP_ACT_NOTIFY cannot be used as default action",
                "the runtime's own calls would wait for a listener that nobody has yet");
  }
  const std::uint32_t default_action =
      TRY(in("linux.seccomp.defaultAction", action_value(seccomp.default_action, seccomp.default_errno_ret)));
  const Context context = TRY(make_context(default_action));
  const std::vector<std::uint32_t> architectures = TRY(add_architectures(context.get(), seccomp));
  TRY(refuse_too_many(seccomp, default_action));
  Rules rules{.context = context.get(), .default_action = default_action, .count = 0};
  for (std::size_t i = 0; i < seccomp.syscalls.size(); ++i) {
    TRY(in(fmt::format("linux.seccomp.syscalls[{}]", i), rules.add(seccomp.syscalls[i])));
  }
  // A binary tree instead of a list; libseccomp 2.5 cannot make one of no rules, and for few it is slower.
  if (rules.count > 32) seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  Code code = make_stub(seccomp, architectures);
  const Code filter = TRY(export_filter(context.get()));
  code.insert(code.end(), filter.begin(), filter.end());
  if (code.size() > BPF_MAXINSNS) {
    return fail(fmt::format("linux.seccomp: the program has {} instructions, the kernel takes {}", code.size(),
                            static_cast<unsigned>(BPF_MAXINSNS)),
                "list fewer architectures or comparisons");
  }
  return SeccompProgram{.filter = std::move(code)};
}

std::optional<std::uint32_t> seccomp_flag(std::string_view name) {
  const std::optional<std::size_t> index = spec::find_name(spec::seccomp_flag_names, name);
  return index ? std::optional(flag_values[*index]) : std::nullopt;
}

Result<std::uint32_t> seccomp_flags(const Seccomp &seccomp) {
  if (!seccomp.flags) return std::uint32_t{SECCOMP_FILTER_FLAG_SPEC_ALLOW};
  std::uint32_t flags = 0;
  for (std::size_t i = 0; i < seccomp.flags->size(); ++i) {
    const std::string &name = (*seccomp.flags)[i];
    const std::optional<std::uint32_t> flag = seccomp_flag(name);
    if (!flag) {
      return fail(fmt::format("linux.seccomp.flags[{}]: \"{}\" is not a flag", i, name),
                  spec::suggest_name(spec::seccomp_flag_names, name));
    }
    flags |= *flag;
  }
  // It says how a notification is waited for; the kernel refuses it on a filter without a listener.
  if (!seccomp_notifies(seccomp)) flags &= ~std::uint32_t{SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV};
  return flags;
}

std::vector<std::string_view> unknown_syscalls(const Seccomp &seccomp) {
  std::vector<std::string_view> names;
  for (const SeccompSyscall &rule : seccomp.syscalls) {
    for (const std::string &name : rule.names) {
      if (seccomp_syscall_resolve_name(name.c_str()) == __NR_SCMP_ERROR) names.emplace_back(name);
    }
  }
  return names;
}

bool seccomp_notifies(const Seccomp &seccomp) {
  return std::ranges::any_of(seccomp.syscalls,
                             [](const SeccompSyscall &rule) { return rule.action == SeccompAction::notify; });
}

std::string seccomp_cache_key(const Seccomp &seccomp) {
  Fnv hash;
  const scmp_version *library = seccomp_version();
  for (const std::uint64_t part : {program_version, std::uint64_t{library->major}, std::uint64_t{library->minor},
                                   std::uint64_t{library->micro}, std::uint64_t{seccomp_arch_native()}}) {
    hash.add(part);
  }
  hash.add(static_cast<std::uint64_t>(seccomp.default_action));
  hash.add_optional(seccomp.default_errno_ret);
  hash.add(seccomp.architectures.size());
  for (const std::string &name : seccomp.architectures) hash.add_text(name);
  hash.add(seccomp.syscalls.size());
  for (const SeccompSyscall &rule : seccomp.syscalls) {
    hash.add(rule.names.size());
    for (const std::string &name : rule.names) hash.add_text(name);
    hash.add(static_cast<std::uint64_t>(rule.action));
    hash.add_optional(rule.errno_ret);
    hash.add(rule.args.size());
    for (const SeccompArg &arg : rule.args) {
      hash.add(arg.index);
      hash.add(arg.value);
      hash.add(arg.value_two);
      hash.add(static_cast<std::uint64_t>(arg.op));
    }
  }
  return hash.hex();
}

}  // namespace skiff
