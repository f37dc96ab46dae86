#include "runtime/device_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

namespace skiff {
namespace {

// The rules that count: an "a" rule makes everything before it void.
struct Effective {
  bool default_allow = false;
  std::span<const DeviceRule> rules;
};

Effective effective_rules(const std::vector<DeviceRule> &rules) {
  Effective out{.default_allow = false, .rules = rules};
  for (std::size_t i = rules.size(); i > 0; --i) {
    if (rules[i - 1].type != 'a') continue;
    out.default_allow = rules[i - 1].allow;
    out.rules = std::span(rules).subspan(i);
    break;
  }
  return out;
}

std::int32_t access_bits(const DeviceRule &rule) {
  return (rule.mknod ? BPF_DEVCG_ACC_MKNOD : 0) | (rule.read ? BPF_DEVCG_ACC_READ : 0) |
         (rule.write ? BPF_DEVCG_ACC_WRITE : 0);
}

constexpr std::int32_t all_accesses = BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE;

bool numbers_overlap(std::int64_t a, std::int64_t b) { return a < 0 || b < 0 || a == b; }

// Some device and some access matches both rules.
bool overlap(const DeviceRule &a, const DeviceRule &b) {
  return a.type == b.type && numbers_overlap(a.major, b.major) && numbers_overlap(a.minor, b.minor) &&
         (access_bits(a) & access_bits(b)) != 0;
}

// Every device of `inner` is one of `outer`.
bool covers(const DeviceRule &outer, const DeviceRule &inner) {
  return outer.type == inner.type && (outer.major < 0 || outer.major == inner.major) &&
         (outer.minor < 0 || outer.minor == inner.minor);
}

// Without the rules that repeat the default where nothing before them says otherwise.
std::vector<DeviceRule> without_idle_rules(const Effective &effective) {
  std::vector<DeviceRule> out;
  for (const DeviceRule &rule : effective.rules) {
    if (access_bits(rule) == 0) continue;
    const bool repeats_default = rule.allow == effective.default_allow;
    const bool undoes = std::ranges::any_of(
        out, [&](const DeviceRule &earlier) { return earlier.allow != rule.allow && overlap(earlier, rule); });
    if (!repeats_default || undoes) out.push_back(rule);
  }
  return out;
}

// ---- BPF ----

// What the program keeps where: struct bpf_cgroup_dev_ctx has u32 access_type (device type in the low half, access in
// the high one), u32 major, u32 minor.
constexpr std::uint8_t device_type = BPF_REG_2;
constexpr std::uint8_t undecided = BPF_REG_3;  // the access bits asked for that no rule has allowed yet
constexpr std::uint8_t major_number = BPF_REG_4;
constexpr std::uint8_t minor_number = BPF_REG_5;
constexpr std::uint8_t device_number = BPF_REG_6;  // both in one: the kernel's own dev_t, 12 bits and 20
constexpr std::uint8_t scratch = BPF_REG_0;
constexpr unsigned minor_bits = 20;
constexpr std::int64_t most_major = 0xfff, most_minor = 0xfffff;

bpf_insn instruction(int code, std::uint8_t to, std::uint8_t from, int offset, std::int32_t value) {
  bpf_insn out{};
  out.code = static_cast<std::uint8_t>(code);
  out.dst_reg = static_cast<std::uint8_t>(to & 0xf);
  out.src_reg = static_cast<std::uint8_t>(from & 0xf);
  out.off = static_cast<std::int16_t>(offset);
  out.imm = value;
  return out;
}

bpf_insn load_word(std::uint8_t to, std::size_t offset) {
  return instruction(BPF_LDX | BPF_MEM | BPF_W, to, BPF_REG_1, static_cast<int>(offset), 0);
}
bpf_insn with_value(int operation, std::uint8_t to, std::int32_t value) {
  return instruction(BPF_ALU | operation | BPF_K, to, 0, 0, value);
}
bpf_insn with_register(int operation, std::uint8_t to, std::uint8_t from) {
  return instruction(BPF_ALU | operation | BPF_X, to, from, 0, 0);
}
// A conditional jump on the lower halves (Linux 5.1); `over` is the number of instructions it skips.
bpf_insn jump(int condition, std::uint8_t left, std::int32_t right, std::size_t over) {
  return instruction(BPF_JMP32 | condition | BPF_K, left, 0, static_cast<int>(over), right);
}
bpf_insn jump_always(std::size_t over) { return instruction(BPF_JMP | BPF_JA, 0, 0, static_cast<int>(over), 0); }

void append_return(std::vector<bpf_insn> &out, bool allow) {
  out.push_back(with_value(BPF_MOV, BPF_REG_0, allow ? 1 : 0));
  out.push_back(instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
}

std::int32_t type_value(const DeviceRule &rule) { return rule.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR; }

// What happens to the undecided accesses of a device that the rule is about.
std::vector<bpf_insn> decision(const DeviceRule &rule) {
  std::vector<bpf_insn> out;
  if (access_bits(rule) == all_accesses) {
    append_return(out, rule.allow);
    return out;
  }
  if (rule.allow) {
    out.push_back(with_value(BPF_AND, undecided, all_accesses & ~access_bits(rule)));
    out.push_back(jump(BPF_JNE, undecided, 0, 2));
  } else {
    out.push_back(with_register(BPF_MOV, scratch, undecided));
    out.push_back(with_value(BPF_AND, scratch, access_bits(rule)));
    out.push_back(jump(BPF_JEQ, scratch, 0, 2));
  }
  append_return(out, rule.allow);
  return out;
}

// "Skip the rest of this rule unless the register holds this number."
void append_number_check(std::vector<bpf_insn> &out, std::uint8_t number, std::int64_t wanted, std::size_t rest) {
  if (wanted < 0) return;
  out.push_back(jump(BPF_JNE, number, static_cast<std::int32_t>(static_cast<std::uint32_t>(wanted)), rest));
}

void append_rule(std::vector<bpf_insn> &out, const DeviceRule &rule) {
  const std::vector<bpf_insn> end = decision(rule);
  const std::size_t minor_check = rule.minor < 0 ? 0 : 1;
  const std::size_t major_check = rule.major < 0 ? 0 : 1;
  out.push_back(jump(BPF_JNE, device_type, type_value(rule), major_check + minor_check + end.size()));
  append_number_check(out, major_number, rule.major, minor_check + end.size());
  append_number_check(out, minor_number, rule.minor, end.size());
  out.insert(out.end(), end.begin(), end.end());
}

// About one device, and about every access to it.
bool is_whole(const DeviceRule &rule) {
  return access_bits(rule) == all_accesses && rule.major >= 0 && rule.major <= most_major && rule.minor >= 0 &&
         rule.minor <= most_minor;
}

// The rules at the end of `rules` that say the same of one whole device each.
std::span<const DeviceRule> last_alike(std::span<const DeviceRule> rules) {
  std::size_t count = 0;
  for (; count < rules.size(); ++count) {
    const DeviceRule &rule = rules[rules.size() - 1 - count];
    if (!is_whole(rule) || rule.allow != rules.back().allow || rule.type != rules.back().type) break;
  }
  return rules.last(count);
}

// One comparison for each. The kernel follows every way through the program before it takes it, so what a program costs
// at the start of a container is its branches.
void append_alike(std::vector<bpf_insn> &out, std::span<const DeviceRule> rules) {
  out.push_back(jump(BPF_JNE, device_type, type_value(rules.front()), rules.size() + 3));
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const auto number = static_cast<std::uint32_t>(rules[i].major << minor_bits | rules[i].minor);
    out.push_back(jump(BPF_JEQ, device_number, static_cast<std::int32_t>(number), rules.size() - i));
  }
  out.push_back(jump_always(2));
  append_return(out, rules.front().allow);
}

// The v1 lines for a rule that repeats the default after others that differ from it: v1 removes an entry only under the
// entry's own numbers.
Status take_back(const DeviceRule &rule, std::span<const DeviceRule> before, std::vector<DeviceLine> &out) {
  for (const DeviceRule &earlier : before) {
    if (earlier.allow == rule.allow || !overlap(earlier, rule)) continue;
    if (!covers(rule, earlier)) {
      return fail(fmt::format("linux.resources.devices: cgroup v1 cannot {} \"{}\" as a part of \"{}\"",
                              rule.allow ? "allow" : "deny", print_device_rule(rule), print_device_rule(earlier)),
                  "list the devices one by one, or use a host with cgroup v2");
    }
    DeviceRule exact = rule;
    exact.major = earlier.major;
    exact.minor = earlier.minor;
    out.push_back({.allow = rule.allow, .text = print_device_rule(exact)});
  }
  return {};
}

constexpr DeviceRule allow_char(std::int64_t major, std::int64_t minor) {
  return {.allow = true, .type = 'c', .major = major, .minor = minor, .read = true, .write = true, .mknod = true};
}

}  // namespace

bool allows_every_device(const std::vector<DeviceRule> &rules) {
  const Effective effective = effective_rules(rules);
  return effective.default_allow && without_idle_rules(effective).empty();
}

std::optional<std::vector<DeviceRule>> list_allowed_devices(const std::vector<DeviceRule> &rules) {
  const Effective effective = effective_rules(rules);
  std::vector<DeviceRule> counting = without_idle_rules(effective);
  if (effective.default_allow || !std::ranges::all_of(counting, &DeviceRule::allow)) return std::nullopt;
  return counting;
}

std::vector<bpf_insn> make_device_program(const std::vector<DeviceRule> &rules) {
  const Effective effective = effective_rules(rules);
  const std::vector<DeviceRule> counting = without_idle_rules(effective);
  std::vector<bpf_insn> out = {
      load_word(device_type, offsetof(bpf_cgroup_dev_ctx, access_type)),
      with_register(BPF_MOV, undecided, device_type),
      with_value(BPF_AND, device_type, 0xffff),
      with_value(BPF_RSH, undecided, 16),
      load_word(major_number, offsetof(bpf_cgroup_dev_ctx, major)),
      load_word(minor_number, offsetof(bpf_cgroup_dev_ctx, minor)),
      with_register(BPF_MOV, device_number, major_number),
      with_value(BPF_LSH, device_number, minor_bits),
      with_register(BPF_OR, device_number, minor_number),
  };
  // The last rule that matches decides, so it is asked first.
  for (std::span<const DeviceRule> rest = counting; !rest.empty();) {
    const std::span<const DeviceRule> alike = last_alike(rest);
    if (alike.size() > 1) {
      append_alike(out, alike);
    } else {
      append_rule(out, rest.back());
    }
    rest = rest.first(rest.size() - std::max<std::size_t>(alike.size(), 1));
  }
  append_return(out, effective.default_allow);
  return out;
}

std::string print_device_rule(const DeviceRule &rule) {
  auto number = [](std::int64_t value) { return value < 0 ? std::string("*") : fmt::to_string(value); };
  if (rule.type == 'a') return "a *:* rwm";
  return fmt::format("{} {}:{} {}{}{}", rule.type, number(rule.major), number(rule.minor), rule.read ? "r" : "",
                     rule.write ? "w" : "", rule.mknod ? "m" : "");
}

Result<std::vector<DeviceLine>> make_device_lines(const std::vector<DeviceRule> &rules) {
  const Effective effective = effective_rules(rules);
  const std::vector<DeviceRule> counting = without_idle_rules(effective);
  // A new cgroup has a copy of its parent's list: start from all or from nothing.
  std::vector<DeviceLine> out = {{.allow = effective.default_allow, .text = "a *:* rwm"}};
  for (std::size_t i = 0; i < counting.size(); ++i) {
    const DeviceRule &rule = counting[i];
    if (rule.allow == effective.default_allow) {
      if (Status status = take_back(rule, std::span(counting).first(i), out); !status) {
        return std::unexpected(std::move(status).error());
      }
    } else {
      out.push_back({.allow = rule.allow, .text = print_device_rule(rule)});
    }
  }
  return out;
}

std::vector<DeviceRule> with_default_device_rules(std::vector<DeviceRule> rules) {
  if (!effective_rules(rules).default_allow) {
    rules.push_back({.allow = true, .type = 'c', .major = -1, .minor = -1, .mknod = true});
    rules.push_back({.allow = true, .type = 'b', .major = -1, .minor = -1, .mknod = true});
  }
  constexpr std::array defaults = {
      allow_char(1, 3),     // null
      allow_char(1, 8),     // random
      allow_char(1, 7),     // full
      allow_char(5, 0),     // tty
      allow_char(1, 5),     // zero
      allow_char(1, 9),     // urandom
      allow_char(136, -1),  // pts/*
      allow_char(5, 2),     // ptmx
      allow_char(10, 200),  // net/tun
  };
  rules.insert(rules.end(), defaults.begin(), defaults.end());
  return rules;
}

}  // namespace skiff
