#include "imgtool/build_cache.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"
#include "runtime/kernel/replace.h"
#include "spec/fields_image.h"
#include "spec/reader.h"
#include "spec/writer.h"

namespace skiff::image {
namespace {

constexpr const char *directory_name = "build-cache";
constexpr std::size_t largest_record = 1U << 20U;

struct Record {
  spec::Descriptor layer;
  std::string diff_id;
};

template <class V>
void fields(V &v, spec::Like<Record> auto &record) {
  v.optional("layer", record.layer);
  v.optional("diffId", record.diff_id);
}

std::optional<Record> parse_record(std::string_view json) {
  const auto document = spec::json::Document::parse(json);
  std::vector<spec::Finding> findings;
  Record record;
  if (!document || !spec::Reader(findings).document(document->root(), record) || !findings.empty()) return std::nullopt;
  return record;
}

bool is_key(std::string_view name) {
  return name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

Result<std::vector<CacheRecord>> list_cache(const Layout &store) {
  std::vector<CacheRecord> records;
  const kernel::Fd directory =
      TRY(kernel::find_at(store.directory(), directory_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (!directory.valid()) return records;
  for (const std::string &name : TRY(kernel::list_directory(directory))) {
    const kernel::Fd file = TRY(kernel::find_at(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    if (!file.valid()) continue;
    const struct stat status = TRY(kernel::fstat(file));
    if (!S_ISREG(status.st_mode)) continue;
    CacheRecord &one = records.emplace_back();
    one.name = name;
    one.bytes = static_cast<std::uint64_t>(status.st_blocks) * 512;
    const std::optional<Record> record =
        is_key(name) ? parse_record(TRY(kernel::read_all(file, largest_record))) : std::nullopt;
    one.readable = record.has_value();
    if (record && !record->diff_id.empty()) one.layer = record->layer.digest;
  }
  std::ranges::sort(records, {}, &CacheRecord::name);
  return records;
}

Status remove_record(const Layout &store, const std::string &name) {
  return in(store.path(), kernel::unlinkat(store.directory(), fmt::format("{}/{}", directory_name, name)));
}

std::string BuildCache::key(const std::vector<std::string> &parts) {
  std::string text = "build 1\n";
  for (const std::string &part : parts) text += fmt::format("{}:{}\n", part.size(), part);
  return std::string(digest_of(text).hex());
}

Result<std::optional<CachedStep>> BuildCache::find(const std::string &key) const {
  if (!read_) return std::nullopt;
  const std::string path = fmt::format("{}/{}", directory_name, key);
  const kernel::Fd file = TRY(kernel::find_at(store_->directory(), path, O_RDONLY | O_NOFOLLOW));
  if (!file.valid()) return std::nullopt;
  std::optional<Record> found = parse_record(TRY(kernel::read_all(file, largest_record)));
  // What a crash or a hand has left is made anew.
  if (!found) return std::nullopt;
  Record &record = *found;
  if (record.diff_id.empty()) return CachedStep{};
  const Result<Digest> digest = Digest::parse(record.layer.digest);
  if (!digest || !Digest::parse(record.diff_id) || !TRY(store_->has_blob(*digest))) return std::nullopt;
  return CachedStep{.layer = std::move(record.layer), .diff_id = std::move(record.diff_id)};
}

Status BuildCache::keep(const std::string &key, const CachedStep &step) const {
  TRY(kernel::make_directory(store_->directory(), directory_name, 0700));
  Record record;
  if (step.layer) record = {.layer = *step.layer, .diff_id = step.diff_id};
  const std::string path = fmt::format("{}/{}", directory_name, key);
  const std::string temporary = fmt::format("{}.{}", path, kernel::getpid());
  return kernel::replace_file(store_->directory(),
                              {.name = path, .temporary = temporary, .mode = 0644, .synced = false},
                              spec::Writer("").document(record) + "\n");
}

}  // namespace skiff::image
