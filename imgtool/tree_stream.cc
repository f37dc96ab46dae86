#include "imgtool/tree_stream.h"

#include <limits>

#include "imgtool/decompress.h"
#include "imgtool/extractor.h"
#include "imgtool/foreign_compression.h"
#include "imgtool/tar_writer.h"
#include "imgtool/tree.h"
#include "runtime/kernel/path.h"
#include "spec/names.h"

namespace skiff::image {
namespace {

constexpr std::size_t buffer_size = std::size_t{1} << 20U;
constexpr unsigned window_log = 27;

// "name" and "name/below" as `as` and "as/below".
std::string renamed(const std::string &path, const SentTree &tree) {
  if (tree.name == ".") {
    if (tree.as == ".") return path;
    return path == "." ? tree.as : tree.as + "/" + path;
  }
  const std::string below = path.substr(tree.name.size());
  if (tree.as != ".") return tree.as + below;
  return below.empty() ? "." : below.substr(1);
}

void forget_circumstances(TarEntry &entry) {
  entry.uid = 0;
  entry.gid = 0;
  entry.mtime = {};
  entry.xattrs.clear();
}

// No limit: it is what the user has named, and as large as it is.
constexpr TarLimits unlimited{.file_bytes = std::numeric_limits<std::int64_t>::max(),
                              .entries = std::numeric_limits<std::uint64_t>::max(),
                              .path_length = 1U << 20U};

Result<std::vector<std::string>> extract(const NextChunk &next_chunk, kernel::FdView directory,
                                         const CopyRules &rules) {
  Extractor extractor = TRY(Extractor::open(directory, {}, rules));
  TarReader reader(next_chunk, unlimited);
  while (TRY(reader.next())) TRY(extractor.add(reader));
  TRY(extractor.finish());
  TRY(reader.drain());
  return extractor.take_warnings();
}

NextChunk chunks_of(std::vector<char> &buffer, ReadBytes read) {
  return [&buffer, read = std::move(read)]() -> Result<std::span<const char>> {
    const std::size_t count = TRY(read(buffer));
    return std::span<const char>(buffer.data(), count);
  };
}

}  // namespace

Status send_tree(kernel::FdView directory, const SentTree &tree, const WriteBytes &out) {
  TarWriter writer(out);
  TreeOptions options;
  options.may_vanish = true;
  const std::vector<LayerChange> names = TRY(list_name(directory, tree.name));
  if (names.empty()) return fail(ENOENT, spec::quote(tree.name), "a socket cannot be copied");
  TRY(write_changes(directory, names, options, [&](const TarEntry &found, const ReadBytes &data) {
    TarEntry entry = found;
    entry.name = renamed(found.name, tree);
    if (entry.type == EntryType::hard_link) entry.link = renamed(found.link, tree);
    if (tree.reproducible) forget_circumstances(entry);
    return writer.add(entry, data);
  }));
  return writer.finish();
}

Result<std::vector<std::string>> receive_tree(ReadBytes archive, kernel::FdView directory, const CopyRules &rules) {
  std::vector<char> buffer(buffer_size);
  if (is_foreign_compression(TRY(peek(archive, compression_magic)))) {
    ForeignDecompressor decompressor = TRY(ForeignDecompressor::open(std::move(archive)));
    return extract(chunks_of(buffer, [&](std::span<char> into) { return decompressor.read(into); }), directory, rules);
  }
  Decompressor decompressor(archive, window_log);
  return extract(chunks_of(buffer, [&](std::span<char> into) { return decompressor.read(into); }), directory, rules);
}

}  // namespace skiff::image
