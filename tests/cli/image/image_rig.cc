#include "tests/cli/image/image_rig.h"

#include <filesystem>
#include <stdexcept>

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

std::string blob_path(const std::string &digest) { return "/blobs/sha256/" + digest.substr(7); }

}  // namespace

ImageRig::ImageRig() { fs::create_directory(path("context")); }

Outcome ImageRig::image(const std::vector<std::string> &words, const std::vector<std::string> &environment) {
  std::vector<std::string> all = {"/usr/bin/env", "-C", path("context")};
  all.insert(all.end(), environment.begin(), environment.end());
  all.insert(all.end(), {SKIFF_IMAGE_PROGRAM, "--progress", "plain", "--store", store()});
  all.insert(all.end(), words.begin(), words.end());
  return run_program(all);
}

void ImageRig::put(const std::string &name, const std::string &text) const {
  const fs::path file = path("context/" + name);
  fs::create_directories(file.parent_path());
  write_file(file, text);
}

Outcome ImageRig::build(const std::string &dockerfile, const std::vector<std::string> &flags,
                        const std::vector<std::string> &environment) {
  put("Dockerfile", dockerfile);
  std::vector<std::string> words = {"build", "--runtime", program()};
  words.insert(words.end(), flags.begin(), flags.end());
  words.emplace_back(".");
  return image(words, environment);
}

Json ImageRig::blob(const std::string &digest) const { return Json::parse(read_file(store() + blob_path(digest))); }

Json ImageRig::manifest(const std::string &name) {
  const Json index = Json::parse(read_file(store() + "/index.json"));
  for (const Json &one : index.at("manifests")) {
    const Json none = Json::object();
    if (one.value("annotations", none).value("org.opencontainers.image.ref.name", "") == name)
      return blob(one.at("digest"));
  }
  throw std::runtime_error("no image " + name);
}

Json ImageRig::config(const std::string &name) { return blob(manifest(name).at("config").at("digest")); }

std::string ImageRig::unpack(const std::string &name) {
  std::string into = path("unpacked" + std::to_string(unpacked_++));
  fs::create_directory(into);
  const Json found = manifest(name);
  for (const Json &layer : found.at("layers")) {
    const Outcome tar = run_program(
        {"/bin/tar", "-x", "-p", "--numeric-owner", "-C", into, "-f", store() + blob_path(layer.at("digest"))});
    if (tar.code != 0) throw std::runtime_error("tar: " + tar.err);
  }
  return into;
}

std::vector<std::string> ImageRig::leftovers() const {
  std::vector<std::string> found;
  for (const std::string name : {"build", "blobs/partial"}) {
    std::error_code ignored;
    for (const auto &entry : fs::directory_iterator(store() + "/" + name, ignored)) found.push_back(entry.path());
  }
  return found;
}

}  // namespace skiff::rig
