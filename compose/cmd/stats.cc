#include <fmt/format.h>

#include <map>

#include "compose/cmd/format_flag.h"
#include "compose/cmd/project_scope.h"
#include "compose/output.h"
#include "compose/show_text.h"
#include "compose/usage_sample.h"
#include "runtime/cli/table.h"
#include "spec/writer.h"

namespace skiff::compose {
namespace {

constexpr auto flags = std::to_array<cli::FlagSpec>({
    {.name = "all", .letter = 'a', .kind = cli::Kind::Bool, .text = "those that do not run as well"},
    {.name = "no-stream", .kind = cli::Kind::Bool, .text = "once, instead of every second"},
    {.name = "no-trunc", .kind = cli::Kind::Bool, .text = "ids in full"},
    format_flag("table|json"),
});

struct Row {
  std::string id;
  std::string name;
  std::string cpu = "--";
  std::string memory = "-- / --";
  std::string share = "--";
  std::string network = "--";
  std::string block = "--";
  std::string processes = "--";
};

void fields(auto &v, const Row &row) {
  v.always("ID", row.id);
  v.always("Container", row.id);
  v.always("Name", row.name);
  v.always("CPUPerc", row.cpu);
  v.always("MemUsage", row.memory);
  v.always("MemPerc", row.share);
  v.always("NetIO", row.network);
  v.always("BlockIO", row.block);
  v.always("PIDs", row.processes);
}

using Samples = std::map<std::string, UsageSample>;

Row make_row(const Container &container, bool full, const Samples &before, const Samples &now) {
  Row row;
  row.id = full ? container.id() : container.short_id();
  row.name = container.record.name;
  const auto sample = now.find(container.id());
  if (sample == now.end()) return row;
  const UsageSample &used = sample->second;
  const auto earlier = before.find(container.id());
  row.cpu = fmt::format("{:.2f}%", earlier == before.end() ? 0 : cpu_percent(earlier->second, used));
  row.memory = binary_size_text(used.memory) + " / " + binary_size_text(used.memory_limit);
  row.share = fmt::format("{:.2f}%", 100.0 * static_cast<double>(used.memory) / static_cast<double>(used.memory_limit));
  row.network = decimal_size_text(used.received) + " / " + decimal_size_text(used.sent);
  row.block = decimal_size_text(used.read) + " / " + decimal_size_text(used.written);
  row.processes = std::to_string(used.processes);
  return row;
}

Result<std::vector<Container>> chosen(const Context &context, const Places &places, const std::optional<Scope> &scope) {
  std::vector<Container> found;
  if (scope) {
    found = TRY(containers_in(places, *scope, names_of(context)));
  } else {
    for (const std::string &name : names_of(context)) found.push_back(TRY(find_container(places, name)));
    if (!found.empty()) return found;
    found = TRY(list_containers(places));
  }
  if (!context.flags().boolean("all")) {
    std::erase_if(found, [](const Container &one) { return !one.state.is_running(); });
  }
  return found;
}

// Line by line, so that nothing flickers; what was longer or below goes.
std::string over_the_last(const std::string &text) {
  std::string drawn = "\x1b[H";
  for (const char letter : text) {
    if (letter == '\n') drawn += "\x1b[K";
    drawn += letter;
  }
  return drawn + "\x1b[J";
}

Samples sample_all(const Engine &engine, const std::vector<Container> &containers) {
  Samples samples;
  for (const Container &container : containers) {
    // One that has just ended has none.
    const Result<UsageSample> sample = sample_usage(engine, container);
    if (sample) samples[container.id()] = *sample;
  }
  return samples;
}

Status show(const Context &context, const std::vector<Container> &containers, const Samples &before,
            const Samples &now) {
  const bool full = context.flags().boolean("no-trunc");
  std::string text;
  std::vector<std::vector<std::string>> lines = {
      {"CONTAINER ID", "NAME", "CPU %", "MEM USAGE / LIMIT", "MEM %", "NET I/O", "BLOCK I/O", "PIDS"}};
  for (const Container &container : containers) {
    const Row row = make_row(container, full, before, now);
    text += spec::Writer("").document(row) + "\n";
    lines.push_back({row.id, row.name, row.cpu, row.memory, row.share, row.network, row.block, row.processes});
  }
  const bool table = context.flag("format") == "table";
  if (table)
    text = full ? cli::table_text(lines) : fitted_table(std::move(lines), {.cut = 1, .dropped = {0, 7, 6, 5, 4}});
  const bool redraws = table && !context.flags().boolean("no-stream") && may_draw_over(context);
  TRY(print(redraws ? over_the_last(text) : text));
  return {};
}

// A share of the processor needs two moments.
Result<int> run(const Context &context) {
  const Engine engine = TRY(open_engine(context.global(), context.log));
  const bool once = context.flags().boolean("no-stream");
  const std::optional<Scope> scope = TRY(find_scope_of_names(context, engine, names_of(context)));
  std::vector<Container> containers = TRY(chosen(context, engine.places, scope));
  Samples before = sample_all(engine, containers);
  while (true) {
    TRY(kernel::poll({}, std::chrono::milliseconds(once ? 200 : 1000)));
    containers = TRY(chosen(context, engine.places, scope));
    Samples now = sample_all(engine, containers);
    TRY(show(context, containers, before, now));
    if (once) return 0;
    before = std::move(now);
  }
}

}  // namespace

const CommandEntry stats_command = {
    .command = {.name = "stats",
                .usage = "[CONTAINER|SERVICE...]",
                .summary = "what containers use of processors, memory, network and disks",
                .flags = flags,
                .max_positionals = cli::kUnlimited},
    .run = run,
    .dry_run = DryRun::reads};

}  // namespace skiff::compose
