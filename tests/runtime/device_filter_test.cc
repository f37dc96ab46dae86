#include "runtime/device_filter.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

namespace skiff {
namespace {

constexpr std::uint32_t read_bit = BPF_DEVCG_ACC_READ;
constexpr std::uint32_t write_bit = BPF_DEVCG_ACC_WRITE;
constexpr std::uint32_t mknod_bit = BPF_DEVCG_ACC_MKNOD;

// One access to one device, as the kernel asks about it.
struct Access {
  char type;
  std::uint32_t major;
  std::uint32_t minor;
  std::uint32_t bits;
};

// The instructions the filter is made of, by the meaning bpf(2) gives them.
class Machine {
 public:
  bool run(const std::vector<bpf_insn> &program, const Access &access) {
    const bpf_cgroup_dev_ctx context = {
        .access_type = (access.bits << 16) | (access.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
        .major = access.major,
        .minor = access.minor};
    std::size_t at = 0;
    while (at < program.size()) {
      const bpf_insn &insn = program[at++];
      if (insn.code == (BPF_JMP | BPF_EXIT)) return registers_[0] != 0;
      at += static_cast<std::size_t>(step(insn, context));
    }
    ADD_FAILURE() << "the program runs past its end";
    return false;
  }

 private:
  // How many instructions to skip.
  int step(const bpf_insn &insn, const bpf_cgroup_dev_ctx &context) {
    std::uint64_t &to = registers_[insn.dst_reg];
    const auto low = static_cast<std::uint32_t>(to);
    const auto from = static_cast<std::uint32_t>(registers_[insn.src_reg]);
    const auto word = static_cast<std::uint32_t>(insn.imm);
    switch (insn.code) {
      case BPF_LDX | BPF_MEM | BPF_W: {
        std::uint32_t loaded = 0;
        std::memcpy(&loaded, reinterpret_cast<const char *>(&context) + insn.off, sizeof loaded);
        to = loaded;
        return 0;
      }
      case BPF_ALU | BPF_MOV | BPF_K:
        to = word;
        return 0;
      case BPF_ALU | BPF_MOV | BPF_X:
        to = from;
        return 0;
      case BPF_ALU | BPF_AND | BPF_K:
        to = low & word;
        return 0;
      case BPF_ALU | BPF_RSH | BPF_K:
        to = low >> word;
        return 0;
      case BPF_ALU | BPF_LSH | BPF_K:
        to = low << word;
        return 0;
      case BPF_ALU | BPF_OR | BPF_X:
        to = low | from;
        return 0;
      case BPF_JMP32 | BPF_JNE | BPF_K:
        return low != word ? insn.off : 0;
      case BPF_JMP32 | BPF_JEQ | BPF_K:
        return low == word ? insn.off : 0;
      case BPF_JMP | BPF_JA:
        return insn.off;
      default:
        ADD_FAILURE() << "instruction " << int{insn.code} << " is not known";
        return 0;
    }
  }
  std::array<std::uint64_t, 11> registers_{};
};

bool allowed(const std::vector<DeviceRule> &rules, const Access &access) {
  return Machine().run(make_device_program(rules), access);
}

DeviceRule rule(bool allow, char type, std::int64_t major, std::int64_t minor, std::string_view access) {
  return {.allow = allow,
          .type = type,
          .major = major,
          .minor = minor,
          .read = access.contains('r'),
          .write = access.contains('w'),
          .mknod = access.contains('m')};
}

// The meaning, said plainly: each access kind is decided by the last rule that matches it.
bool expected(const std::vector<DeviceRule> &rules, const Access &access) {
  for (const std::uint32_t bit : {read_bit, write_bit, mknod_bit}) {
    if ((access.bits & bit) == 0) continue;
    bool verdict = false;
    for (const DeviceRule &r : rules) {
      const bool of_device =
          r.type == access.type && (r.major < 0 || r.major == access.major) && (r.minor < 0 || r.minor == access.minor);
      const bool of_access =
          (bit == read_bit && r.read) || (bit == write_bit && r.write) || (bit == mknod_bit && r.mknod);
      if (r.type == 'a' || (of_device && of_access)) verdict = r.allow;
    }
    if (!verdict) return false;
  }
  return true;
}

std::string lines(const std::vector<DeviceRule> &rules) {
  const auto made = make_device_lines(rules);
  if (!made) return "error: " + made.error().message();
  std::string out;
  for (const DeviceLine &line : *made) out += (line.allow ? "+" : "-") + line.text + "\n";
  return out;
}

TEST(DeviceFilter, DeniesEveryDeviceThatNoRuleNames) {
  EXPECT_FALSE(allowed({}, {'c', 1, 3, read_bit}));
  EXPECT_FALSE(allowed({}, {'b', 8, 0, mknod_bit}));
}

TEST(DeviceFilter, AllowsTheDefaultsAndNotTheHostsConsole) {
  const auto rules = with_default_device_rules({});
  for (const std::uint32_t minor : {3U, 5U, 7U, 8U, 9U}) EXPECT_TRUE(allowed(rules, {'c', 1, minor, 7})) << minor;
  EXPECT_TRUE(allowed(rules, {'c', 136, 77, read_bit | write_bit}));
  EXPECT_TRUE(allowed(rules, {'c', 10, 200, read_bit | write_bit}));
  EXPECT_TRUE(allowed(rules, {'b', 8, 0, mknod_bit}));
  EXPECT_FALSE(allowed(rules, {'b', 8, 0, read_bit}));
  EXPECT_FALSE(allowed(rules, {'c', 1, 1, read_bit}));  // /dev/mem
  EXPECT_FALSE(allowed(rules, {'c', 5, 1, read_bit}));
}

TEST(DeviceFilter, ComparesNumbersAboveTheSignedRange) {
  const std::vector<DeviceRule> rules = {rule(true, 'c', 0xfffffff0, 0x80000001, "rwm")};
  EXPECT_TRUE(allowed(rules, {'c', 0xfffffff0, 0x80000001, read_bit}));
  EXPECT_FALSE(allowed(rules, {'c', 0xfffffff0, 1, read_bit}));
}

TEST(DeviceFilter, AnAllRuleMakesTheRulesBeforeItVoid) {
  const std::vector<DeviceRule> rules = {rule(true, 'c', 1, 3, "rwm"), rule(false, 'a', -1, -1, "rwm")};
  EXPECT_FALSE(allowed(rules, {'c', 1, 3, read_bit}));
  EXPECT_TRUE(allows_every_device({rule(false, 'c', 1, 3, "rwm"), rule(true, 'a', -1, -1, "rwm")}));
  EXPECT_FALSE(allows_every_device({rule(true, 'a', -1, -1, "rwm"), rule(false, 'c', 1, 3, "w")}));
}

// config-linux.md, "Allowed Device list": "The runtime MUST apply entries in the listed order." Every list of up to
// three rules out of a set that overlaps in all ways, against every access to five devices.
TEST(DeviceFilter, TheLastRuleThatMatchesDecidesInEveryCase) {
  std::vector<DeviceRule> pool = {rule(true, 'a', -1, -1, "rwm"), rule(false, 'a', -1, -1, "rwm")};
  for (const bool allow : {true, false}) {
    for (const std::string_view access : {"r", "w", "rm", "rwm"}) {
      pool.push_back(rule(allow, 'c', 1, 3, access));
      pool.push_back(rule(allow, 'c', 1, -1, access));
      pool.push_back(rule(allow, 'c', -1, 3, access));
      pool.push_back(rule(allow, 'c', -1, -1, access));
    }
    pool.push_back(rule(allow, 'b', 1, 3, "rw"));
    pool.push_back(rule(allow, 'b', 1, 3, "rwm"));
    pool.push_back(rule(allow, 'c', 2, 2, "rwm"));
  }
  const std::array<Access, 5> devices = {
      {{'c', 1, 3, 0}, {'c', 1, 5, 0}, {'c', 2, 3, 0}, {'c', 2, 2, 0}, {'b', 1, 3, 0}}};
  std::size_t wrong = 0;
  auto check = [&](const std::vector<DeviceRule> &rules) {
    const std::vector<bpf_insn> program = make_device_program(rules);
    for (Access access : devices) {
      for (access.bits = 1; access.bits < 8; ++access.bits) {
        if (Machine().run(program, access) != expected(rules, access)) ++wrong;
      }
    }
  };
  // Several in a row about one whole device each become one comparison each.
  check({pool[0], rule(false, 'c', 1, 3, "rwm"), rule(false, 'c', 2, 2, "rwm"), rule(false, 'c', 2, 3, "rwm")});
  check({rule(true, 'c', 1, 3, "rwm"), rule(true, 'c', 2, 2, "rwm"), rule(true, 'b', 1, 3, "rwm"),
         rule(true, 'c', 2, 3, "rwm"), rule(true, 'c', 1, 5, "rwm")});
  for (const DeviceRule &first : pool) {
    for (const DeviceRule &second : pool) {
      check({first, second});
      for (const DeviceRule &third : pool) check({first, second, third});
    }
  }
  EXPECT_EQ(wrong, 0U);
}

TEST(DeviceLines, StartFromNothingAndAddWhatIsAllowed) {
  EXPECT_EQ(lines({rule(false, 'a', -1, -1, "rwm"), rule(true, 'c', 10, 229, "rw"), rule(true, 'b', 8, -1, "r")}),
            "-a *:* rwm\n+c 10:229 rw\n+b 8:* r\n");
}

TEST(DeviceLines, AllowingEverythingIsOneLine) {
  EXPECT_EQ(lines(with_default_device_rules({rule(true, 'a', -1, -1, "rwm")})), "+a *:* rwm\n");
}

TEST(DeviceLines, TakeBackAnEntryUnderItsOwnNumbers) {
  EXPECT_EQ(lines({rule(true, 'c', 1, 3, "rwm"), rule(false, 'c', 1, -1, "w")}), "-a *:* rwm\n+c 1:3 rwm\n-c 1:3 w\n");
}

TEST(DeviceLines, RefuseAHoleInAWiderRuleThatV1WouldIgnore) {
  EXPECT_EQ(lines({rule(true, 'c', 10, -1, "rwm"), rule(false, 'c', 10, 229, "rw")}),
            "error: linux.resources.devices: cgroup v1 cannot deny \"c 10:229 rw\" as a part of \"c 10:* rwm\"; list "
            "the devices one by one, or use a host with cgroup v2");
}

TEST(DeviceRules, TheDefaultsDoNotUndoAnExceptionToEverything) {
  const auto rules = with_default_device_rules({rule(true, 'a', -1, -1, "rwm"), rule(false, 'c', 10, 229, "rwm")});
  EXPECT_FALSE(allowed(rules, {'c', 10, 229, mknod_bit}));
  EXPECT_TRUE(allowed(rules, {'c', 10, 228, mknod_bit}));
}

}  // namespace
}  // namespace skiff
