#include "conformance/load/command.h"

#include <fmt/format.h>

#include <algorithm>

#include "conformance/ground.h"
#include "conformance/load/parts.h"
#include "runtime/kernel/prctl.h"

namespace skiff::conformance {
namespace {

constexpr std::array<cli::FlagSpec, 9> flags = {{
    {.name = "cycles",
     .kind = cli::Kind::Uint32,
     .value = "N",
     .text = "that many times create, start, delete",
     .initial = "5000"},
    {.name = "crowd",
     .kind = cli::Kind::Uint32,
     .value = "N",
     .text = "that many containers alive at once",
     .initial = "1000"},
    {.name = "execs",
     .kind = cli::Kind::Uint32,
     .value = "N",
     .text = "that many exec into one container",
     .initial = "10000"},
    {.name = "time",
     .kind = cli::Kind::Duration,
     .value = "TIME",
     .text = "how long random commands meet random states",
     .initial = "1h"},
    {.name = "seed", .kind = cli::Kind::Uint32, .value = "N", .text = "of the random commands", .initial = "1"},
    unified_flag,
    figures_flag,
    {.name = "jobs",
     .letter = 'j',
     .kind = cli::Kind::Uint32,
     .value = "N",
     .text = "how many at a time",
     .initial = "16"},
    {.name = "timeout",
     .letter = 't',
     .kind = cli::Kind::Duration,
     .value = "TIME",
     .text = "how long one command may take",
     .initial = "60s"},
}};
constexpr cli::Command command = {
    .usage = "RUNTIME...",
    .summary = "tries how much a runtime bears",
    .description =
        "Cycles of create, start and delete; a crowd of containers alive at once; exec after exec into one of them; "
        "and "
        "random commands on containers in random states, whose exit status, message and effect a model predicts. A "
        "kind with the number 0 is left out.\n\nExit status: 0 nothing found, 1 findings, 2 nothing could be tried.",
    .flags = flags,
    .min_positionals = 1,
    .max_positionals = cli::kUnlimited};
constexpr std::array<const cli::Command *, 1> commands = {&command};
constexpr cli::Program program = {
    .name = "skiff-conformance load", .summary = "tries how much a runtime bears", .commands = commands};

constexpr std::size_t most_told = 10;  // of one kind of load: the rest says the same

Status tell(const Runtime &runtime, const Load &load, const cli::Flags &given) {
  for (const auto &[what, texts] : {std::pair{"failure", &load.failures}, std::pair{"leak", &load.leaks}}) {
    for (std::size_t i = 0; i < std::min(texts->size(), most_told); ++i) {
      std::string text = (*texts)[i];
      std::ranges::replace(text, '\n', ' ');
      TRY(print(fmt::format("{}: {}: {}: {}\n", runtime.name, what, load.name, text)));
    }
  }
  TRY(print(fmt::format("{}: {}: {} done, {:.1f} a second, {} failures, {} leaks\n", runtime.name, load.name,
                        load.count, load.rate(), load.failures.size(), load.leaks.size())));
  const std::string head = fmt::format("{}.load.{}", runtime.name, load.name);
  return append_figures(given, fmt::format("{0}.count {1}\n{0}.rate {2:.1f}\n{0}.failures {3}\n{0}.leaks {4}\n", head,
                                           load.count, load.rate(), load.failures.size(), load.leaks.size()));
}

Result<bool> load_runtime(const Runtime &runtime, const cli::Flags &given) {
  const Ground ground = TRY(Ground::make());
  LoadRequest request{.place = {.runtime = &runtime,
                                .directory = ground.directory(),
                                .program = ground.program(),
                                .cgroup = ground.cgroup(),
                                .name = {},
                                .patience = patience_of(given)},
                      .jobs = std::max(*given.uint32("jobs"), 1U),
                      .cycles = *given.uint32("cycles"),
                      .crowd = *given.uint32("crowd"),
                      .execs = *given.uint32("execs"),
                      .time = std::chrono::duration_cast<std::chrono::milliseconds>(*given.duration("time")),
                      .seed = *given.uint32("seed")};
  bool clean = true;
  const auto run = [&](bool wanted, Result<Load> (*part)(const LoadRequest &)) -> Status {
    if (!wanted) return {};
    const Load load = TRY(part(request));
    if (!load.failures.empty() || !load.leaks.empty()) clean = false;
    return tell(runtime, load, given);
  };
  TRY(run(request.cycles > 0, run_cycles));
  TRY(run(request.crowd > 0, run_crowd));
  TRY(run(request.execs > 0, run_execs));
  TRY(run(request.time.count() > 0, run_random));
  return clean;
}

Result<int> run(const cli::Invocation &invocation) {
  // Containers whose worker has ended are ours: the one that everybody executes in has none.
  TRY(kernel::set_child_subreaper(true));
  TRY(enter_mount_namespace());
  if (invocation.flags.boolean("unified")) TRY(show_unified_cgroups());
  bool clean = true;
  for (const Runtime &runtime : TRY(find_runtimes(invocation.positionals))) {
    if (!TRY(in(runtime.name, load_runtime(runtime, invocation.flags)))) clean = false;
  }
  return clean ? 0 : 1;
}

}  // namespace

Result<int> run_load(std::span<const char *const> words) { return run_or_help(program, words, run); }

}  // namespace skiff::conformance
