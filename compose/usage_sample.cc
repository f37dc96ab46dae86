#include "compose/usage_sample.h"

#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "compose/words.h"
#include "spec/state.h"

namespace skiff::compose {
namespace {

std::uint64_t number_in(const std::string &path) {
  const Result<std::string> text = read_if_there(path);
  return text ? std::strtoull(text->c_str(), nullptr, 10) : 0;
}

// The value behind "NAME VALUE" in a flat keyed file.
std::uint64_t keyed(const std::string &path, std::string_view name) {
  const Result<std::string> text = read_if_there(path);
  if (!text) return 0;
  for (const std::string_view line : lines_of(*text)) {
    const std::vector<std::string_view> words = words_of(line);
    if (words.size() == 2 && words[0] == name) return std::strtoull(std::string(words[1]).c_str(), nullptr, 10);
  }
  return 0;
}

// Where a file of a controller lies among the container's directories, of v1 or v2; empty where it lies nowhere.
std::string find_file(const std::vector<std::string> &directories, const char *name) {
  for (const std::string &directory : directories) {
    const Result<std::string> text = read_if_there(directory + "/" + name);
    if (text && !text->empty()) return directory + "/" + name;
  }
  return {};
}

void add_memory(const std::vector<std::string> &directories, UsageSample &sample) {
  const std::string v2 = find_file(directories, "memory.current");
  const std::string v1 = v2.empty() ? find_file(directories, "memory.usage_in_bytes") : "";
  const std::string &file = v2.empty() ? v1 : v2;
  if (file.empty()) return;
  const std::string folder = file.substr(0, file.rfind('/') + 1);
  const std::uint64_t all = number_in(file);
  const std::uint64_t droppable = keyed(folder + "memory.stat", v2.empty() ? "total_inactive_file" : "inactive_file");
  sample.memory = all > droppable ? all - droppable : 0;
  sample.memory_limit = number_in(folder + (v2.empty() ? "memory.limit_in_bytes" : "memory.max"));
}

// "MAJOR:MINOR Read N" of v1, "MAJOR:MINOR rbytes=N wbytes=N" of v2.
void add_block(const std::vector<std::string> &directories, UsageSample &sample) {
  for (const char *name : {"io.stat", "blkio.throttle.io_service_bytes_recursive", "blkio.throttle.io_service_bytes"}) {
    const std::string file = find_file(directories, name);
    if (file.empty()) continue;
    const Result<std::string> text = read_if_there(file);
    for (const std::string_view line : lines_of(text ? *text : std::string_view())) {
      const std::vector<std::string_view> words = words_of(line);
      for (const std::string_view word : words) {
        if (word.starts_with("rbytes=")) sample.read += std::strtoull(std::string(word.substr(7)).c_str(), nullptr, 10);
        if (word.starts_with("wbytes="))
          sample.written += std::strtoull(std::string(word.substr(7)).c_str(), nullptr, 10);
      }
      if (words.size() != 3) continue;
      const std::uint64_t bytes = std::strtoull(std::string(words[2]).c_str(), nullptr, 10);
      if (words[1] == "Read") sample.read += bytes;
      if (words[1] == "Write") sample.written += bytes;
    }
    return;
  }
}

// proc_pid_net(5): "NAME: RECEIVED ... (8 columns) SENT ..."
void add_network(pid_t pid, UsageSample &sample) {
  const Result<std::string> text = read_if_there(fmt::format("/proc/{}/net/dev", pid));
  for (const std::string_view line : lines_of(text ? *text : std::string_view())) {
    const std::size_t colon = line.find(':');
    if (colon == line.npos || line.substr(0, colon).ends_with(" lo") || line.starts_with("lo:")) continue;
    const std::vector<std::string_view> words = words_of(line.substr(colon + 1));
    if (words.size() < 16) continue;
    sample.received += std::strtoull(std::string(words[0]).c_str(), nullptr, 10);
    sample.sent += std::strtoull(std::string(words[8]).c_str(), nullptr, 10);
  }
}

}  // namespace

Result<UsageSample> sample_usage(const Engine &engine, const Container &container) {
  if (!container.state.is_running()) return fail(ESRCH, fmt::format("{} does not run", container.record.name));
  const std::string text = TRY(read_if_there(engine.places.runtime_root() + "/" + container.id() + "/state.json"));
  if (text.empty()) return fail(ESRCH, fmt::format("{} does not run", container.record.name));
  const std::vector<std::string> directories = TRY(spec::parse_record(text)).cgroup_paths;
  UsageSample sample;
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  sample.time = now.tv_sec * 1'000'000'000 + now.tv_nsec;
  const std::string v1 = find_file(directories, "cpuacct.usage");
  const std::string v2 = v1.empty() ? find_file(directories, "cpu.stat") : "";
  sample.cpu = !v1.empty() ? number_in(v1) : v2.empty() ? 0 : keyed(v2, "usage_usec") * 1000;
  add_memory(directories, sample);
  add_block(directories, sample);
  if (container.record.network_mode != "host") add_network(container.state.run.pid, sample);
  const std::string pids = find_file(directories, "pids.current");
  if (!pids.empty()) sample.processes = number_in(pids);
  const auto host =
      static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  if (sample.memory_limit == 0 || sample.memory_limit > host) sample.memory_limit = host;
  return sample;
}

double cpu_percent(const UsageSample &before, const UsageSample &now) {
  if (now.time <= before.time || now.cpu < before.cpu) return 0;
  return 100.0 * static_cast<double>(now.cpu - before.cpu) / static_cast<double>(now.time - before.time);
}

}  // namespace skiff::compose
