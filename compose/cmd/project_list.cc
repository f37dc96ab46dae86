#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "compose/cmd/command.h"
#include "compose/cmd/format_flag.h"
#include "compose/container.h"
#include "compose/output.h"
#include "compose/project_labels.h"
#include "compose/show_text.h"
#include "spec/writer.h"

namespace skiff::compose {
namespace {

constexpr auto flags = std::to_array<cli::FlagSpec>({
    {.name = "all", .letter = 'a', .kind = cli::Kind::Bool, .text = "those of which nothing runs as well"},
    {.name = "quiet", .letter = 'q', .kind = cli::Kind::Bool, .text = "names alone"},
    format_flag("table|json"),
});

struct Row {
  std::string name;
  std::string status;  // "running(3), exited(1)"
  std::string files;
  bool runs = false;
};

void fields(auto &v, const Row &row) {
  v.always("Name", row.name);
  v.always("Status", row.status);
  v.always("ConfigFiles", row.files);
}

std::vector<Row> make_rows(const std::vector<Container> &containers) {
  std::map<std::string, std::map<std::string, int>> phases;
  std::map<std::string, Row> rows;
  for (const Container &one : containers) {
    const std::string &name = one.record.project;
    if (name.empty() || one.record.one_off) continue;
    Row &row = rows[name];
    row.name = name;
    row.files = label_of(one.record.labels, files_label);
    row.runs |= one.state.is_running();
    ++phases[name][std::string(phase_name(one.state.phase))];
  }
  std::vector<Row> all;
  for (auto &[name, row] : rows) {
    std::vector<std::string> words;
    for (const auto &[phase, count] : phases[name]) words.push_back(fmt::format("{}({})", phase, count));
    row.status = fmt::format("{}", fmt::join(words, ", "));
    all.push_back(row);
  }
  return all;
}

Result<int> run(const Context &context) {
  std::vector<Row> rows = make_rows(TRY(list_containers(TRY(find_places(context.global())))));
  if (!context.flags().boolean("all")) std::erase_if(rows, [](const Row &row) { return !row.runs; });
  if (context.flag("format") == "json") return print(spec::Writer("").document(rows) + "\n");
  if (context.flags().boolean("quiet")) {
    std::string names;
    for (const Row &row : rows) names += row.name + "\n";
    return print(names);
  }
  std::vector<std::vector<std::string>> lines = {{"NAME", "STATUS", "CONFIG FILES"}};
  for (const Row &row : rows) lines.push_back({row.name, row.status, row.files});
  return print(fitted_table(std::move(lines), {.cut = 2, .dropped = {2}}));
}

}  // namespace

const CommandEntry ls_command = {
    .command = {.name = "ls", .summary = "list projects", .flags = flags, .joined_values = true},
    .run = run,
    .dry_run = DryRun::reads};

}  // namespace skiff::compose
