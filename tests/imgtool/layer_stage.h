// A tree of one test and the layers that are applied to it.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "imgtool/layer.h"
#include "tests/imgtool/archive.h"
#include "tests/runtime/temporary_directory.h"

namespace skiff::image {

inline ReadBytes bytes_of(std::string bytes) {
  return [bytes = std::move(bytes), at = std::size_t{0}](std::span<char> into) mutable -> Result<std::size_t> {
    const std::size_t count = std::min(into.size(), bytes.size() - at);
    std::memcpy(into.data(), bytes.data() + at, count);
    at += count;
    return count;
  };
}

class LayerTest : public testing::Test {
 protected:
  LayerTest() {
    std::filesystem::create_directory(top_);
    std::filesystem::create_directory(outside_);
    std::ofstream(outside_ + "/file") << "outside";
  }

  // The layer is applied to the tree; "" or the error.
  std::string apply(const std::string &layer) {
    const Result<kernel::Fd> root = kernel::open(top_, O_RDONLY | O_DIRECTORY);
    EXPECT_TRUE(root);
    Result<AppliedLayer> applied = apply_layer(bytes_of(layer), *root, options_);
    if (!applied) return applied.error().message();
    applied_ = std::move(*applied);
    return "";
  }
  std::string apply(const std::vector<Header> &headers) { return apply(archive(headers)); }

  [[nodiscard]] std::string path(const std::string &name) const { return top_ + "/" + name; }
  [[nodiscard]] struct stat status(const std::string &name) const {
    struct stat found{};
    if (::lstat(path(name).c_str(), &found) != 0) found.st_mode = 0;
    return found;
  }
  [[nodiscard]] bool exists(const std::string &name) const { return status(name).st_mode != 0; }
  [[nodiscard]] std::string text(const std::string &name) const { return text_at(path(name)); }
  [[nodiscard]] static std::string text_at(const std::string &file) {
    std::stringstream out;
    out << std::ifstream(file).rdbuf();
    return out.str();
  }
  // Nothing outside of the tree was touched.
  void expect_outside_is_whole() const {
    EXPECT_EQ(text_at(outside_ + "/file"), "outside");
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(outside_), {}), 1);
  }

  TemporaryDirectory directory_;
  std::string top_ = directory_.path() + "/root";
  std::string outside_ = directory_.path() + "/outside";
  ApplyOptions options_;
  AppliedLayer applied_;
};

}  // namespace skiff::image
