#include "tests/bench/report.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/bench/quantile.h"

namespace skiff::bench {
namespace {

using Json = nlohmann::ordered_json;

std::string first_line_of(const char *path, std::string_view key) {
  const Result<kernel::Fd> file = kernel::open(path, O_RDONLY);
  const Result<std::string> text = file ? kernel::read_all(*file, 1 << 22) : std::unexpected(file.error());
  if (!text) return "?";
  const std::size_t at = text->find(key);
  if (at == std::string::npos) return "?";
  const std::size_t begin = text->find_first_not_of(": \t", at + key.size());
  return text->substr(begin, text->find('\n', begin) - begin);
}

const Measured *find(const std::vector<Measured> &all, std::string_view case_name, std::string_view contestant) {
  const auto found = std::ranges::find_if(all, [&](const Measured &one) {
    return one.case_name == case_name && one.contestant.name == contestant && one.failure.empty();
  });
  return found == all.end() ? nullptr : &*found;
}

// In the order of their first appearance, without skiff: what the ratios are to.
std::vector<std::string> references(const std::vector<Measured> &all) {
  std::vector<std::string> names;
  for (const Measured &one : all) {
    const std::string &name = one.contestant.name;
    if (name != "skiff" && std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  return names;
}

// One number for each process.
std::string print_peaks(const Traced &traced) {
  std::string text;
  for (const std::uint32_t peak : traced.peaks_kib) {
    if (peak > 0) text += fmt::format("{}{}", text.empty() ? "" : " ", peak);
  }
  return text;
}

std::string ratio(const Measured &one, const Measured *reference) {
  if (reference == nullptr || reference == &one || reference->wall.empty()) return "";
  return fmt::format("{:.2f}", quantile(one.wall, 0.5) / quantile(reference->wall, 0.5));
}

Json to_json(const Measured &one) {
  Json entry = {{"case", one.case_name}, {"program", one.contestant.name}, {"version", one.contestant.version}};
  if (!one.failure.empty()) {
    entry["failure"] = one.failure;
    return entry;
  }
  entry["median_ms"] = quantile(one.wall, 0.5);
  entry["p95_ms"] = quantile(one.wall, 0.95);
  entry["cpu_ms"] = quantile(one.cpu, 0.5);
  entry["rounds_ms"] = one.wall;
  entry["peak_rss_kib"] = one.traced.peak_kib;
  for (const std::uint32_t peak : one.traced.peaks_kib) {
    if (peak > 0) entry["peak_rss_kib_of_each_process"].push_back(peak);
  }
  entry["tasks"] = one.traced.tasks;
  entry["system_calls"] = one.traced.total();
  for (const auto &[name, count] : calls_by_count(one.traced)) entry["calls"][name] = count;
  return entry;
}

Json to_json(const Crowded &one) {
  Json entry = {{"program", one.contestant.name}};
  if (!one.failure.empty()) entry["failure"] = one.failure;
  entry["containers_per_second"] = one.per_second;
  entry["each_ms"] = one.each;
  entry["alive"] = one.alive;
  if (one.kib) entry["kib_each_alive"] = *one.kib;
  entry["list_ms"] = one.lists;
  return entry;
}

Json to_json(const SmallestLimits &one) {
  Json entry = {{"program", one.contestant.name}};
  if (!one.failure.empty()) entry["failure"] = one.failure;
  if (one.command_kib > 0) entry["command_kib"] = one.command_kib;
  if (one.config_kib > 0) entry["config_kib"] = one.config_kib;
  return entry;
}

}  // namespace

std::string describe_machine(bool host_cgroups) {
  utsname name{};
  ::uname(&name);
  double load = 0;
  (void)::getloadavg(&load, 1);
  return fmt::format("{} cores ({}), Linux {}, {}, load {:.1f}", ::sysconf(_SC_NPROCESSORS_ONLN),
                     first_line_of("/proc/cpuinfo", "model name"), name.release,
                     host_cgroups ? "the host's cgroups" : "cgroup v2 mounted for this run", load);
}

std::string print_table(const std::vector<Measured> &all) {
  const std::vector<std::string> names = references(all);
  std::string out = "| case | program | median ms | p95 ms | cpu ms |";
  std::string rule = "|---|---|---:|---:|---:|";
  for (const std::string &name : names) {
    out += fmt::format(" / {} |", name);
    rule += "---:|";
  }
  out += " peak RSS KiB | system calls | tasks |\n" + rule + "---:|---:|---:|\n";
  for (const Measured &one : all) {
    const std::string program =
        one.contestant.is_floor ? fmt::format("{}: {}", one.contestant.name, one.floor) : one.contestant.name;
    out += fmt::format("| {} | {} |", one.case_name, program);
    if (!one.failure.empty()) {
      out += fmt::format(" failed: {} |\n", one.failure);
      continue;
    }
    out += fmt::format(" {:.2f} | {:.2f} | {:.2f} |", quantile(one.wall, 0.5), quantile(one.wall, 0.95),
                       quantile(one.cpu, 0.5));
    for (const std::string &name : names) out += fmt::format(" {} |", ratio(one, find(all, one.case_name, name)));
    out += fmt::format(" {} | {} | {} |\n", print_peaks(one.traced), one.traced.total(), one.traced.tasks);
  }
  return out;
}

std::string print_calls(const std::vector<Measured> &all) {
  std::string out;
  for (const Measured &one : all) {
    if (!one.failure.empty()) continue;
    out += fmt::format("{} {}: {}:", one.case_name, one.contestant.name, one.traced.total());
    for (const auto &[name, count] : calls_by_count(one.traced)) out += fmt::format(" {} {}", name, count);
    out += '\n';
  }
  return out;
}

std::string print_json(const Report &report) {
  Json document = {{"machine", report.machine},
                   {"measured", Json::array()},
                   {"crowds", Json::array()},
                   {"memory_limits", Json::array()}};
  for (const Measured &one : report.cases) document["measured"].push_back(to_json(one));
  for (const Crowded &one : report.crowds) document["crowds"].push_back(to_json(one));
  for (const SmallestLimits &one : report.limits) document["memory_limits"].push_back(to_json(one));
  return document.dump(2) + "\n";
}

}  // namespace skiff::bench
