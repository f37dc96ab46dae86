// skiff-conformance: judges OCI runtimes by what their containers see, clause by clause of runtime-spec 1.3.0.

#include <fmt/format.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "conformance/judge.h"
#include "conformance/leavings.h"
#include "conformance/observer.h"
#include "conformance/report.h"
#include "runtime/cli/log.h"
#include "runtime/cli/usage.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"

namespace skiff::conformance {
namespace {

constexpr std::array<cli::FlagSpec, 7> flags = {{
    {.name = "filter",
     .letter = 'f',
     .kind = cli::Kind::Strings,
     .value = "TEXT",
     .text = "only cases whose name, or a clause they cite, has this text in it"},
    {.name = "list", .letter = 'l', .kind = cli::Kind::Bool, .text = "print the clauses with their cases, run nothing"},
    {.name = "tap", .kind = cli::Kind::Bool, .text = "print the findings as TAP"},
    {.name = "junit", .value = "FILE", .text = "write the findings as JUnit's XML"},
    {.name = "matrix",
     .letter = 'm',
     .kind = cli::Kind::Bool,
     .text = "print a table: a row a case, a column a runtime"},
    {.name = "jobs",
     .letter = 'j',
     .kind = cli::Kind::Uint32,
     .value = "N",
     .text = "cases at a time; as many as there are processors where none is given"},
    {.name = "timeout",
     .letter = 't',
     .kind = cli::Kind::Duration,
     .value = "TIME",
     .text = "how long one case may take",
     .initial = "20s"},
}};

constexpr cli::Command command = {
    .usage = "RUNTIME...",
    .summary = "judges OCI runtimes, clause by clause",
    .description =
        "Each RUNTIME is a program that takes runc's commands create, start, state, kill and delete; with blanks in "
        "it, "
        "it is the program and flags in front of the command.\n\n"
        "A case makes a bundle whose container does nothing but look around, and compares what it saw with "
        "config.json. Exit status: 0 all passed, 1 some failed, 2 nothing could be judged.",
    .flags = flags,
    .max_positionals = cli::kUnlimited};
constexpr std::array<const cli::Command *, 1> commands = {&command};
constexpr cli::Program program = {.name = "skiff-conformance",
                                  .version = SKIFF_VERSION,
                                  .summary = "judges OCI runtimes, clause by clause",
                                  .commands = commands};

Status print(std::string_view text) { return kernel::write_all(kernel::FdView(1), text); }

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    if (!word.empty()) words.emplace_back(word);
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
  return words;
}

// The absolute path that a shell would run.
Result<std::string> find_program(const std::string &name) {
  if (name.find('/') != std::string::npos) {
    if (name.starts_with('/')) return name;
    return TRY(kernel::getcwd()) + "/" + name;
  }
  if (std::string found = kernel::find_on_path(name); !found.empty()) return found;
  return fail(ENOENT, name, "name a program on $PATH, or give a path");
}

Result<std::vector<Runtime>> find_runtimes(const std::vector<std::string_view> &names) {
  std::vector<Runtime> all;
  for (const std::string_view name : names) {
    std::vector<std::string> words = split_words(name);
    if (words.empty()) return fail("a RUNTIME is empty");
    words.front() = TRY(find_program(words.front()));
    TRY(kernel::faccessat(kernel::cwd, words.front(), X_OK));
    std::string label = words.front().substr(words.front().rfind('/') + 1);
    const auto same = std::ranges::count_if(
        all, [&](const Runtime &other) { return other.name.substr(0, other.name.find('#')) == label; });
    if (same > 0) label += fmt::format("#{}", same + 1);
    all.push_back({std::move(label), std::move(words)});
  }
  return all;
}

std::vector<Case> choose_cases(const std::vector<std::string_view> &filters) {
  std::vector<Case> cases = all_cases();
  const auto wanted = [&](const Case &one) {
    return filters.empty() || std::ranges::any_of(filters, [&](std::string_view filter) {
             return one.name.find(filter) != std::string_view::npos ||
                    one.clauses.find(filter) != std::string_view::npos;
           });
  };
  std::erase_if(cases, [&](const Case &one) { return !wanted(one); });
  return cases;
}

// The directory and the cgroup of one run, and the observing program in it.
class Ground {
 public:
  static Result<Ground> make() {
    const char *temporary = std::getenv("TMPDIR");
    Ground ground;
    ground.directory_ = fmt::format("{}/skiff-conformance.XXXXXX", temporary == nullptr ? "/tmp" : temporary);
    if (::mkdtemp(ground.directory_.data()) == nullptr) return fail(errno, "mkdtemp: " + ground.directory_);
    // A user namespace's root passes through here to the rootfs.
    TRY(kernel::fchmodat(kernel::cwd, ground.directory_, 0711));
    ground.cgroup_ = fmt::format("/skiff-conformance-{}", kernel::getpid());
    TRY(write_file(ground.program(), observer(), 0755));
    return ground;
  }
  Ground(Ground &&other) noexcept
      : directory_(std::exchange(other.directory_, {})), cgroup_(std::move(other.cgroup_)) {}
  Ground &operator=(Ground &&) = delete;
  ~Ground() {
    if (!directory_.empty()) (void)remove_leavings(directory_, cgroup_);
  }

  [[nodiscard]] const std::string &directory() const { return directory_; }
  [[nodiscard]] std::string program() const { return directory_ + "/inside"; }
  [[nodiscard]] const std::string &cgroup() const { return cgroup_; }

 private:
  Ground() = default;
  std::string directory_;
  std::string cgroup_;
};

Result<int> run(const cli::Invocation &invocation) {
  const cli::Flags &given = invocation.flags;
  const std::vector<Case> cases = choose_cases(given.strings("filter"));
  if (cases.empty()) return fail("--filter: no case matches", "--list prints them all");
  if (given.boolean("list")) {
    TRY(print(list_of(cases)));
    return 0;
  }
  if (invocation.positionals.empty()) {
    return fail("requires a RUNTIME to judge", "usage: " + cli::usage_line(program, command));
  }
  if (::geteuid() != 0) return fail(EPERM, "the cases make cgroups, devices and namespaces", "run it as root");
  const std::vector<Runtime> runtimes = TRY(find_runtimes(invocation.positionals));
  const Ground ground = TRY(Ground::make());
  const long processors = ::sysconf(_SC_NPROCESSORS_ONLN);
  const std::uint32_t jobs = given.uint32("jobs").value_or(static_cast<std::uint32_t>(processors));
  const Trial trial{.cases = &cases,
                    .runtimes = &runtimes,
                    .directory = ground.directory(),
                    .program = ground.program(),
                    .cgroup = ground.cgroup(),
                    .jobs = std::max(jobs, 1U),
                    .patience = std::chrono::duration_cast<std::chrono::milliseconds>(*given.duration("timeout"))};
  const bool tap = given.boolean("tap");
  const bool matrix = given.boolean("matrix");
  if (tap) TRY(print(tap_head(cases.size() * runtimes.size())));
  std::size_t number = 0;
  const std::vector<Finding> findings = TRY(judge(trial, [&](const Finding &finding) {
    const std::string &name = runtimes[finding.runtime].name;
    (void)print(tap ? tap_of(finding, name, ++number) : matrix ? "" : text_of(finding, name));
  }));
  if (!given.string("junit").empty()) {
    TRY(write_file(std::string(given.string("junit")), junit_of(findings, runtimes)));
  }
  if (!tap) TRY(print(matrix ? matrix_of(findings, runtimes) : summary_of(findings, runtimes)));
  return std::ranges::count(findings, Mark::failed, &Finding::mark) == 0 ? 0 : 1;
}

int main(std::span<const char *const> words) {
  (void)kernel::ignore_signal(SIGPIPE);
  const Result<cli::Invocation> invocation = cli::parse(program, words.subspan(1));
  Result<int> code = 0;
  if (!invocation) {
    code = std::unexpected(invocation.error());
  } else if (invocation->version) {
    (void)print(fmt::format("{} {}\n", program.name, program.version));
  } else if (invocation->help) {
    (void)print(cli::command_help(program, command));
  } else {
    code = run(*invocation);
  }
  if (code) return *code;
  cli::report({}, program.name, code.error());
  return 2;
}

}  // namespace
}  // namespace skiff::conformance

int main(int argc, char **argv) {
  return skiff::conformance::main({const_cast<const char *const *>(argv), static_cast<std::size_t>(argc)});
}
