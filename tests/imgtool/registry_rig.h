// What the tests of the registry's client share: options that touch nothing of the host, a layout, blobs on their way.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "imgtool/registry.h"
#include "tests/imgtool/faulty_registry.h"
#include "tests/runtime/temporary_directory.h"

namespace skiff::image::testing {

class RegistryRig : public ::testing::Test {
 protected:
  RegistryRig();

  // Of the repository team/app.
  [[nodiscard]] Registry open(const std::string &host, const std::string &repository = "team/app");

  struct Fetched {
    Status status;
    std::string bytes;  // of the blob in the layout, or of what came before the error
    Status arrived;     // what its arrival says
  };
  [[nodiscard]] Fetched fetch(Registry &registry, const spec::Descriptor &descriptor);
  // What an earlier try left of a blob.
  void leave_partial(const std::string &digest, std::string_view bytes) const;

  TemporaryDirectory directory_;
  RegistryOptions options_;
  Progress progress_{ProgressMode::quiet};
  Layout layout_;
};

[[nodiscard]] spec::Descriptor describe(const std::string &digest, std::size_t size);
// Bytes that are nowhere alike.
[[nodiscard]] std::string make_bytes(std::size_t size);
// The message of an error; empty for success.
template <class T>
std::string words(const std::expected<T, Error> &result) {
  return result ? std::string() : result.error().message();
}

}  // namespace skiff::image::testing
