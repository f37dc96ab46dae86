#include <fmt/format.h>

#include <algorithm>

#include "compose/bundle.h"
#include "compose/bundle_record.h"
#include "compose/project_name.h"
#include "runtime/kernel/credential.h"
#include "runtime/kernel/path.h"
#include "spec/image.h"
#include "spec/media_types.h"

namespace skiff::compose {
namespace {

using kernel::Fd;

Status check_archive(const UnbundleRequest &request) {
  if (request.digest.empty()) return {};
  const std::string have = TRY(digest_file(kernel::cwd, request.archive));
  if (have == request.digest) return {};
  return fail(fmt::format("{}: its digest is {}, not {}", request.archive, have, request.digest));
}

Status extract(const Engine &engine, const std::string &archive, const std::string &stage) {
  const Fd from = TRY(kernel::open(archive, O_RDONLY));
  const Fd to = TRY(kernel::open(stage, O_RDONLY | O_DIRECTORY));
  const Fd said = TRY(kernel::memfd_create("complaint", 0));
  const std::string owner = fmt::format("{}:{}", kernel::geteuid(), kernel::getegid());
  kernel::Child receiver =
      TRY(start_program(engine.run_image({"tree-receive", "--owner", owner}), {.in = from, .out = to, .err = said}));
  const int code = TRY(receiver.wait()).shell_code();
  if (code == 0) return {};
  std::string text(4096, '\0');
  text.resize(TRY(kernel::pread_some(said, text, 0)));
  while (text.ends_with('\n')) text.pop_back();
  return fail(fmt::format("{}: {}", archive, text), "it is damaged, or not all of it is there");
}

std::unexpected<Error> tampered(const std::string &member, const std::string &what) {
  return fail(fmt::format("{}: {}", member, what), "the archive is damaged or was changed");
}

Status check_files(const Fd &stage, const BundleRecord &record) {
  std::map<std::string, std::string> found =
      TRY(digest_files(TRY(kernel::openat(stage, bundled_project, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))));
  for (const BundledFile &file : record.files) {
    const std::string member = fmt::format("{}/{}", bundled_project, file.path);
    const auto there = found.find(file.path);
    if (there == found.end()) return tampered(member, "it is missing");
    if (there->second != file.digest) {
      return tampered(member, fmt::format("its digest is {}, not {}", there->second, file.digest));
    }
    found.erase(there);
  }
  if (found.empty()) return {};
  return tampered(fmt::format("{}/{}", bundled_project, found.begin()->first), "it is no part of the bundle");
}

// Every one: a blob that no image of the index reaches would not be looked at by who reads the images.
Status check_blobs(const Fd &stage) {
  const Fd blobs = TRY(kernel::openat(stage, "blobs/sha256", O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  std::vector<std::string> names = TRY(kernel::list_directory(blobs));
  std::ranges::sort(names);
  for (const std::string &name : names) {
    const std::string have = TRY(digest_file(blobs, name));
    if (have != "sha256:" + name) return tampered("blobs/sha256/" + name, "its digest is " + have);
  }
  return {};
}

// The tag in the layout has to be the image that the record names.
Status check_images(const std::string &stage, const BundleRecord &record) {
  const std::string text = TRY(read_if_there(stage + "/index.json"));
  const spec::ImageDocument document = TRY(in("index.json", spec::parse_image_document(text, spec::oci_index_type)));
  for (const BundledImage &image : record.images) {
    const bool there = document.index && std::ranges::any_of(document.index->manifests, [&](const auto &one) {
                         const auto tag = one.annotations.find("org.opencontainers.image.ref.name");
                         return tag != one.annotations.end() && tag->second == image.tag && one.digest == image.digest;
                       });
    if (!there) return tampered("index.json", fmt::format("{} is not {}", image.name, image.digest));
  }
  return {};
}

Status store_images(const Engine &engine, const std::string &stage, const BundleRecord &record) {
  for (const BundledImage &image : record.images) {
    TRY(in(image.name, call_program(engine.run_image({"--progress", "none", "--offline", "pull",
                                                      fmt::format("oci:{}:{}", stage, image.tag), image.name}))));
  }
  return {};
}

// An empty directory is as good as none.
Status check_target(const std::string &directory) {
  const Result<struct stat> about = kernel::fstatat(kernel::cwd, directory, AT_SYMLINK_NOFOLLOW);
  if (!about && about.error().number == ENOENT) return {};
  if (!about) return std::unexpected(about.error());
  if (S_ISDIR(about->st_mode)) {
    const Fd opened = TRY(kernel::open(directory, O_RDONLY | O_DIRECTORY));
    if (TRY(kernel::list_directory(opened)).empty()) return {};
  }
  return fail(EEXIST, directory, "name a directory that is not there yet");
}

}  // namespace

Result<Unbundled> unpack_bundle(const Engine &engine, const UnbundleRequest &request) {
  TRY(check_archive(request));
  const std::string beside = request.directory.empty() ? "unbundle" : request.directory;
  const StageDirectory stage = TRY(StageDirectory::make_beside(beside));
  TRY(extract(engine, request.archive, stage.path()));
  const Fd top = TRY(kernel::open(stage.path(), O_RDONLY | O_DIRECTORY));
  const std::string text = TRY(read_if_there(fmt::format("{}/{}", stage.path(), bundle_record_name)));
  Unbundled out{.record = TRY(in(request.archive, parse_bundle_record(text))), .directory = request.directory};
  if (!is_project_name(out.record.project)) return tampered(bundle_record_name, "its project has no name");
  if (out.directory.empty()) out.directory = out.record.project;
  TRY(check_target(out.directory));
  TRY(in(request.archive, check_files(top, out.record)));
  TRY(in(request.archive, check_blobs(top)));
  TRY(in(request.archive, check_images(stage.path(), out.record)));
  TRY(in(request.archive, store_images(engine, stage.path(), out.record)));
  TRY(kernel::renameat2(kernel::cwd, fmt::format("{}/{}", stage.path(), bundled_project), kernel::cwd, out.directory));
  return out;
}

}  // namespace skiff::compose
