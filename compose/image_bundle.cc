#include "compose/image_bundle.h"

#include <fmt/format.h>

#include <array>

#include "compose/archive_source.h"
#include "compose/contains.h"
#include "compose/project_images.h"
#include "compose/record_fields.h"
#include "compose/split.h"
#include "runtime/kernel/path.h"
#include "spec/fields_image.h"

namespace skiff::compose {
namespace {

// skiff-image's code for an image that is not there.
constexpr int no_image = 2;
constexpr std::size_t longest_complaint = 4096;

// BUNDLE/image.json, as far as it is of use here.
struct BundleOrigin {
  std::string store;
  spec::Descriptor manifest;
};

void fields(auto &v, spec::Like<BundleOrigin> auto &origin) {
  v.required("store", origin.store);
  v.required("manifest", origin.manifest);
}

std::string map_word(const spec::IdMapping &map) {
  return fmt::format("{}:{}:{}", map.container_id, map.host_id, map.size);
}

Words unpack_words(const Engine &engine, const UnpackRequest &request) {
  Words words = engine.run_image({"--progress", "none", "unpack", "--pull", "never", "--volumes", "none"});
  if (request.overlay) words.emplace_back("--overlay");
  if (!request.platform.empty()) words.insert(words.end(), {"--platform", request.platform});
  for (const spec::IdMapping &map : request.id_maps.uids) words.insert(words.end(), {"--uid-map", map_word(map)});
  for (const spec::IdMapping &map : request.id_maps.gids) words.insert(words.end(), {"--gid-map", map_word(map)});
  words.insert(words.end(), {request.image, request.bundle});
  return words;
}

std::string last_line(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

// Its own progress goes to our stderr.
Status pull(const Engine &engine, const UnpackRequest &request) {
  Words words = engine.image;
  if (request.quiet) words.emplace_back("--quiet");
  words.emplace_back("pull");
  if (!request.platform.empty()) words.insert(words.end(), {"--platform", request.platform});
  words.push_back(request.image);
  const kernel::Fd null = TRY(kernel::open("/dev/null", O_RDWR));
  kernel::Child child = TRY(start_program(words, {.in = null, .out = null, .err = kernel::FdView(2)}));
  const int code = TRY(child.wait()).shell_code();
  if (code == 0) return {};
  return fail(code == no_image ? ENOENT : 0, fmt::format("image {} could not be pulled", request.image));
}

Result<std::string> read_blob(const std::string &store, const std::string &digest) {
  if (!spec::is_digest(digest)) return fail(fmt::format("\"{}\" is no digest", digest));
  const std::size_t colon = digest.find(':');
  const std::string path = fmt::format("{}/blobs/{}/{}", store, digest.substr(0, colon), digest.substr(colon + 1));
  std::string text = TRY(read_if_there(path));
  if (text.empty()) return fail(ENOENT, path, "the image store has lost it: pull the image again");
  return text;
}

Result<ProgramOutput> run_unpack(const Words &words, kernel::FdView inside) {
  if (!inside.valid()) return run_program(words);
  const kernel::Fd said = TRY(kernel::memfd_create("complaint", 0));
  kernel::Child child = TRY(start_program(words, {.err = said}, inside));
  ProgramOutput output;
  output.code = TRY(child.wait()).shell_code();
  output.err.resize(longest_complaint);
  output.err.resize(TRY(kernel::pread_some(said, output.err, 0)));
  return output;
}

// Of several images skiff-image takes the one that is asked for; one that stands alone may be of another processor.
// Other names of a processor, such as x86_64, are left to skiff-image.
Status check_platform(const UnpackRequest &request) {
  constexpr std::array<std::string_view, 9> known = {"386",   "amd64",   "arm",     "arm64", "loong64",
                                                     "ppc64", "ppc64le", "riscv64", "s390x"};
  const std::vector<std::string_view> parts = split_at(request.platform, '/');
  const std::string_view wanted = parts[parts.size() > 1 ? 1 : 0];
  if (!contains(known, wanted)) return {};
  const spec::ImageConfig config = TRY(read_bundle_image(request.bundle)).config;
  if (config.architecture.empty() || config.architecture == wanted) return {};
  return fail(
      fmt::format("image {} is of {}/{}, not of {}", request.image, config.os, config.architecture, request.platform),
      "pull the one of that platform, or leave the platform out");
}

}  // namespace

Status unpack_image(const Engine &engine, const UnpackRequest &asked) {
  UnpackRequest request = asked;
  if (is_archive_source(asked.image)) {
    request.image = TRY(store_archive(engine, asked.image));
    request.pull_policy = "never";
  }
  if (lies_on_disk(asked.image)) request.pull_policy = "never";
  if (request.pull_policy == "always") TRY(pull(engine, request));
  // podman's: the one that is here will do where the registry has none, or is out of reach.
  if (request.pull_policy == "newer") (void)pull(engine, request);
  const Words words = unpack_words(engine, request);
  ProgramOutput output = TRY(run_unpack(words, request.inside));
  if (output.code == no_image && request.pull_policy != "never") {
    TRY(pull(engine, request));
    output = TRY(run_unpack(words, request.inside));
  }
  if (output.code == 0) return check_platform(request);
  return fail(output.code == no_image ? ENOENT : 0, last_line(output.err));
}

Result<BundleImage> read_bundle_image(const std::string &bundle) {
  const std::string path = bundle + "/image.json";
  const BundleOrigin origin = TRY(parse_document<BundleOrigin>(path, TRY(read_if_there(path))));
  const std::string manifest = TRY(read_blob(origin.store, origin.manifest.digest));
  const spec::ImageDocument document = TRY(spec::parse_image_document(manifest, origin.manifest.media_type));
  if (!document.manifest) return fail(path + ": it names no manifest");
  BundleImage image;
  image.id = document.manifest->config.digest;
  image.config = TRY(spec::parse_image_config(TRY(read_blob(origin.store, image.id))));
  return image;
}

}  // namespace skiff::compose
