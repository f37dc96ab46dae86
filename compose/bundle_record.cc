#include "compose/bundle_record.h"

#include <fmt/format.h>

#include "compose/record_fields.h"
#include "runtime/kernel/path.h"
#include "spec/sha256.h"

namespace skiff::compose {

void fields(auto &v, spec::Like<BundledFile> auto &file) {
  v.required("path", file.path);
  v.required("digest", file.digest);
}

void fields(auto &v, spec::Like<BundledImage> auto &image) {
  v.required("name", image.name);
  v.required("tag", image.tag);
  v.required("digest", image.digest);
}

void fields(auto &v, spec::Like<BundleRecord> auto &record) {
  v.required("version", record.version);
  v.required("project", record.project);
  v.optional("files", record.files);
  v.optional("images", record.images);
  v.optional("missing", record.missing);
}

namespace {

constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

Status add_files(kernel::FdView directory, const std::string &path, std::map<std::string, std::string> &digests) {
  for (const std::string &name : TRY(kernel::list_directory(directory))) {
    const std::string inside = path + name;
    const struct stat about = TRY(kernel::fstatat(directory, name, AT_SYMLINK_NOFOLLOW));
    if (S_ISDIR(about.st_mode)) {
      TRY(add_files(TRY(kernel::openat(directory, name, directory_flags)), inside + "/", digests));
    } else if (S_ISREG(about.st_mode)) {
      digests[inside] = TRY(digest_file(directory, name));
    } else if (S_ISLNK(about.st_mode)) {
      digests[inside] = "sha256:" + spec::sha256_hex("link " + TRY(kernel::readlinkat(directory, name)));
    } else {
      return fail(inside + ": it is neither a file nor a directory");
    }
  }
  return {};
}

}  // namespace

std::string print_bundle_record(const BundleRecord &record) { return spec::Writer("  ").document(record) + "\n"; }

Result<BundleRecord> parse_bundle_record(std::string_view text) {
  if (text.empty()) return fail(ENOENT, bundle_record_name, "the archive is no bundle, or its end is missing");
  BundleRecord record = TRY(parse_document<BundleRecord>(bundle_record_name, text));
  if (record.version == 1) return record;
  return fail(fmt::format("{}: version {} is unknown", bundle_record_name, record.version),
              "take a newer skiff-compose");
}

Result<std::string> digest_file(kernel::FdView directory, const std::string &name) {
  const kernel::Fd file = TRY(kernel::openat(directory, name, O_RDONLY | O_NOFOLLOW));
  spec::Sha256 hash;
  std::string buffer(std::size_t{1} << 20U, '\0');
  while (const std::size_t count = TRY(kernel::read_some(file, buffer))) {
    hash.update(std::string_view(buffer).substr(0, count));
  }
  return "sha256:" + hash.finish();
}

Result<std::map<std::string, std::string>> digest_files(kernel::FdView directory) {
  std::map<std::string, std::string> digests;
  TRY(add_files(directory, "", digests));
  return digests;
}

Result<StageDirectory> StageDirectory::make_beside(const std::string &path) {
  std::string place = fmt::format("{}.part-{}", path, TRY(make_id()).substr(0, 12));
  const std::size_t slash = place.rfind('/');
  StageDirectory stage;
  stage.parent_ =
      TRY(kernel::open(slash == std::string::npos ? "." : place.substr(0, slash + 1), O_PATH | O_DIRECTORY));
  TRY(kernel::mkdirat(stage.parent_, place.substr(slash + 1), 0700));
  stage.path_ = std::move(place);
  return stage;
}

StageDirectory::~StageDirectory() {
  if (!path_.empty()) (void)kernel::remove_tree_at(parent_, path_.substr(path_.rfind('/') + 1));
}

}  // namespace skiff::compose
