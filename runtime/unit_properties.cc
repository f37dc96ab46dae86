#include "runtime/unit_properties.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include "runtime/device_filter.h"

namespace skiff {
namespace {

constexpr std::uint64_t infinity = std::numeric_limits<std::uint64_t>::max();

template <class T>
std::optional<T> parse_number(std::string_view text) {
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

// The kernel takes blanks around a value.
std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\n") - begin + 1);
}

std::string_view take_word(std::string_view &text) {
  text = trim(text);
  const std::string_view word = text.substr(0, text.find_first_of(" \t"));
  text.remove_prefix(word.size());
  return word;
}

// A number of a file; "max" and, on v1, -1 are systemd's infinity.
std::optional<std::uint64_t> limit_of(std::string_view text) {
  if (text == "max" || text == "-1") return infinity;
  return parse_number<std::uint64_t>(text);
}

// "0-2,5" as a bit mask, the first byte with CPU 0 to 7. Empty where it is no such list: the kernel says so of the
// file.
std::vector<std::uint8_t> parse_cpu_list(std::string_view list) {
  constexpr unsigned most = 8192;  // CPUs that Linux can be built for
  std::vector<std::uint8_t> mask;
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    const std::string_view range = trim(list.substr(0, comma));
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    if (range.empty()) continue;
    const std::size_t dash = range.find('-');
    const auto first = parse_number<unsigned>(range.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_number<unsigned>(range.substr(dash + 1));
    if (!first || !last || *first > *last || *last >= most) return {};
    mask.resize(std::max<std::size_t>(mask.size(), *last / 8 + 1));
    for (unsigned i = *first; i <= *last; ++i) mask[i / 8] |= static_cast<std::uint8_t>(1U << i % 8);
  }
  return mask;
}

// A weight of io.bfq.weight, 1 to 1000 around 100, as one of systemd's, 1 to 10000 around 100: systemd's own
// conversion backwards, so that it comes to the same weight again.
std::uint64_t weight_of_bfq(std::uint64_t weight) { return weight <= 100 ? weight : 100 + (weight - 100) * 11; }

struct Simple {
  std::string_view file;
  const char *property;
  int since;
};
constexpr std::array<Simple, 13> limits = {{{"memory.max", "MemoryMax", 0},
                                            {"memory.high", "MemoryHigh", 0},
                                            {"memory.low", "MemoryLow", 0},
                                            {"memory.min", "MemoryMin", 240},
                                            {"memory.swap.max", "MemorySwapMax", 0},
                                            {"memory.zswap.max", "MemoryZSwapMax", 253},
                                            {"cpu.weight", "CPUWeight", 0},
                                            {"pids.max", "TasksMax", 0},
                                            {"memory.limit_in_bytes", "MemoryLimit", 0},
                                            {"cpu.shares", "CPUShares", 0},
                                            {"blkio.weight", "BlockIOWeight", 0},
                                            {"cpuset.cpus", "AllowedCPUs", 244},
                                            {"cpuset.mems", "AllowedMemoryNodes", 244}}};

// Of a v1 file: "8:0 1048576".
constexpr std::array<std::pair<std::string_view, const char *>, 3> device_files = {
    {{"blkio.throttle.read_bps_device", "BlockIOReadBandwidth"},
     {"blkio.throttle.write_bps_device", "BlockIOWriteBandwidth"},
     {"blkio.weight_device", "BlockIODeviceWeight"}}};
// Of io.max: "8:0 rbps=1048576".
constexpr std::array<std::pair<std::string_view, const char *>, 4> io_max_keys = {{{"rbps", "IOReadBandwidthMax"},
                                                                                   {"wbps", "IOWriteBandwidthMax"},
                                                                                   {"riops", "IOReadIOPSMax"},
                                                                                   {"wiops", "IOWriteIOPSMax"}}};

class Translator {
 public:
  Translator(const CpuNow &now, UnitMoment moment) : cpu_(now), moment_(moment) {}

  void translate(const CgroupWrite &write) {
    const std::string_view value = trim(write.value);
    if (simple(write, value) || device(write, value)) return;
    if (write.file == "cpu.max") return cpu_max(write, value);
    if (write.file == "cpu.cfs_quota_us" || write.file == "cpu.cfs_period_us") return cfs(write, value);
    if (write.file == "cpu.idle") return idle(write, value);
    if (write.file == "io.max") return io_max(write, value);
    if (write.file == "io.weight" || write.file == "io.bfq.weight") return io_weight(write, value);
    // OOMPolicy is settled at the start of a scope.
    if (write.file == "memory.oom.group" && moment_ == UnitMoment::start && (value == "0" || value == "1")) {
      add(write.field, "OOMPolicy", bus_string(value == "1" ? "kill" : "continue"), 253);
    }
  }

  void finish_bandwidth(std::vector<CgroupWrite> &writes) {
    if (bandwidth_field_.empty()) return;
    std::uint64_t per_second = infinity;
    const std::uint64_t period = cpu_.period == 0 ? 100000 : cpu_.period;
    if (cpu_.quota > 0) {
      constexpr std::uint64_t percent = 10000;  // microseconds of a second
      const auto quota = static_cast<std::uint64_t>(cpu_.quota);
      if (quota > infinity / 1000000) return;  // for the kernel to refuse
      per_second = quota * 1000000 / period;
      if (per_second % percent != 0) {
        per_second = (per_second / percent + 1) * percent;
        round(writes, per_second * period / 1000000);
      }
    } else {
      keep_period(writes, period);
    }
    add(bandwidth_field_, "CPUQuotaPeriodUSec", bus_uint64(period), 242);
    add(bandwidth_field_, "CPUQuotaPerSecUSec", bus_uint64(per_second), 0);
  }

  // The file of an idle group takes no weight.
  void finish_weight(std::vector<CgroupWrite> &writes) {
    const bool weighted =
        std::ranges::any_of(out_.properties, [](const UnitProperty &property) { return property.name == "CPUWeight"; });
    if (!idle_.has_value() || (!*idle_ && (weighted || !cpu_.idle))) return;
    if (*idle_ && (weighted || instead_of_weight_)) {
      std::erase_if(out_.properties, [](const UnitProperty &property) { return property.name == "CPUWeight"; });
      std::erase_if(writes, [](const CgroupWrite &write) { return write.file == "cpu.weight"; });
      out_.warnings.push_back(idle_field_ + ": unable to apply both idle and a weight; the weight is left out");
    }
    // systemd's weight for idle is 0. A group that is idle no more has the kernel's usual weight.
    add(idle_field_, "CPUWeight", bus_uint64(*idle_ ? 0 : 100), *idle_ ? 252 : 0);
  }

  UnitLimits take() && { return std::move(out_); }

 private:
  void add(const std::string &field, const char *name, BusValue value, int since) {
    out_.properties.push_back({.field = field, .name = name, .value = std::move(value), .since = since});
  }

  bool simple(const CgroupWrite &write, std::string_view value) {
    const auto *const found = std::ranges::find(limits, write.file, &Simple::file);
    if (found == limits.end()) return false;
    if (write.file.starts_with("cpuset.")) {
      if (const auto mask = parse_cpu_list(value); !mask.empty()) {
        add(write.field, found->property, bus_bytes(mask), found->since);
      }
    } else if (const auto number = limit_of(value)) {
      // TasksMax=0 is an error to systemd; a container has one process at least.
      const bool none = write.file == "pids.max" && *number == 0;
      add(write.field, found->property, bus_uint64(none ? 1 : *number), found->since);
    }
    return true;
  }

  void add_device(const std::string &field, const char *name, std::string_view numbers, std::uint64_t value) {
    BusValue entry = bus_struct({bus_string(fmt::format("/dev/block/{}", numbers)), bus_uint64(value)});
    add(field, name, bus_array("(st)", {std::move(entry)}), 0);
  }

  bool device(const CgroupWrite &write, std::string_view value) {
    for (const auto &[file, property] : device_files) {
      if (write.file != file) continue;
      const std::string_view numbers = take_word(value);
      if (const auto number = limit_of(take_word(value))) add_device(write.field, property, numbers, *number);
      return true;
    }
    return false;
  }

  void io_max(const CgroupWrite &write, std::string_view value) {
    const std::string_view numbers = take_word(value);
    for (std::string_view word = take_word(value); !word.empty(); word = take_word(value)) {
      const std::size_t equals = word.find('=');
      if (equals == std::string_view::npos) continue;
      for (const auto &[key, property] : io_max_keys) {
        if (word.substr(0, equals) != key) continue;
        if (const auto number = limit_of(word.substr(equals + 1))) add_device(write.field, property, numbers, *number);
      }
    }
  }

  // "100", "default 100" or "8:0 100".
  void io_weight(const CgroupWrite &write, std::string_view value) {
    const std::string_view first = take_word(value);
    const std::string_view second = take_word(value);
    auto weight = parse_number<std::uint64_t>(second.empty() ? first : second);
    if (!weight) return;
    if (write.file == "io.bfq.weight") weight = weight_of_bfq(*weight);
    if (second.empty() || first == "default") {
      add(write.field, "IOWeight", bus_uint64(*weight), 0);
    } else {
      add_device(write.field, "IODeviceWeight", first, *weight);
    }
  }

  void cpu_max(const CgroupWrite &write, std::string_view value) {
    bandwidth_field_ = write.field;
    if (write.keep_first_word) {
      cpu_.period = parse_number<std::uint64_t>(value).value_or(cpu_.period);
      return;
    }
    const std::string_view quota = take_word(value);
    cpu_.quota = quota == "max" ? -1 : parse_number<std::int64_t>(quota).value_or(-1);
    if (const auto period = parse_number<std::uint64_t>(take_word(value))) cpu_.period = *period;
  }

  void cfs(const CgroupWrite &write, std::string_view value) {
    bandwidth_field_ = write.field;
    if (write.file == "cpu.cfs_quota_us") {
      cpu_.quota = parse_number<std::int64_t>(value).value_or(-1);
    } else {
      cpu_.period = parse_number<std::uint64_t>(value).value_or(cpu_.period);
    }
  }

  void idle(const CgroupWrite &write, std::string_view value) {
    if (value != "0" && value != "1") return;  // for the kernel to refuse
    idle_ = value == "1";
    idle_field_ = write.field;
    instead_of_weight_ = write.instead_of_weight;
  }

  static void round(std::vector<CgroupWrite> &writes, std::uint64_t quota) {
    for (CgroupWrite &write : writes) {
      if (write.file == "cpu.cfs_quota_us") write.value = fmt::to_string(quota);
      if (write.file != "cpu.max" || write.keep_first_word) continue;
      const std::size_t blank = write.value.find(' ');
      const std::string rest = blank == std::string::npos ? "" : write.value.substr(blank);
      write.value = fmt::to_string(quota) + rest;
    }
  }

  // Without a quota systemd sets the usual period, and "max" alone would leave that.
  static void keep_period(std::vector<CgroupWrite> &writes, std::uint64_t period) {
    for (CgroupWrite &write : writes) {
      if (write.file == "cpu.max" && write.value == "max") write.value = fmt::format("max {}", period);
    }
  }

  CpuNow cpu_;
  std::string bandwidth_field_;  // empty: nothing asks for one
  std::optional<bool> idle_;
  std::string idle_field_;
  bool instead_of_weight_ = false;
  UnitMoment moment_;
  UnitLimits out_;
};

// systemd.resource-control(5), DeviceAllow=: a node by its numbers, or every node of a major ("char-4", systemd 240) or
// of a type ("char-*"). Empty for one minor of every major, which it has no words for.
std::string device_pattern(const DeviceRule &rule) {
  const std::string_view type = rule.type == 'b' ? "block" : "char";
  if (rule.major < 0) return rule.minor < 0 ? fmt::format("{}-*", type) : std::string();
  if (rule.minor < 0) return fmt::format("{}-{}", type, rule.major);
  return fmt::format("/dev/{}/{}:{}", type, rule.major, rule.minor);
}

// Empty where systemd has no words for the rules.
std::optional<std::vector<BusValue>> allow_list(const std::vector<DeviceRule> &rules) {
  const std::optional<std::vector<DeviceRule>> allowed = list_allowed_devices(rules);
  if (!allowed) return std::nullopt;
  std::vector<BusValue> out;
  for (const DeviceRule &rule : *allowed) {
    std::string pattern = device_pattern(rule);
    if (pattern.empty()) return std::nullopt;
    const std::string access =
        fmt::format("{}{}{}", rule.read ? "r" : "", rule.write ? "w" : "", rule.mknod ? "m" : "");
    out.push_back(bus_struct({bus_string(std::move(pattern)), bus_string(access)}));
  }
  return out;
}

}  // namespace

CpuNow parse_cpu_max(std::string_view text) {
  CpuNow out;
  out.quota = parse_number<std::int64_t>(take_word(text)).value_or(-1);
  out.period = parse_number<std::uint64_t>(take_word(text)).value_or(out.period);
  return out;
}

UnitLimits make_unit_limits(std::vector<CgroupWrite> &writes, const CpuNow &now, UnitMoment moment) {
  Translator translator(now, moment);
  for (const CgroupWrite &write : writes) translator.translate(write);
  translator.finish_bandwidth(writes);
  translator.finish_weight(writes);
  return std::move(translator).take();
}

std::vector<UnitProperty> make_device_properties(const std::vector<DeviceRule> &rules, bool unified) {
  constexpr const char *field = "linux.resources.devices";
  const auto allowed = allow_list(rules);
  const bool filters = !allows_every_device(rules) && (allowed || !unified);
  std::vector<UnitProperty> out;
  out.push_back({.field = field, .name = "DevicePolicy", .value = bus_string(filters ? "strict" : "auto"), .since = 0});
  // The empty list takes away what a drop-in of the unit may have set.
  out.push_back({.field = field, .name = "DeviceAllow", .value = bus_array("(ss)", {}), .since = 0});
  if (filters && allowed && !allowed->empty()) {
    out.push_back({.field = field, .name = "DeviceAllow", .value = bus_array("(ss)", *allowed), .since = 0});
  }
  return out;
}

}  // namespace skiff
