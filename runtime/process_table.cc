#include "runtime/process_table.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "runtime/kernel/fd.h"
#include "runtime/kernel/namespace.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"

namespace skiff {
namespace {

// ps(1) of the host, with the caller's own options.
Result<std::string> run_ps(const std::vector<std::string_view> &options) {
  std::vector<std::string> words = {"ps"};
  if (options.empty()) words.emplace_back("-ef");
  words.insert(words.end(), options.begin(), options.end());
  std::vector<const char *> argv;
  for (const std::string &word : words) argv.push_back(word.c_str());
  argv.push_back(nullptr);
  kernel::Pipe pipe = TRY(kernel::pipe2());
  kernel::Child child = TRY(kernel::clone3({}));
  if (child.is_this_process()) {
    if (!kernel::dup_onto(pipe.write, 1)) _exit(127);
    for (const char *path : {"/usr/bin/ps", "/bin/ps"}) {
      (void)kernel::execveat(kernel::cwd, path, argv.data(), environ, 0);
    }
    _exit(127);
  }
  pipe.write.reset();
  std::string text = TRY(kernel::read_all(pipe.read, 64 << 20));
  const kernel::ExitStatus ended = TRY(child.wait());
  if (ended.shell_code() == 127) return fail("ps: not found", "install the package procps, or use --format json");
  if (ended.shell_code() != 0) return fail(fmt::format("ps: exit status {}", ended.shell_code()), "check its options");
  return text;
}

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  while (true) {
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return fields;
    line.remove_prefix(begin);
    const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    fields.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

}  // namespace

Result<std::string> select_processes(std::string_view text, const std::vector<pid_t> &pids) {
  std::string kept;
  std::size_t column = std::string_view::npos;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::vector<std::string_view> fields = fields_of(line);
    if (column == std::string_view::npos) {
      const auto heading = std::ranges::find(fields, "PID");
      if (heading == fields.end()) return fail("ps: its output has no column PID", "add pid to the options of ps");
      column = static_cast<std::size_t>(heading - fields.begin());
      kept += fmt::format("{}\n", line);
      continue;
    }
    if (fields.size() <= column) continue;
    pid_t pid = 0;
    const std::string_view word = fields[column];
    std::from_chars(word.data(), word.data() + word.size(), pid);
    if (std::ranges::binary_search(pids, pid)) kept += fmt::format("{}\n", line);
  }
  return kept;
}

Result<std::string> process_table(const std::vector<std::string_view> &options, const std::vector<pid_t> &pids) {
  return select_processes(TRY(run_ps(options)), pids);
}

Result<std::vector<pid_t>> processes_beside(const kernel::Procfs &proc, pid_t init) {
  const auto namespace_of = [&](pid_t pid) -> Result<ino_t> {
    return TRY(kernel::fstat(TRY(kernel::open_namespace(proc, pid, "pid")))).st_ino;
  };
  const ino_t wanted = TRY(namespace_of(init));
  if (const Result<ino_t> own = namespace_of(kernel::getpid()); own && *own == wanted) return std::vector{init};
  std::vector<pid_t> out;
  for (const std::string &name : TRY(kernel::list_directory(proc.root()))) {
    pid_t pid = 0;
    const char *const end = name.data() + name.size();
    if (std::from_chars(name.data(), end, pid).ptr != end) continue;
    // Others' processes may not be looked at, and any may have ended.
    const Result<ino_t> found = namespace_of(pid);
    if (found && *found == wanted) out.push_back(pid);
  }
  std::ranges::sort(out);
  return out;
}

}  // namespace skiff
