// The statistics as JSON, with the keys, their order and the omissions of runc's events: what is zero is left out
// except where the caller has always seen it.
#include <fmt/format.h>

#include <iterator>

#include "runtime/cgroup_stats.h"

namespace skiff {
namespace {

// Kernel names and container ids need no escapes, but a page size or an id could be anything.
std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

class Object {
 public:
  Object &raw(std::string_view key, std::string_view json) {
    if (text_.size() > 1) text_ += ',';
    text_.append(quote(key)).append(":").append(json);
    return *this;
  }
  Object &number(std::string_view key, std::uint64_t value) { return raw(key, fmt::to_string(value)); }
  Object &number_or_nothing(std::string_view key, std::uint64_t value) {
    return value == 0 ? *this : number(key, value);
  }
  // An object in which nothing was said is left out.
  Object &object_or_nothing(std::string_view key, bool said, const std::string &json) {
    return said ? raw(key, json) : *this;
  }
  template <class List>
  Object &list_or_nothing(std::string_view key, const List &list) {
    return list.empty() ? *this : raw(key, fmt::format("[{}]", fmt::join(list, ",")));
  }
  [[nodiscard]] std::string end() const { return text_ + "}"; }

 private:
  std::string text_ = "{";
};

std::string print(const PressureLine &line) {
  return fmt::format(R"({{"avg10":{},"avg60":{},"avg300":{},"total":{}}})", line.avg10, line.avg60, line.avg300,
                     line.total);
}

void add_pressure(Object &out, const std::optional<Pressure> &pressure) {
  auto said = [](const PressureLine &line) {
    return line.avg10 > 0 || line.avg60 > 0 || line.avg300 > 0 || line.total > 0;
  };
  if (!pressure) return;
  Object inner;
  inner.object_or_nothing("some", said(pressure->some), print(pressure->some));
  inner.object_or_nothing("full", said(pressure->full), print(pressure->full));
  out.raw("psi", inner.end());
}

std::string print(const CpuStats &cpu) {
  Object usage;
  usage.number_or_nothing("total", cpu.total)
      .list_or_nothing("percpu", cpu.per_cpu)
      .list_or_nothing("percpu_kernel", cpu.per_cpu_kernel)
      .list_or_nothing("percpu_user", cpu.per_cpu_user)
      .number("kernel", cpu.kernel)
      .number("user", cpu.user);
  Object throttling;
  throttling.number_or_nothing("periods", cpu.periods)
      .number_or_nothing("throttledPeriods", cpu.throttled_periods)
      .number_or_nothing("throttledTime", cpu.throttled_time);
  Object out;
  out.object_or_nothing("usage", cpu.total + cpu.kernel + cpu.user > 0, usage.end());
  out.object_or_nothing("throttling", throttling.end() != "{}", throttling.end());
  add_pressure(out, cpu.pressure);
  return out.end();
}

std::string print(const CpusetStats &cpuset) {
  return Object()
      .list_or_nothing("cpus", cpuset.cpus)
      .number("cpu_exclusive", cpuset.cpu_exclusive)
      .list_or_nothing("mems", cpuset.mems)
      .number("mem_hardwall", cpuset.mem_hardwall)
      .number("mem_exclusive", cpuset.mem_exclusive)
      .number("memory_migrate", cpuset.memory_migrate)
      .number("memory_spread_page", cpuset.memory_spread_page)
      .number("memory_spread_slab", cpuset.memory_spread_slab)
      .number("memory_pressure", cpuset.memory_pressure)
      .number("sched_load_balance", cpuset.sched_load_balance)
      .raw("sched_relax_domain_level", fmt::to_string(cpuset.sched_relax_domain_level))
      .end();
}

void add_usage(Object &out, std::string_view key, const MemoryUsage &usage) {
  const bool said = usage.limit != 0 || usage.usage != 0 || usage.max != 0 || usage.failcnt != 0;
  Object inner;
  inner.number("limit", usage.limit)
      .number_or_nothing("usage", usage.usage)
      .number_or_nothing("max", usage.max)
      .number("failcnt", usage.failcnt);
  out.object_or_nothing(key, said, inner.end());
}

std::string print(const MemoryStats &memory) {
  Object raw;
  for (const auto &[key, value] : memory.raw) raw.number(key, value);
  Object out;
  out.number_or_nothing("cache", memory.cache);
  add_usage(out, "usage", memory.usage);
  add_usage(out, "swap", memory.swap);
  add_usage(out, "kernel", memory.kernel);
  add_usage(out, "kernelTCP", memory.kernel_tcp);
  out.object_or_nothing("raw", !memory.raw.empty(), raw.end());
  add_pressure(out, memory.pressure);
  return out.end();
}

void add_entries(Object &out, std::string_view key, const std::vector<BlockIoEntry> &entries) {
  std::vector<std::string> list;
  for (const BlockIoEntry &entry : entries) {
    Object inner;
    inner.number_or_nothing("major", entry.major).number_or_nothing("minor", entry.minor);
    if (!entry.op.empty()) inner.raw("op", quote(entry.op));
    list.push_back(inner.number_or_nothing("value", entry.value).end());
  }
  out.list_or_nothing(key, list);
}

std::string print(const BlockIoStats &io) {
  Object out;
  add_entries(out, "ioServiceBytesRecursive", io.service_bytes);
  add_entries(out, "ioServicedRecursive", io.serviced);
  add_entries(out, "ioQueueRecursive", io.queued);
  add_entries(out, "ioServiceTimeRecursive", io.service_time);
  add_entries(out, "ioWaitTimeRecursive", io.wait_time);
  add_entries(out, "ioMergedRecursive", io.merged);
  add_entries(out, "ioTimeRecursive", io.time);
  add_entries(out, "sectorsRecursive", io.sectors);
  add_pressure(out, io.pressure);
  return out.end();
}

std::string print(const std::map<std::string, HugetlbStats> &hugetlb) {
  Object out;
  for (const auto &[size, stats] : hugetlb) {
    out.raw(size, Object()
                      .number_or_nothing("usage", stats.usage)
                      .number_or_nothing("max", stats.max)
                      .number("failcnt", stats.failcnt)
                      .end());
  }
  return out.end();
}

}  // namespace

std::string print_stats_event(std::string_view id, const Stats &stats) {
  Object pids;
  pids.number_or_nothing("current", stats.pids_current).number_or_nothing("limit", stats.pids_limit);
  Object data;
  data.raw("cpu", print(stats.cpu))
      .raw("cpuset", print(stats.cpuset))
      .raw("memory", print(stats.memory))
      .raw("pids", pids.end())
      .raw("blkio", print(stats.block_io))
      .raw("hugetlb", print(stats.hugetlb))
      .raw("intel_rdt", "{}")
      .raw("network_interfaces", "null");
  return Object().raw("type", "\"stats\"").raw("id", quote(id)).raw("data", data.end()).end();
}

std::string print_oom_event(std::string_view id) { return Object().raw("type", "\"oom\"").raw("id", quote(id)).end(); }

}  // namespace skiff
