#include <fmt/format.h>

#include <algorithm>

#include "imgtool/cmd/command.h"
#include "imgtool/output.h"
#include "imgtool/stored_image.h"
#include "runtime/cli/table.h"
#include "spec/writer.h"

namespace skiff::image {
namespace {

constexpr std::array<cli::FlagSpec, 3> flags = {{
    {.name = "format",
     .letter = 'f',
     .value = "FORMAT",
     .text = "how to print it",
     .choices = "table|json",
     .initial = "table"},
    {.name = "no-trunc", .kind = cli::Kind::Bool, .text = "show the commands in full"},
    platform_flag,
}};

struct Row {
  std::string created;
  std::string created_by;
  std::string comment;
  std::string layer;  // empty for a step that made none
  std::int64_t size = 0;
};

void fields(spec::Writer &v, const Row &row) {
  v.always("created", row.created);
  v.always("createdBy", row.created_by);
  v.always("comment", row.comment);
  v.always("layer", row.layer);
  v.always("size", row.size);
}

// The last step first. Layers that the history does not know come as steps without words (config.md, "history" is
// optional).
std::vector<Row> make_rows(const LoadedImage &image) {
  std::vector<Row> rows;
  std::size_t layer = 0;
  const auto take_layer = [&](Row &row) {
    row.layer = image.manifest.layers[layer].digest;
    row.size = image.manifest.layers[layer++].size;
  };
  for (const spec::ImageHistory &step : image.config.history) {
    rows.push_back({.created = step.created, .created_by = step.created_by, .comment = step.comment, .layer = {}});
    if (!step.empty_layer && layer < image.manifest.layers.size()) take_layer(rows.back());
  }
  while (layer < image.manifest.layers.size()) {
    rows.emplace_back();
    take_layer(rows.back());
  }
  std::ranges::reverse(rows);
  return rows;
}

std::string cut(std::string text, bool full) {
  static constexpr std::size_t longest = 60;
  std::ranges::replace_if(text, [](unsigned char letter) { return letter < ' ' || letter == 0x7f; }, ' ');
  if (full || text.size() <= longest) return text;
  return text.substr(0, longest - 3) + "...";
}

Result<int> run(const Context &context) {
  const Layout store = TRY(Layout::open(context.store, LayoutAccess::read));
  const StoredImage stored = TRY(find_stored(store, context.argument(0)));
  const PlatformRequest platform = TRY(context.platform());
  const LoadedImage image = TRY(load_image(store, TRY(select_manifest(store, stored.root, platform))));
  const std::vector<Row> rows = make_rows(image);
  if (context.flag("format") == "json") return print(spec::Writer("  ").document(rows) + "\n");
  std::vector<std::vector<std::string>> lines = {{"CREATED", "CREATED BY", "SIZE", "COMMENT"}};
  for (const Row &row : rows) {
    lines.push_back({age_text(row.created), cut(row.created_by, context.flags().boolean("no-trunc")),
                     size_text(row.size), cut(row.comment, false)});
  }
  return print(cli::table_text(lines));
}

}  // namespace

const CommandEntry history_command = {.command = {.name = "history",
                                                  .usage = "IMAGE",
                                                  .summary = "show the steps that made an image, the last one first",
                                                  .flags = flags,
                                                  .min_positionals = 1,
                                                  .max_positionals = 1},
                                      .run = run};

}  // namespace skiff::image
