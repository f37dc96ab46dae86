#include "conformance/attacks/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "conformance/attacks/image.h"
#include "conformance/attacks/table.h"
#include "conformance/ground.h"
#include "conformance/judge.h"
#include "runtime/cli/usage.h"

namespace skiff::conformance {
namespace {

constexpr std::array<cli::FlagSpec, 7> flags = {{
    {.name = "filter",
     .letter = 'f',
     .kind = cli::Kind::Strings,
     .value = "TEXT",
     .text = "only attacks whose name, or a name they are known by, has this text in it"},
    {.name = "tries",
     .letter = 'n',
     .kind = cli::Kind::Uint32,
     .value = "N",
     .text = "how often each race is tried: at up to twenty places of one container",
     .initial = "40"},
    unified_flag,
    {.name = "jobs",
     .letter = 'j',
     .kind = cli::Kind::Uint32,
     .value = "N",
     .text = "attacks at a time; as many as there are processors where none is given"},
    {.name = "timeout",
     .letter = 't',
     .kind = cli::Kind::Duration,
     .value = "TIME",
     .text = "how long one attack may take",
     .initial = "60s"},
    figures_flag,
    {.name = "reasons", .kind = cli::Kind::Bool, .text = "say of every attack what withstood it"},
}};

constexpr cli::Command command = {
    .usage = "RUNTIME...",
    .summary = "tries the known ways out of a container against OCI runtimes",
    .description =
        "Each attack is staged as it was published, with victims of the program's own: nothing of the host is harmed "
        "where one succeeds. The table has a row an attack and a column a runtime. Of skiff-image, umoci, skopeo and "
        "tar the layers of hostile images are unpacked; with skiff-compose files are copied and volumes filled; "
        "RUNTIME is known by its name.\n\n"
        "Exit status: 0 none succeeded, 1 one did or could not be tried, 2 nothing could be tried.",
    .flags = flags,
    .max_positionals = cli::kUnlimited};
constexpr std::array<const cli::Command *, 1> commands = {&command};

Verdict plain_container(Stage &stage) {
  if (is_compose(stage.runtime().name)) return {};  // its attacks say so themselves where none could be tried
  if (is_unpacker(stage.runtime().name)) {
    const Unpacked unpacked = TRY(unpack(stage, image_of({{file_entry("file")}})));
    return expect(exists(unpacked.rootfs + "/file"), "a plain image", "its file", "none");
  }
  TRY(stage.observed());
  return {};
}

// What runs or unpacks nothing here withstands everything.
Status check_runtimes(Trial trial) {
  const std::vector<Case> plain = {{"plain", "", plain_container}};
  trial.cases = &plain;
  for (const Finding &finding : TRY(judge(trial, [](const Finding &) {}))) {
    if (finding.mark == Mark::passed) continue;
    return fail(fmt::format("{} does not run a plain container here, or unpack a plain image: {}",
                            (*trial.runtimes)[finding.runtime].name, finding.text),
                "where it refuses a host that has cgroup v1 and v2, give --unified");
  }
  return {};
}

constexpr cli::Program program = {
    .name = "skiff-conformance attacks", .summary = command.summary, .commands = commands};

Result<int> run(const cli::Invocation &invocation) {
  const cli::Flags &given = invocation.flags;
  const std::vector<std::string_view> &names = invocation.positionals;
  if (names.empty()) return fail("requires a RUNTIME to attack", "usage: " + cli::usage_line(program, command));
  const std::vector<Runtime> runtimes = TRY(find_runtimes(names));
  const std::vector<Case> all = attacks_on(runtimes.front().name);
  if (!std::ranges::all_of(runtimes,
                           [&](const Runtime &one) { return attacks_on(one.name).front().name == all.front().name; })) {
    return fail("what runs containers and what unpacks images or copies cannot be in one table");
  }
  const std::vector<Case> cases = choose_cases(all, given.strings("filter"));
  if (cases.empty()) return fail("--filter: no attack matches");
  const Ground ground = TRY(Ground::make());
  const Trial trial{.cases = &cases,
                    .runtimes = &runtimes,
                    .directory = ground.directory(),
                    .program = ground.program(),
                    .cgroup = ground.cgroup(),
                    .jobs = jobs_of(given),
                    .tries = std::max(*given.uint32("tries"), 1U),
                    .unified = given.boolean("unified"),
                    .patience = patience_of(given)};
  TRY(check_runtimes(trial));
  const std::vector<Finding> findings = TRY(judge(trial, [](const Finding &) {}));
  TRY(print(table_of(findings, runtimes) + words_of(findings, runtimes, given.boolean("reasons"))));
  const std::string figures = figures_of(findings, runtimes);
  TRY(print(figures));
  TRY(append_figures(given, figures));
  return std::ranges::count(findings, Mark::failed, &Finding::mark) == 0 ? 0 : 1;
}

}  // namespace

Result<int> run_attacks(std::span<const char *const> words) { return run_or_help(program, words, run); }

}  // namespace skiff::conformance
