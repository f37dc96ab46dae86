#include "compose/at_rest.h"

#include <fmt/format.h>

#include <cstdlib>

#include "compose/state.h"
#include "compose/words.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {
namespace {

// Of proc_pid_status(5): what changes whenever a thread has run. Empty where it works or is gone.
std::string rest_of_thread(const std::string &thread) {
  const std::string text = read_if_there(thread + "/status").value_or(std::string());
  std::string rest;
  for (const std::string_view line : lines_of(text)) {
    const std::vector<std::string_view> words = words_of(line);
    if (words.size() < 2) continue;
    const bool is_waiting = words[1] == "S" || words[1] == "T" || words[1] == "I";
    if (words[0] == "State:" && !is_waiting) return {};
    if (words[0] == "Pid:" || words[0].ends_with("_switches:")) rest += fmt::format("{} ", words[1]);
  }
  return rest;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the processes' tree.
bool add_process(pid_t pid, std::string &all) {
  const std::string folder = fmt::format("/proc/{}/task", pid);
  const Result<kernel::Fd> opened = kernel::open(folder, O_RDONLY | O_DIRECTORY);
  if (!opened) return false;
  for (const std::string &thread : kernel::list_directory(*opened).value_or(std::vector<std::string>())) {
    const std::string place = fmt::format("{}/{}", folder, thread);
    const std::string rest = rest_of_thread(place);
    if (rest.empty()) return false;
    all += rest;
    const std::string children = read_if_there(place + "/children").value_or(std::string());
    for (const std::string_view child : words_of(children)) {
      if (!add_process(std::atoi(std::string(child).c_str()), all)) return false;
    }
  }
  return true;
}

}  // namespace

bool RestWatch::look(pid_t pid) {
  std::string now;
  if (!add_process(pid, now)) now.clear();
  const bool same = !now.empty() && now == before_;
  before_ = std::move(now);
  return same;
}

}  // namespace skiff::compose
