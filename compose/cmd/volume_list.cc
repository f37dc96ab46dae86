#include "compose/cmd/command.h"
#include "compose/cmd/format_flag.h"
#include "compose/cmd/rows.h"
#include "compose/filter.h"
#include "compose/volume.h"

namespace skiff::compose {
namespace {

constexpr std::array<cli::FlagSpec, 3> flags = {{
    {.name = "filter",
     .letter = 'f',
     .kind = cli::Kind::Strings,
     .value = "KEY=VALUE",
     .text = "by name, label, driver, dangling"},
    format_flag("table|json"),
    {.name = "quiet", .letter = 'q', .kind = cli::Kind::Bool, .text = "show names alone"},
}};
constexpr std::array<std::string_view, 4> filter_keys = {"name", "label", "driver", "dangling"};

struct Row {
  std::string name, driver, mountpoint, scope, created;
  Labels labels;
};

void fields(spec::Writer &v, const Row &row) {
  v.always("Name", row.name);
  v.always("Driver", row.driver);
  v.always("Mountpoint", row.mountpoint);
  v.always("Scope", row.scope);
  v.always("CreatedAt", row.created);
  v.always("Labels", row.labels);
}

Result<std::vector<Row>> rows_of(const Places &places, const Filters &filters) {
  std::vector<Row> rows;
  for (const VolumeRecord &volume : TRY(list_volumes(places))) {
    const bool dangling = TRY(users_of_volume(places, volume.name)).empty();
    const bool fits = filters.matches_labels(volume.labels) &&
                      filters.matches("name", [&](std::string_view value) { return volume.name.contains(value); }) &&
                      filters.matches("driver", [&](std::string_view value) { return value == "local"; }) &&
                      filters.matches("dangling", [&](std::string_view value) {
                        return (value == "true" || value == "1") == dangling;
                      });
    if (!fits) continue;
    rows.push_back({.name = volume.name,
                    .driver = "local",
                    .mountpoint = volume_path(places, volume),
                    .scope = "local",
                    .created = volume.created,
                    .labels = volume.labels});
  }
  return rows;
}

Result<int> run(const Context &context) {
  const Filters filters = TRY(Filters::parse(context.flags().strings("filter"), filter_keys));
  const std::vector<Row> rows = TRY(rows_of(TRY(find_places(context.global())), filters));
  return print_rows(context, rows, &Row::name, {{"DRIVER", &Row::driver}, {"VOLUME NAME", &Row::name}});
}

}  // namespace

const CommandEntry volume_list_command = {
    .command = {.name = "volume ls", .summary = "list volumes", .flags = flags}, .run = run, .dry_run = DryRun::reads};

}  // namespace skiff::compose
