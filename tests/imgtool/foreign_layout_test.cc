// Layouts between us and the tools that people have: skopeo and umoci.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "imgtool/layout.h"
#include "imgtool/platform.h"
#include "tests/imgtool/sample_image.h"
#include "tests/runtime/temporary_directory.h"

namespace skiff::image {
namespace {

class ForeignLayoutTest : public ::testing::Test {
 protected:
  // "" where it succeeded.
  [[nodiscard]] std::string run(const std::string &command) const {
    const std::string log = directory_.path() + "/log";
    if (std::system(fmt::format("{} >{} 2>&1 </dev/null", command, log).c_str()) == 0) return {};
    const auto text = kernel::read_all(*kernel::open(log, O_RDONLY), 1U << 20U);
    return fmt::format("{}: {}", command, text ? *text : "no log");
  }
  void SetUp() override {
    for (const char *program : {"skopeo", "umoci"}) {
      if (!run(fmt::format("command -v {}", program)).empty()) GTEST_SKIP() << program << " is not installed";
    }
  }
  [[nodiscard]] std::string path(std::string_view name) const { return fmt::format("{}/{}", directory_.path(), name); }

  TemporaryDirectory directory_;
};

std::string message(const auto &result) { return result ? "succeeded" : result.error().message(); }

void expect_readable(const std::string &path, std::string_view name) {
  const auto layout = Layout::open(path, LayoutAccess::read);
  ASSERT_TRUE(layout) << message(layout);
  ASSERT_TRUE(layout->lock_shared());
  const auto found = layout->find(name);
  ASSERT_TRUE(found) << message(found);
  const auto bytes = layout->read_blob(*Digest::parse(found->digest));
  ASSERT_TRUE(bytes) << message(bytes);
  const auto document = spec::parse_image_document(*bytes, found->media_type);
  ASSERT_TRUE(document) << message(document);
  ASSERT_TRUE(document->manifest);
  const auto config = layout->read_blob(*Digest::parse(document->manifest->config.digest));
  ASSERT_TRUE(config) << message(config);
  const auto parsed = spec::parse_image_config(*config);
  EXPECT_TRUE(parsed) << message(parsed);
}

// image-layout.md
TEST_F(ForeignLayoutTest, WhatUmociMakesIsReadAndTakesOurNames) {
  ASSERT_EQ(run("umoci init --layout " + path("theirs")), "");
  const auto empty = Layout::open(path("theirs"), LayoutAccess::read);
  ASSERT_TRUE(empty) << message(empty);
  EXPECT_EQ(empty->find("").error().number, ENOENT);
  ASSERT_EQ(run(fmt::format("umoci new --image {}:made", path("theirs"))), "");
  expect_readable(path("theirs"), "made");
  expect_readable(path("theirs"), "");
  const auto layout = Layout::open(path("theirs"), LayoutAccess::write);
  ASSERT_TRUE(layout) << message(layout);
  ASSERT_TRUE(layout->set_name("ours", *layout->find("made")));
  EXPECT_EQ(run(fmt::format("umoci stat --image {}:ours", path("theirs"))), "");
  EXPECT_EQ(run(fmt::format("umoci config --image {}:ours --config.user 5", path("theirs"))), "");
  EXPECT_EQ(run("umoci gc --layout " + path("theirs")), "");
  expect_readable(path("theirs"), "ours");
}

TEST_F(ForeignLayoutTest, WhatWeMakeIsReadBySkopeoAndUmoci) {
  const auto layout = Layout::open(path("ours"), LayoutAccess::write);
  ASSERT_TRUE(layout) << message(layout);
  const SampleImage image = add_image(*layout, {std::string(10240, '\0')});
  ASSERT_TRUE(layout->set_name("1.0", image.descriptor));
  EXPECT_EQ(run(fmt::format("umoci stat --image {}:1.0", path("ours"))), "");
  EXPECT_EQ(run(fmt::format("skopeo inspect oci:{}:1.0", path("ours"))), "");
  EXPECT_EQ(run(fmt::format("skopeo --insecure-policy copy oci:{}:1.0 oci:{}:2.0", path("ours"), path("copied"))), "");
  expect_readable(path("copied"), "2.0");
}

}  // namespace
}  // namespace skiff::image
