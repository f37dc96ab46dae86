#include "imgtool/minimal.h"

#include <fmt/format.h>

#include <algorithm>

#include "imgtool/assemble.h"
#include "imgtool/cmd/command.h"
#include "imgtool/layer_writer.h"
#include "imgtool/output.h"
#include "imgtool/store.h"
#include "imgtool/tree_entry.h"
#include "spec/media_types.h"

namespace skiff::image {
namespace {

constexpr std::array<cli::FlagSpec, 14> flags = {{
    {.name = "tag",
     .letter = 't',
     .kind = cli::Kind::Strings,
     .value = "NAME",
     .text = "name the image in the store; may be repeated"},
    {.name = "root", .value = "DIR", .text = "take the files from this tree", .initial = "/"},
    {.name = "include",
     .kind = cli::Kind::Strings,
     .value = "PATH[:PATH]",
     .text = "a file, or a directory with all below it; may be repeated"},
    {.name = "dlopen",
     .kind = cli::Kind::Strings,
     .value = "NAME",
     .text = "a library that a program opens while it runs; \"found\" means all that their files name"},
    {.name = "certs",
     .kind = cli::Kind::Bool,
     .text = "the certificates of authorities (default where a library speaks TLS)"},
    {.name = "env",
     .letter = 'e',
     .kind = cli::Kind::Strings,
     .value = "NAME=VALUE",
     .text = "a variable of the image; PATH and LD_LIBRARY_PATH count for the search, too"},
    {.name = "entrypoint",
     .kind = cli::Kind::Strings,
     .value = "WORD",
     .text = "in place of the first BINARY; once a word"},
    {.name = "cmd", .kind = cli::Kind::Strings, .value = "WORD", .text = "its arguments; once a word"},
    {.name = "user",
     .letter = 'u',
     .value = "USER[:GROUP]",
     .text = "who the program runs as; its accounts come along"},
    {.name = "workdir", .letter = 'w', .value = "DIR", .text = "its working directory"},
    {.name = "label", .kind = cli::Kind::Strings, .value = "NAME=VALUE", .text = "a label of the image"},
    {.name = "compression", .value = "FORMAT", .text = "of the layer", .choices = "gzip|zstd|none", .initial = "gzip"},
    {.name = "report",
     .value = "FORMAT",
     .text = "print what is in the image, where it came from and why",
     .choices = "table|json"},
    {.name = "dry-run", .kind = cli::Kind::Bool, .text = "make no image: only look, and report"},
}};

std::vector<std::string> strings(const Context &context, std::string_view name) {
  const std::vector<std::string_view> values = context.flags().strings(name);
  return {values.begin(), values.end()};
}

EntryType type_of(mode_t mode) {
  if (S_ISDIR(mode)) return EntryType::directory;
  return S_ISLNK(mode) ? EntryType::symlink : EntryType::file;
}

// A file that is made here, or renamed on its way, is root's.
Status add_file(LayerWriter &layer, kernel::FdView root, const std::string &path, const ChosenFile &file,
                std::int64_t time, std::optional<std::int64_t> newest) {
  if (!file.source.empty()) {
    const std::optional<TreeEntry> found = TRY(read_tree_entry(root, file.source, newest));
    if (!found) return fail(EINVAL, file.source, "it is no file any more");
    TarEntry entry = found->entry;
    entry.name = path.substr(1);
    if (file.source != path) entry.uid = entry.gid = 0;
    return layer.add(entry, read_file(found->file));
  }
  TarEntry entry;
  entry.type = type_of(file.status.st_mode);
  entry.name = path.substr(1);
  entry.mode = file.status.st_mode & 07777U;
  entry.mtime.tv_sec = time;
  entry.size = file.content.size();
  return layer.add(entry, [&, at = std::size_t{0}](std::span<char> into) mutable -> Result<std::size_t> {
    const std::size_t count = file.content.copy(into.data(), into.size(), at);
    at += count;
    return count;
  });
}

Result<spec::ImageConfig> make_config(const Context &context, const MinimalTree &tree, const WrittenLayer &layer,
                                      std::int64_t time) {
  spec::ImageConfig config;
  config.created = time_text(time);
  config.os = "linux";
  config.architecture = tree.architecture.empty() ? host_platform().accepted.front().architecture : tree.architecture;
  config.rootfs = {.type = "layers", .diff_ids = {layer.diff_id.text()}};
  config.config.env = strings(context, "env");
  config.config.user = context.flag("user");
  config.config.working_dir = context.flag("workdir");
  std::vector<std::string> entrypoint = strings(context, "entrypoint");
  if (entrypoint.empty()) entrypoint = {tree.programs.front()};
  config.config.entrypoint = std::move(entrypoint);
  if (context.flags().given("cmd")) config.config.cmd = strings(context, "cmd");
  for (const std::string &label : strings(context, "label")) {
    const std::size_t equals = label.find('=');
    config.config.labels[label.substr(0, equals)] = equals == std::string::npos ? "" : label.substr(equals + 1);
  }
  config.history.push_back({.created = config.created,
                            .author = {},
                            .created_by = fmt::format("skiff-image minimal {}", fmt::join(tree.programs, " ")),
                            .comment = {},
                            .empty_layer = false});
  return config;
}

Result<spec::Descriptor> write(const Context &context, const Layout &store, kernel::FdView root,
                               const MinimalTree &tree) {
  const kernel::Fd lock = TRY(store.lock_shared());
  const std::optional<std::int64_t> newest = TRY(source_date_epoch());
  const std::int64_t time = TRY(creation_time());
  LayerWriter layer = TRY(LayerWriter::open(store, spec::compression_of_name(context.flags().string("compression"))));
  for (const auto &[path, file] : tree.files.files()) TRY(add_file(layer, root, path, file, time, newest));
  WrittenLayer written = TRY(layer.finish());
  const spec::ImageConfig config = TRY(make_config(context, tree, written, time));
  return write_image(store, config, {std::move(written.descriptor)});
}

Result<int> run(const Context &context) {
  std::vector<ImageName> names;
  for (const std::string &text : strings(context, "tag")) names.push_back(TRY(in("--tag", parse_image_name(text))));
  const bool dry = context.flags().boolean("dry-run");
  if (names.empty() && !dry) return fail("the image has no name", "give it one by --tag NAME");
  MinimalRequest request;
  for (const std::string_view program : context.invocation.positionals) request.programs.emplace_back(program);
  request.includes = strings(context, "include");
  request.opened = strings(context, "dlopen");
  request.env = strings(context, "env");
  if (context.flags().given("certs")) request.certificates = context.flags().boolean("certs");
  request.user = context.flag("user");
  const kernel::Fd root = TRY(kernel::open(context.flag("root"), O_RDONLY | O_DIRECTORY));
  const MinimalTree tree = TRY(choose_files(root, request));
  for (const std::string &warning : tree.warnings) cli::warning(context.log, warning);
  std::optional<spec::Descriptor> manifest;
  if (!dry) {
    const Layout store = TRY(open_store(context.store, LayoutAccess::write));
    manifest = TRY(write(context, store, root, tree));
    for (const ImageName &name : names) TRY(store.set_name(name.text(), *manifest));
  }
  const std::string_view report = context.flags().string("report");
  if (report == "json") return print(report_json(tree));
  if (report == "table" || dry) return print(report_table(tree));
  return print(manifest->digest + "\n");
}

}  // namespace

const CommandEntry minimal_command = {
    .command = {.name = "minimal",
                .usage = "BINARY...",
                .summary = "an image with just these programs and what they need to run",
                .description =
                    "BINARY is a path, a name on PATH, or SOURCE:DESTINATION. Their libraries and loader are found by "
                    "reading them, as the loader would find them; nothing is run. Symlinks stay what they are. Of "
                    "libraries that a program may open while it runs only the names are known: they are warned of, "
                    "and --dlopen takes them along.",
                .flags = flags,
                .min_positionals = 1,
                .max_positionals = cli::kUnlimited},
    .run = run};

}  // namespace skiff::image
