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

std::string text_of(const std::string &path) { return read_if_there(path).value_or(std::string()); }

std::uint64_t number_in(const std::string &text) { return std::strtoull(text.c_str(), nullptr, 10); }

// The value behind "NAME VALUE" in the text of a flat keyed file.
std::uint64_t keyed(std::string_view text, std::string_view name) {
  for (const std::string_view line : lines_of(text)) {
    const std::vector<std::string_view> words = words_of(line);
    if (words.size() == 2 && words[0] == name) return std::strtoull(std::string(words[1]).c_str(), nullptr, 10);
  }
  return 0;
}

// A file of a controller, which lies in one of the container's directories, of v1 or v2; empty where it lies nowhere.
struct Found {
  std::string folder;
  std::string text;
  [[nodiscard]] explicit operator bool() const { return !text.empty(); }
};
Found find_file(const std::vector<std::string> &directories, const char *name) {
  for (const std::string &directory : directories) {
    std::string text = text_of(directory + "/" + name);
    if (!text.empty()) return {.folder = directory + "/", .text = std::move(text)};
  }
  return {};
}

void add_memory(const std::vector<std::string> &directories, UsageSample &sample) {
  Found file = find_file(directories, "memory.current");
  const bool v2 = static_cast<bool>(file);
  if (!v2) file = find_file(directories, "memory.usage_in_bytes");
  if (!file) return;
  const std::uint64_t all = number_in(file.text);
  const std::uint64_t droppable =
      keyed(text_of(file.folder + "memory.stat"), v2 ? "inactive_file" : "total_inactive_file");
  sample.memory = all > droppable ? all - droppable : 0;
  sample.memory_limit = number_in(text_of(file.folder + (v2 ? "memory.max" : "memory.limit_in_bytes")));
}

// "MAJOR:MINOR Read N" of v1, "MAJOR:MINOR rbytes=N wbytes=N" of v2.
void add_block(const std::vector<std::string> &directories, UsageSample &sample) {
  for (const char *name : {"io.stat", "blkio.throttle.io_service_bytes_recursive", "blkio.throttle.io_service_bytes"}) {
    const Found file = find_file(directories, name);
    if (!file) continue;
    for (const std::string_view line : lines_of(file.text)) {
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
  const std::string text = text_of(fmt::format("/proc/{}/net/dev", pid));
  for (const std::string_view line : lines_of(text)) {
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
  const Found v1 = find_file(directories, "cpuacct.usage");
  sample.cpu = v1 ? number_in(v1.text) : keyed(find_file(directories, "cpu.stat").text, "usage_usec") * 1000;
  add_memory(directories, sample);
  add_block(directories, sample);
  if (container.record.network_mode != "host") add_network(container.state.run.pid, sample);
  sample.processes = number_in(find_file(directories, "pids.current").text);
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
