// What looks after the store: prune, df, verify.
#include "imgtool/store.h"

#include <fmt/format.h>

#include <atomic>

#include "imgtool/cmd/command.h"
#include "imgtool/output.h"
#include "imgtool/stored_image.h"
#include "runtime/cli/table.h"
#include "spec/writer.h"

namespace skiff::image {
namespace {

constexpr std::array<cli::FlagSpec, 4> prune_flags = {{
    {.name = "all", .letter = 'a', .kind = cli::Kind::Bool, .text = "images without a name too"},
    {.name = "dry-run", .letter = 'n', .kind = cli::Kind::Bool, .text = "say what would go, and remove nothing"},
    {.name = "partial-age",
     .kind = cli::Kind::Duration,
     .value = "TIME",
     .text = "of downloads that nobody has gone on with",
     .initial = "24h"},
    {.name = "force", .letter = 'f', .kind = cli::Kind::Bool, .text = "accepted: nothing is asked", .hidden = true},
}};
constexpr std::array<cli::FlagSpec, 1> df_flags = {{
    {.name = "format",
     .letter = 'f',
     .value = "FORMAT",
     .text = "how to print it",
     .choices = "table|json",
     .initial = "table"},
}};
constexpr std::array<cli::FlagSpec, 1> verify_flags = {{
    {.name = "repair", .kind = cli::Kind::Bool, .text = "remove what is damaged, so that the next pull brings it anew"},
}};

Result<int> run_prune(const Context &context) {
  const Layout store = TRY(open_store(context.store, LayoutAccess::write));
  PruneOptions options;
  options.nameless = context.flags().boolean("all");
  options.dry_run = context.flags().boolean("dry-run");
  options.partial_age = std::chrono::duration_cast<std::chrono::seconds>(*context.flags().duration("partial-age"));
  const PruneReport report = TRY(prune(store, options));
  std::string text;
  if (!context.quiet()) {
    for (const std::string &image : report.images) text += fmt::format("image {}\n", image);
    for (const Layout::BlobEntry &blob : report.blobs) text += fmt::format("blob {}\n", blob.digest.text());
    for (const std::string &layer : report.layers) text += fmt::format("layer {}\n", layer);
    for (const std::string &partial : report.partial) text += fmt::format("partial {}\n", partial);
    for (const std::string &build : report.builds) text += fmt::format("build {}\n", build);
    for (const std::string &record : report.cache) text += fmt::format("cache {}\n", record);
  }
  text += fmt::format("{}: {}\n", options.dry_run ? "Reclaimable space" : "Total reclaimed space",
                      size_text(static_cast<std::int64_t>(report.bytes.all())));
  return print(text);
}

struct Row {
  std::string type;
  DiskUsage::Part part;
};

void fields(spec::Writer &v, const Row &row) {
  v.always("type", row.type);
  v.always("count", row.part.count);
  v.always("size", row.part.bytes);
  v.always("reclaimable", row.part.reclaimable);
}

Result<int> run_df(const Context &context) {
  const Layout store = TRY(open_store(context.store, LayoutAccess::read));
  const DiskUsage usage = TRY(disk_usage(store));
  const std::vector<Row> rows = {
      {.type = "images", .part = usage.images}, {.type = "blobs", .part = usage.blobs},
      {.type = "layers", .part = usage.layers}, {.type = "partial", .part = usage.partial},
      {.type = "builds", .part = usage.builds}, {.type = "build cache", .part = usage.cache}};
  if (context.flag("format") == "json") return print(spec::Writer("  ").document(rows) + "\n");
  std::vector<std::vector<std::string>> lines = {{"TYPE", "COUNT", "SIZE", "RECLAIMABLE"}};
  for (const Row &row : rows) {
    lines.push_back({row.type, fmt::format("{}", row.part.count), size_text(static_cast<std::int64_t>(row.part.bytes)),
                     size_text(static_cast<std::int64_t>(row.part.reclaimable))});
  }
  return print(cli::table_text(lines));
}

Result<int> run_verify(const Context &context) {
  const bool repair = context.flags().boolean("repair");
  const Layout store = TRY(open_store(context.store, repair ? LayoutAccess::write : LayoutAccess::read));
  Progress progress(context.progress);
  std::uint64_t total = 0;
  for (const Layout::BlobEntry &blob : TRY(store.list_blobs())) total += static_cast<std::uint64_t>(blob.size);
  ProgressItem item = progress.begin(context.store, "Verifying", total);
  const VerifyReport report = TRY(verify(store, [&](std::uint64_t bytes) { item.advance(bytes); }));
  item.done("Verified");
  std::string text;
  for (const Error &error : report.errors) text += error.message() + "\n";
  for (const std::string &image : report.images) text += fmt::format("not whole: {}\n", image);
  text += fmt::format("{} blobs, {}: {}\n", report.blobs, size_text(static_cast<std::int64_t>(report.bytes)),
                      report.errors.empty() ? "all right" : fmt::format("{} errors", report.errors.size()));
  TRY(print(text));
  if (repair) {
    const kernel::Fd lock = TRY(store.lock_alone());
    for (const Digest &digest : report.damaged) TRY(store.remove_blob(digest));
  }
  return report.errors.empty() ? 0 : 1;
}

}  // namespace

const CommandEntry prune_command = {
    .command = {.name = "prune", .summary = "remove what no image of the store needs", .flags = prune_flags},
    .run = run_prune};
const CommandEntry gc_command = {
    .command = {.name = "gc", .summary = "the same as prune", .flags = prune_flags, .hidden = true}, .run = run_prune};
const CommandEntry df_command = {
    .command = {.name = "df", .summary = "show what the store takes, and what prune would free", .flags = df_flags},
    .run = run_df};
const CommandEntry verify_command = {
    .command = {.name = "verify",
                .summary = "read every blob of the store again, and look that its images are whole",
                .flags = verify_flags},
    .run = run_verify};

}  // namespace skiff::image
