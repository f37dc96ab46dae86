#include "conformance/faults/command.h"

#include <fmt/format.h>

#include <algorithm>

#include "conformance/faults/campaign.h"
#include "conformance/faults/registry.h"
#include "conformance/ground.h"
#include "runtime/cli/flags.h"

namespace skiff::conformance {
namespace {

constexpr std::array<cli::FlagSpec, 7> flags = {{
    {.name = "command",
     .letter = 'c',
     .kind = cli::Kind::Strings,
     .value = "NAME",
     .text = "only this command: create, start, run, run-detached, exec, kill, delete, ..."},
    {.name = "sample",
     .letter = 's',
     .kind = cli::Kind::Uint32,
     .value = "N",
     .text = "that many points of all, spread evenly"},
    {.name = "point",
     .letter = 'p',
     .kind = cli::Kind::Strings,
     .value = "TEXT",
     .text = "only points whose name has this text in it"},
    unified_flag,
    figures_flag,
    {.name = "jobs",
     .letter = 'j',
     .kind = cli::Kind::Uint32,
     .value = "N",
     .text = "how many at a time; as many as there are processors where none is given"},
    {.name = "timeout",
     .letter = 't',
     .kind = cli::Kind::Duration,
     .value = "TIME",
     .text = "how long the command with the fault may take",
     .initial = "10s"},
}};
constexpr cli::Command command = {
    .usage = "RUNTIME...",
    .summary = "makes every system call of every command fail, and kills the runtime at each",
    .description =
        "Each command is run once for each of its system calls and for each error that the call may plausibly return, "
        "and once for each call with SIGKILL in its place. Afterwards `delete --force` must leave nothing, another "
        "container must be what it was, a command that says it succeeded must have, and one that fails must say "
        "why. checkpoint and restore are tried where the criu of $PATH works; a checkpoint that fails must leave the "
        "container as it was. Of skiff-image pull and unpack are tried, from a layout and from a registry "
        "(docker-registry), of skiff-compose up and down, without a network and with one; RUNTIME is known by its "
        "name.\n\nExit status: 0 nothing found, 1 findings, 2 nothing could be tried.",
    .flags = flags,
    .min_positionals = 1,
    .max_positionals = cli::kUnlimited};
constexpr std::array<const cli::Command *, 1> commands = {&command};
constexpr cli::Program program = {.name = "skiff-conformance faults",
                                  .summary = "makes every system call of every command fail",
                                  .commands = commands};

std::string row(std::string_view name, std::string_view kind, const Tally &tally) {
  std::string line = fmt::format("{:<14} {:<6} {:>7} {:>7}", name, kind, tally.tried, tally.missed);
  for (const std::uint32_t count : tally.flaws) line += fmt::format(" {:>8}", count);
  return line + "\n";
}

std::string table_of(const std::string &runtime, const Tallies &tallies) {
  std::string text = fmt::format("{}\n{:<14} {:<6} {:>7} {:>7}", runtime, "command", "fault", "points", "missed");
  for (std::size_t flaw = 0; flaw < flaw_count; ++flaw) text += fmt::format(" {:>8}", flaw_name(Flaw(flaw)));
  text += "\n";
  for (const auto &[name, both] : tallies.by_command) {
    text += row(name, "kill", both[0]) + row(name, "error", both[1]);
  }
  const std::array<Tally, 2> total = tallies.total();
  return text + row("all", "kill", total[0]) + row("all", "error", total[1]);
}

std::string figures_of(const std::string &runtime, const Tallies &tallies) {
  const std::array<Tally, 2> total = tallies.total();
  std::string text;
  for (std::size_t kind = 0; kind < 2; ++kind) {
    const std::string head = fmt::format("{}.faults.{}", runtime, kind == 0 ? "kill" : "error");
    text += fmt::format("{}.points {}\n", head, total[kind].tried);
    for (std::size_t flaw = 0; flaw < flaw_count; ++flaw) {
      text += fmt::format("{}.{} {}\n", head, flaw_name(Flaw(flaw)), total[kind].flaws[flaw]);
    }
  }
  return text;
}

Result<bool> try_runtime(const Runtime &runtime, const cli::Flags &given) {
  const Ground ground = TRY(Ground::make());
  Registry registry;
  if (family_of(runtime) == Family::image) registry = TRY(Registry::start(ground.directory() + "/registry"));
  CampaignRequest request{.runtime = &runtime,
                          .directory = ground.directory(),
                          .program = ground.program(),
                          .cgroup = ground.cgroup(),
                          .registry = registry.address(),
                          .jobs = jobs_of(given),
                          .sample = given.uint32("sample").value_or(0),
                          .commands = {},
                          .points = {},
                          .patience = patience_of(given),
                          .unified = given.boolean("unified")};
  for (const std::string_view name : given.strings("command")) request.commands.emplace_back(name);
  for (const std::string_view text : given.strings("point")) request.points.emplace_back(text);
  bool clean = true;
  const Tallies tallies =
      TRY(in(runtime.name, run_campaign(request, [&](const std::string &point, const Complaint &complaint) {
               clean = false;
               std::string text = complaint.text;
               std::ranges::replace(text, '\n', ' ');
               (void)print(fmt::format("{}: {}: {}: {}\n", runtime.name, flaw_name(complaint.flaw), point, text));
             })));
  TRY(print(table_of(runtime.name, tallies)));
  for (const auto &[name, reason] : tallies.untried) TRY(print(fmt::format("not tried: {}: {}\n", name, reason)));
  TRY(append_figures(given, figures_of(runtime.name, tallies)));
  const std::array<Tally, 2> total = tallies.total();
  return clean && total[0].tried + total[1].tried > 0;
}

Result<int> run(const cli::Invocation &invocation) {
  bool clean = true;
  for (const Runtime &runtime : TRY(find_runtimes(invocation.positionals))) {
    if (!TRY(try_runtime(runtime, invocation.flags))) clean = false;
  }
  return clean ? 0 : 1;
}

}  // namespace

Result<int> run_faults(std::span<const char *const> words) { return run_or_help(program, words, run); }

}  // namespace skiff::conformance
