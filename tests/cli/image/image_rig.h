// What a test of skiff-image needs: a store and files of its own, and the program run as a user runs it.
#pragma once

#include <string>
#include <vector>

#include "tests/cli/rig.h"

namespace skiff::rig {

class ImageRig {
 public:
  ImageRig();

  // skiff-image --store STORE WORDS...
  [[nodiscard]] Outcome image(const std::vector<std::string> &words, const std::vector<std::string> &environment = {});
  [[nodiscard]] std::string path(const std::string &name) const { return directory_.path() + "/" + name; }
  [[nodiscard]] std::string store() const { return path("store"); }
  // A file of the build's context, with its directories.
  void put(const std::string &name, const std::string &text) const;
  // Builds the context with this Dockerfile.
  [[nodiscard]] Outcome build(const std::string &dockerfile, const std::vector<std::string> &flags = {},
                              const std::vector<std::string> &environment = {});
  // The image's configuration, by the name that it has in the store.
  [[nodiscard]] Json config(const std::string &name);
  [[nodiscard]] Json manifest(const std::string &name);
  // All of an image's layers in a directory, by tar(1): what the last layer says of a file counts. Its path.
  [[nodiscard]] std::string unpack(const std::string &name);
  // What a build must not leave in the store.
  [[nodiscard]] std::vector<std::string> leftovers() const;

 private:
  [[nodiscard]] Json blob(const std::string &digest) const;
  TemporaryDirectory directory_;
  int unpacked_ = 0;
};

}  // namespace skiff::rig
