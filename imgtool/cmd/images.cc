#include <fmt/format.h>

#include <set>

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
     .text = "how to print them",
     .choices = "table|json",
     .initial = "table"},
    {.name = "digests", .kind = cli::Kind::Bool, .text = "show the digests of the manifests"},
    {.name = "no-trunc", .kind = cli::Kind::Bool, .text = "show ids in full"},
}};

struct Row {
  std::string name;  // in full
  std::string digest;
  std::string media_type;
  std::string id;  // of the configuration
  std::string created;
  std::string architecture;
  std::string os;
  std::int64_t size = 0;  // of the blobs, compressed as they are
  std::string repository;
  std::string tag;
};

void fields(spec::Writer &v, const Row &row) {
  v.always("name", row.name);
  v.always("repository", row.repository);
  v.always("tag", row.tag);
  v.always("digest", row.digest);
  v.always("mediaType", row.media_type);
  v.always("id", row.id);
  v.always("created", row.created);
  v.always("architecture", row.architecture);
  v.always("os", row.os);
  v.always("size", row.size);
}

Result<std::int64_t> blob_size(const Layout &store, const spec::Descriptor &root) {
  std::int64_t size = 0;
  // What another platform's images need may not be here.
  (void)walk_image(hold(store), root, [&](const spec::Descriptor &descriptor, bool) -> Status {
    size += descriptor.size;
    return {};
  });
  return size;
}

Result<Row> make_row(const Layout &store, const StoredImage &image) {
  Row row;
  row.name = image.name;
  if (const Result<ImageName> name = parse_image_name(image.name)) {
    const std::string familiar = name->familiar();
    row.tag = name->tag;
    row.repository = name->tag.empty() ? familiar.substr(0, familiar.find('@')) : familiar;
    if (row.repository.ends_with(":" + row.tag)) row.repository.resize(row.repository.size() - row.tag.size() - 1);
  }
  row.digest = image.root.digest;
  row.media_type = image.root.media_type;
  row.size = TRY(blob_size(store, image.root));
  // An index shows what runs here; one that has nothing for this machine has no id.
  const Result<spec::Descriptor> manifest = select_manifest(store, image.root, host_platform());
  const Result<LoadedImage> loaded = manifest ? load_image(store, *manifest) : std::unexpected(manifest.error());
  if (!loaded) return row;
  row.id = loaded->manifest.config.digest;
  row.created = loaded->config.created;
  row.architecture = loaded->config.architecture;
  row.os = loaded->config.os;
  return row;
}

std::string id_text(const std::string &digest, bool full) {
  if (digest.empty()) return "-";
  return full ? digest : digest.substr(digest.find(':') + 1, 12);
}

std::string table(const std::vector<Row> &rows, bool digests, bool full) {
  std::vector<std::vector<std::string>> lines = {{"REPOSITORY", "TAG", "DIGEST", "IMAGE ID", "CREATED", "SIZE"}};
  for (const Row &row : rows) {
    lines.push_back({row.repository.empty() ? "<none>" : row.repository, row.tag.empty() ? "<none>" : row.tag,
                     row.digest, id_text(row.id, full), age_text(row.created), size_text(row.size)});
  }
  if (!digests) {
    for (std::vector<std::string> &line : lines) line.erase(line.begin() + 2);
  }
  return cli::table_text(lines);
}

bool has_tag(std::string_view name) { return name.substr(name.rfind('/') + 1).find_first_of(":@") != name.npos; }

// A name without a tag stands for all of its tags, as Docker has it.
bool is_meant(const Row &row, const ImageName &wanted, bool with_tag) {
  const Result<ImageName> name = parse_image_name(row.name);
  if (!name || name->registry != wanted.registry || name->repository != wanted.repository) return false;
  return !with_tag || (name->tag == wanted.tag && name->digest == wanted.digest);
}

Result<int> run(const Context &context) {
  const Result<Layout> store = Layout::open(context.store, LayoutAccess::read);
  std::vector<Row> rows;
  const std::string only = context.argument(0);
  if (store) {
    const ImageName wanted = only.empty() ? ImageName{} : TRY(parse_image_name(only));
    for (const StoredImage &image : TRY(list_stored(*store))) {
      Row row = TRY(make_row(*store, image));
      if (only.empty() || is_meant(row, wanted, has_tag(only))) rows.push_back(std::move(row));
    }
  } else if (store.error().number != ENOENT) {
    return std::unexpected(store.error());
  }
  if (context.quiet()) {
    std::string ids;
    std::set<std::string> seen;
    for (const Row &row : rows) {
      const std::string &id = row.id.empty() ? row.digest : row.id;
      if (seen.insert(id).second) ids += id_text(id, context.flags().boolean("no-trunc")) + "\n";
    }
    return print(ids);
  }
  if (context.flag("format") == "json") return print(spec::Writer("  ").document(rows) + "\n");
  return print(table(rows, context.flags().boolean("digests"), context.flags().boolean("no-trunc")));
}

}  // namespace

const CommandEntry images_command = {.command = {.name = "images",
                                                 .usage = "[NAME]",
                                                 .summary = "list the images of the store",
                                                 .flags = flags,
                                                 .max_positionals = 1},
                                     .run = run};
const CommandEntry list_command = {.command = {.name = "list",
                                               .usage = "[NAME]",
                                               .summary = "list the images of the store",
                                               .flags = flags,
                                               .max_positionals = 1,
                                               .hidden = true},
                                   .run = run};
const CommandEntry ls_command = {.command = {.name = "ls",
                                             .usage = "[NAME]",
                                             .summary = "list the images of the store",
                                             .flags = flags,
                                             .max_positionals = 1,
                                             .hidden = true},
                                 .run = run};

}  // namespace skiff::image
