#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "compose/cmd/format_flag.h"
#include "compose/cmd/project_scope.h"
#include "compose/container_filter.h"
#include "compose/engine.h"
#include "compose/output.h"
#include "compose/show_text.h"
#include "runtime/cli/table.h"
#include "spec/writer.h"

namespace skiff::compose {
namespace {

constexpr auto flags = std::to_array<cli::FlagSpec>({
    {.name = "all", .letter = 'a', .kind = cli::Kind::Bool, .text = "those that do not run as well"},
    {.name = "quiet", .letter = 'q', .kind = cli::Kind::Bool, .text = "ids alone"},
    {.name = "last", .letter = 'n', .kind = cli::Kind::Integer, .value = "N", .text = "the last N that were created"},
    {.name = "latest", .letter = 'l', .kind = cli::Kind::Bool, .text = "the last one that was created"},
    {.name = "no-trunc", .kind = cli::Kind::Bool, .text = "ids and commands in full"},
    {.name = "filter",
     .letter = 'f',
     .kind = cli::Kind::Strings,
     .value = "KEY=VALUE",
     .text = "only those: id, name, label, status, exited, ancestor, volume, network, health, publish, project ..."},
    {.name = "services", .kind = cli::Kind::Bool, .text = "of a project: the services' names alone"},
    format_flag("table|json"),
});

struct Row {
  std::string id;
  std::string image;
  std::string command;
  std::string created;
  std::string status;
  std::string state;
  std::string ports;
  std::string name;
  std::string labels;
  std::string mounts;
  std::string networks;
  std::string running_for;
  std::string health;
  std::string project;
  std::string service;
  std::int64_t exit_code = 0;
};

void fields(auto &v, const Row &row) {
  v.always("ID", row.id);
  v.always("Image", row.image);
  v.always("Command", row.command);
  v.always("CreatedAt", row.created);
  v.always("RunningFor", row.running_for);
  v.always("State", row.state);
  v.always("Status", row.status);
  v.always("Health", row.health);
  v.always("ExitCode", row.exit_code);
  v.always("Ports", row.ports);
  v.always("Names", row.name);
  v.always("Labels", row.labels);
  v.always("Mounts", row.mounts);
  v.always("Networks", row.networks);
  v.always("Project", row.project);
  v.always("Service", row.service);
}

Row make_row(const Container &container, bool full) {
  const ContainerRecord &record = container.record;
  Row row;
  row.id = full ? record.id : container.short_id();
  row.image = record.image.empty() ? record.rootfs : record.image;
  row.command = command_text(record);
  if (!full && row.command.size() > 20) row.command = row.command.substr(0, 19) + "…";
  row.command = '"' + row.command + '"';
  row.created = record.created;
  row.running_for = ago_text(record.created);
  row.status = status_text(container.state);
  row.state = phase_name(container.state.phase);
  row.health = container.state.health;
  row.exit_code = container.state.run.exit_code;
  if (container.state.is_running()) row.ports = ports_text(record);
  row.name = record.name;
  row.project = record.project;
  row.service = record.service;
  std::vector<std::string> words;
  for (const auto &[key, value] : record.labels) words.push_back(fmt::format("{}={}", key, value));
  row.labels = fmt::format("{}", fmt::join(words, ","));
  words.clear();
  for (const MountRecord &mount : record.mounts) words.push_back(mount.name.empty() ? mount.source : mount.name);
  row.mounts = fmt::format("{}", fmt::join(words, ","));
  words.clear();
  for (const Attachment &network : record.networks) words.push_back(network.network);
  if (!record.network_mode.empty()) words.push_back(record.network_mode);
  row.networks = fmt::format("{}", fmt::join(words, ","));
  return row;
}

Result<std::vector<Container>> all_in(const Context &context, const Places &places, const std::optional<Scope> &scope) {
  if (scope) return containers_in(places, *scope, names_of(context));
  if (context.invocation.positionals.empty()) return list_containers(places);
  return fail(ENOENT, fmt::format("ps {}: there is no project here", context.argument(0)),
              "name its file with -f, or use --filter name=");
}

Result<std::vector<Container>> chosen(const Context &context, const Places &places, const std::optional<Scope> &scope) {
  const ContainerFilter filter = TRY(ContainerFilter::parse(context.flags().strings("filter")));
  const std::vector<Container> all = TRY(all_in(context, places, scope));
  const std::int64_t last = context.flags().boolean("latest") ? 1 : context.flags().integer("last").value_or(-1);
  const bool any_state = context.flags().boolean("all") || last >= 0 || filter.names_status();
  std::vector<Container> found;
  for (const Container &container : all) {
    if (last >= 0 && std::cmp_greater_equal(found.size(), last)) break;
    if ((any_state || container.state.is_running()) && filter.takes(container, all)) found.push_back(container);
  }
  return found;
}

// One object a line, as docker prints them.
std::string json_lines(const std::vector<Container> &containers, bool full) {
  std::string text;
  for (const Container &container : containers) text += spec::Writer("").document(make_row(container, full)) + "\n";
  return text;
}

std::string project_table(const std::vector<Container> &containers, bool full) {
  std::vector<std::vector<std::string>> lines = {{"NAME", "IMAGE", "COMMAND", "SERVICE", "CREATED", "STATUS", "PORTS"}};
  for (const Container &container : containers) {
    Row row = make_row(container, full);
    lines.push_back({row.name, row.image, row.command, row.service, row.running_for, row.status, row.ports});
  }
  if (full) return cli::table_text(lines);
  return fitted_table(std::move(lines), {.cut = 6, .dropped = {1, 2, 4, 3, 6}});
}

Result<int> run(const Context &context) {
  const Places places = TRY(find_places(context.global()));
  const std::optional<Scope> scope = TRY(find_scope(context, names_of(context)));
  const std::vector<Container> containers = TRY(chosen(context, places, scope));
  const bool full = context.flags().boolean("no-trunc");
  if (context.flags().boolean("quiet")) {
    std::string ids;
    for (const Container &container : containers) ids += (full ? container.id() : container.short_id()) + "\n";
    return print(ids);
  }
  if (context.flags().boolean("services")) {
    std::set<std::string> names;
    for (const Container &container : containers) names.insert(container.record.service);
    return print(fmt::format("{}{}", fmt::join(names, "\n"), names.empty() ? "" : "\n"));
  }
  if (context.flag("format") == "json") return print(json_lines(containers, full));
  if (scope) return print(project_table(containers, full));
  std::vector<std::vector<std::string>> lines = {
      {"CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"}};
  for (const Container &container : containers) {
    Row row = make_row(container, full);
    lines.push_back({row.id, row.image, row.command, row.running_for, row.status, row.ports, row.name});
  }
  if (full) return print(cli::table_text(lines));
  return print(fitted_table(std::move(lines), {.cut = 5, .dropped = {2, 3, 1, 5, 0}}));
}

}  // namespace

const CommandEntry ps_command = {.command = {.name = "ps",
                                             .usage = "[SERVICE...]",
                                             .summary = "list containers, of a project or all",
                                             .flags = flags,
                                             .max_positionals = cli::kUnlimited,
                                             .joined_values = true},
                                 .run = run,
                                 .dry_run = DryRun::reads};

}  // namespace skiff::compose
