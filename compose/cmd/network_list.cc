#include "compose/cmd/command.h"
#include "compose/cmd/format_flag.h"
#include "compose/cmd/rows.h"
#include "compose/filter.h"
#include "compose/network.h"

namespace skiff::compose {
namespace {

constexpr std::array<cli::FlagSpec, 4> flags = {{
    {.name = "filter",
     .letter = 'f',
     .kind = cli::Kind::Strings,
     .value = "KEY=VALUE",
     .text = "by name, id, label, driver"},
    format_flag("table|json"),
    {.name = "no-trunc", .kind = cli::Kind::Bool, .text = "show ids in full"},
    {.name = "quiet", .letter = 'q', .kind = cli::Kind::Bool, .text = "show ids alone"},
}};
constexpr std::array<std::string_view, 4> filter_keys = {"name", "id", "label", "driver"};

struct Row {
  std::string id, name, driver, scope, created;
  Labels labels;
};

void fields(spec::Writer &v, const Row &row) {
  v.always("ID", row.id);
  v.always("Name", row.name);
  v.always("Driver", row.driver);
  v.always("Scope", row.scope);
  v.always("CreatedAt", row.created);
  v.always("Labels", row.labels);
}

Result<std::vector<Row>> rows_of(const Context &context, const Filters &filters) {
  std::vector<Row> rows;
  const bool full = context.flags().boolean("no-trunc");
  for (NetworkRecord &network : TRY(list_networks(TRY(find_places(context.global()))))) {
    const bool fits = filters.matches_labels(network.labels) &&
                      filters.matches("name", [&](std::string_view value) { return network.name.contains(value); }) &&
                      filters.matches("id", [&](std::string_view value) { return network.id.starts_with(value); }) &&
                      filters.matches("driver", [&](std::string_view value) { return value == "bridge"; });
    if (!fits) continue;
    rows.push_back({.id = full ? network.id : network.id.substr(0, 12),
                    .name = network.name,
                    .driver = "bridge",
                    .scope = "local",
                    .created = network.created,
                    .labels = network.labels});
  }
  return rows;
}

Result<int> run(const Context &context) {
  const Filters filters = TRY(Filters::parse(context.flags().strings("filter"), filter_keys));
  const std::vector<Row> rows = TRY(rows_of(context, filters));
  return print_rows(context, rows, &Row::id,
                    {{"NETWORK ID", &Row::id}, {"NAME", &Row::name}, {"DRIVER", &Row::driver}, {"SCOPE", &Row::scope}});
}

}  // namespace

const CommandEntry network_list_command = {
    .command = {.name = "network ls", .summary = "list networks", .flags = flags},
    .run = run,
    .dry_run = DryRun::reads};

}  // namespace skiff::compose
