// skiff-conformance: judges OCI runtimes by what their containers see, clause by clause of runtime-spec 1.3.0.

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "conformance/attacks/command.h"
#include "conformance/faults/command.h"
#include "conformance/ground.h"
#include "conformance/judge.h"
#include "conformance/load/command.h"
#include "conformance/report.h"
#include "runtime/cli/log.h"
#include "runtime/cli/usage.h"
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
        "it is the program and flags in front of the command. `skiff-conformance attacks --help`, `faults --help` and "
        "`load --help` tell of the other ways to try a runtime.\n\n"
        "A case makes a bundle whose container does nothing but look around, and compares what it saw with "
        "config.json. Exit status: 0 all passed, 1 some failed, 2 nothing could be judged.",
    .flags = flags,
    .max_positionals = cli::kUnlimited};
constexpr std::array<const cli::Command *, 1> commands = {&command};
constexpr cli::Program program = {.name = "skiff-conformance",
                                  .version = SKIFF_VERSION,
                                  .summary = "judges OCI runtimes, clause by clause",
                                  .commands = commands};

Result<int> run(const cli::Invocation &invocation) {
  const cli::Flags &given = invocation.flags;
  const std::vector<Case> cases = choose_cases(all_cases(), given.strings("filter"));
  if (cases.empty()) return fail("--filter: no case matches", "--list prints them all");
  if (given.boolean("list")) {
    TRY(print(list_of(cases)));
    return 0;
  }
  if (invocation.positionals.empty()) {
    return fail("requires a RUNTIME to judge", "usage: " + cli::usage_line(program, command));
  }
  const std::vector<Runtime> runtimes = TRY(find_runtimes(invocation.positionals));
  const Ground ground = TRY(Ground::make());
  const Trial trial{.cases = &cases,
                    .runtimes = &runtimes,
                    .directory = ground.directory(),
                    .program = ground.program(),
                    .cgroup = ground.cgroup(),
                    .jobs = jobs_of(given),
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

Result<int> run_judge(std::span<const char *const> words) {
  const cli::Invocation invocation = TRY(cli::parse(program, words));
  if (invocation.version) {
    TRY(print(fmt::format("{} {}\n", program.name, program.version)));
    return 0;
  }
  if (invocation.help) {
    TRY(print(cli::command_help(program, command)));
    return 0;
  }
  return run(invocation);
}

// A first word that is no RUNTIME's.
struct OtherCommand {
  std::string_view name;
  Result<int> (*run)(std::span<const char *const> words);
};
constexpr std::array<OtherCommand, 3> other_commands = {{
    {"attacks", run_attacks},
    {"faults", run_faults},
    {"load", run_load},
}};

int main(std::span<const char *const> words) {
  (void)kernel::ignore_signal(SIGPIPE);
  const std::string_view first = words.size() > 1 ? words[1] : "";
  const auto *other = std::ranges::find(other_commands, first, &OtherCommand::name);
  const Result<int> code = other == other_commands.end() ? run_judge(words.subspan(1)) : other->run(words.subspan(2));
  if (code) return *code;
  cli::report({}, program.name, code.error());
  return 2;
}

}  // namespace
}  // namespace skiff::conformance

int main(int argc, char **argv) {
  return skiff::conformance::main({const_cast<const char *const *>(argv), static_cast<std::size_t>(argc)});
}
