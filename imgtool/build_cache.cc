#include "imgtool/build_cache.h"

#include <fmt/format.h>

#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"
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

}  // namespace

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
  const auto document = spec::json::Document::parse(TRY(kernel::read_all(file, largest_record)));
  std::vector<spec::Finding> findings;
  Record record;
  // What a crash or a hand has left is made anew.
  if (!document || !spec::Reader(findings).document(document->root(), record) || !findings.empty()) return std::nullopt;
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
  {
    const kernel::Fd file = TRY(kernel::openat(store_->directory(), temporary, O_WRONLY | O_CREAT | O_TRUNC, 0644));
    TRY(kernel::write_all(file, spec::Writer("").document(record) + "\n"));
  }
  return kernel::renameat2(store_->directory(), temporary, store_->directory(), path);
}

}  // namespace skiff::image
