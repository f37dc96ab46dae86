#include "imgtool/layout.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include <future>

#include "runtime/kernel/path.h"
#include "spec/media_types.h"
#include "tests/imgtool/other_process.h"
#include "tests/imgtool/small_disk.h"
#include "tests/runtime/kernel/isolated.h"
#include "tests/runtime/temporary_directory.h"

namespace skiff::image {
namespace {

using kernel::testing::read_whole;
using kernel::testing::why;
using kernel::testing::write_whole;

class LayoutTest : public ::testing::Test {
 protected:
  LayoutTest() : path_(directory_.path() + "/a/layout") {}

  [[nodiscard]] Layout opened() const { return *Layout::open(path_, LayoutAccess::write); }
  [[nodiscard]] std::vector<std::string> partial_files() const {
    const auto names = kernel::list_directory(*kernel::open(path_ + "/blobs/partial", O_RDONLY | O_DIRECTORY));
    return *names;
  }

  TemporaryDirectory directory_;
  std::string path_;
};

spec::Descriptor manifest_of(const Digest &digest) {
  spec::Descriptor descriptor;
  descriptor.media_type = spec::oci_manifest_type;
  descriptor.digest = digest.text();
  return descriptor;
}

Status append(const Incoming &incoming, std::string_view bytes) { return kernel::write_all(incoming.file, bytes); }

// image-layout.md
TEST_F(LayoutTest, ANewOneHasItsMarkerAndAnEmptyIndex) {
  ASSERT_OK(Layout::open(path_, LayoutAccess::write));
  EXPECT_EQ(read_whole(path_ + "/oci-layout"), R"({"imageLayoutVersion":"1.0.0"})");
  EXPECT_EQ(read_whole(path_ + "/index.json"),
            fmt::format(R"({{"schemaVersion":2,"mediaType":"{}","manifests":[]}})", spec::oci_index_type));
  EXPECT_TRUE(Layout::open(path_, LayoutAccess::read));
}

TEST_F(LayoutTest, WhatIsNoLayoutIsLeftAlone) {
  write_whole(directory_.path() + "/file", "x");
  const auto read = Layout::open(directory_.path(), LayoutAccess::read);
  EXPECT_NE(why(read).find("is no OCI image layout: it has no file oci-layout"), std::string::npos) << why(read);
  const auto written = Layout::open(directory_.path(), LayoutAccess::write);
  EXPECT_NE(why(written).find("not empty (\"file\")"), std::string::npos) << why(written);
  EXPECT_EQ(kernel::list_directory(*kernel::open(directory_.path(), O_RDONLY))->size(), 1U);
  EXPECT_EQ(Layout::open(directory_.path() + "/none", LayoutAccess::read).error().number, ENOENT);
}

TEST_F(LayoutTest, AnotherVersionIsRefused) {
  ASSERT_OK(Layout::open(path_, LayoutAccess::write));
  write_whole(path_ + "/oci-layout", R"({"imageLayoutVersion":"2.0.0"})");
  EXPECT_NE(why(Layout::open(path_, LayoutAccess::read)).find("2.0.0"), std::string::npos);
}

TEST_F(LayoutTest, ABlobIsThereUnderItsDigest) {
  const Layout layout = opened();
  const auto digest = layout.write_blob("content");
  ASSERT_OK(digest);
  EXPECT_EQ(*digest, digest_of("content"));
  EXPECT_EQ(read_whole(fmt::format("{}/blobs/sha256/{}", path_, digest->hex())), "content");
  EXPECT_EQ(*layout.read_blob(*digest), "content");
  EXPECT_TRUE(layout.open_blob(*digest, 7));
  EXPECT_EQ(layout.open_blob(*digest, 8).error().number, EBADMSG);
  EXPECT_EQ(layout.open_blob(digest_of("other")).error().number, ENOENT);
  EXPECT_TRUE(partial_files().empty());
  ASSERT_EQ(layout.list_blobs()->size(), 1U);
  EXPECT_EQ(layout.list_blobs()->front().size, 7);
  ASSERT_OK(layout.remove_blob(*digest));
  ASSERT_OK(layout.remove_blob(*digest));
  EXPECT_FALSE(*layout.has_blob(*digest));
}

TEST_F(LayoutTest, AChangedBlobIsNotRead) {
  const Layout layout = opened();
  const Digest digest = *layout.write_blob("content");
  write_whole(fmt::format("{}/blobs/sha256/{}", path_, digest.hex()), "CONTENT");
  EXPECT_EQ(layout.read_blob(digest).error().number, EBADMSG);
}

TEST_F(LayoutTest, AFifoInAForeignLayoutStopsNobody) {
  const Layout layout = opened();
  const Digest digest = digest_of("x");
  ASSERT_OK(kernel::mknodat(layout.directory(), fmt::format("blobs/sha256/{}", digest.hex()), S_IFIFO | 0600, 0));
  EXPECT_EQ(layout.open_blob(digest).error().number, EBADMSG);
}

TEST_F(LayoutTest, AnotherDigestThanTheExpectedOneIsNeverKept) {
  const Layout layout = opened();
  auto incoming = layout.begin_blob(digest_of("good"));
  ASSERT_OK(incoming);
  ASSERT_OK(append(*incoming, "evil"));
  const Status committed = layout.commit_blob(std::move(*incoming), digest_of("evil"));
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().number, EBADMSG);
  EXPECT_FALSE(*layout.has_blob(digest_of("good")));
  EXPECT_FALSE(*layout.has_blob(digest_of("evil")));
  EXPECT_TRUE(partial_files().empty());
}

TEST_F(LayoutTest, AnUnknownBlobGetsTheDigestThatWasComputed) {
  const Layout layout = opened();
  auto first = layout.begin_unknown_blob();
  auto second = layout.begin_unknown_blob();
  ASSERT_OK(first);
  ASSERT_OK(second);
  EXPECT_NE(first->name, second->name);
  ASSERT_OK(append(*first, "layer"));
  ASSERT_OK(layout.commit_blob(std::move(*first), digest_of("layer")));
  EXPECT_EQ(*layout.read_blob(digest_of("layer")), "layer");
}

// "kill -9 at any point: the next pull resumes"
TEST_F(LayoutTest, WhatAKilledProcessHadIsResumed) {
  const Layout layout = opened();
  const Digest digest = digest_of("first half, second half");
  OtherProcess other([&](const OtherProcess::Side &side) {
    const auto incoming = layout.begin_blob(digest);
    if (!incoming || !append(*incoming, "first half, ")) return 1;
    side.say();
    side.await();
    return 0;
  });
  ASSERT_TRUE(other.await());
  other.kill();
  EXPECT_FALSE(*layout.has_blob(digest));
  auto incoming = layout.begin_blob(digest);
  ASSERT_OK(incoming);
  EXPECT_EQ(incoming->size, 12);
  ASSERT_OK(append(*incoming, "second half"));
  ASSERT_OK(layout.commit_blob(std::move(*incoming), digest));
  EXPECT_EQ(*layout.read_blob(digest), "first half, second half");
}

TEST_F(LayoutTest, ASecondProcessWaitsForTheFirstAndFindsTheBlob) {
  const Layout layout = opened();
  const Digest digest = digest_of("shared");
  OtherProcess other([&](const OtherProcess::Side &side) {
    auto incoming = layout.begin_blob(digest);
    if (!incoming) return 1;
    side.say();
    side.await();
    return append(*incoming, "shared") && layout.commit_blob(std::move(*incoming), digest) ? 0 : 2;
  });
  ASSERT_TRUE(other.await());
  auto waiting = std::async(std::launch::async, [&] { return layout.begin_blob(digest); });
  other.go();
  const auto incoming = waiting.get();
  ASSERT_OK(incoming);
  EXPECT_FALSE(incoming->file.valid());
  EXPECT_EQ(*layout.read_blob(digest), "shared");
  EXPECT_EQ(other.wait(), 0);
}

TEST_F(LayoutTest, ASecondProcessGoesOnWhereTheFirstOneDied) {
  const Layout layout = opened();
  const Digest digest = digest_of("shared");
  OtherProcess other([&](const OtherProcess::Side &side) {
    const auto incoming = layout.begin_blob(digest);
    if (!incoming || !append(*incoming, "sha")) return 1;
    side.say();
    side.await();
    return 0;
  });
  ASSERT_TRUE(other.await());
  auto waiting = std::async(std::launch::async, [&] { return layout.begin_blob(digest); });
  other.kill();
  const auto incoming = waiting.get();
  ASSERT_OK(incoming);
  ASSERT_TRUE(incoming->file.valid());
  EXPECT_EQ(incoming->size, 3);
}

// The instant of the kill is wherever the other one is by then.
TEST_F(LayoutTest, NothingIsHalfMadeAfterAKillAtAnyInstant) {
  const Layout layout = opened();
  int names = 0;
  for (int round = 0; round < 25; ++round) {
    OtherProcess other([&](const OtherProcess::Side &side) {
      for (int i = 0;; ++i) {
        const auto digest = layout.write_blob(fmt::format("{}", round * 1000 + i));
        if (!digest || !layout.set_name(fmt::format("{}-{}", round, i), manifest_of(*digest))) return 1;
        if (i >= round % 5) side.say();
      }
    });
    ASSERT_TRUE(other.await());
    other.kill();
    const auto index = layout.load_index();
    ASSERT_OK(index);
    EXPECT_GT(static_cast<int>(index->manifests.size()), names);
    names = static_cast<int>(index->manifests.size());
  }
  const auto blobs = layout.list_blobs();
  for (const Layout::BlobEntry &blob : *blobs) EXPECT_TRUE(layout.read_blob(blob.digest));
  const auto last = layout.load_index();
  for (const spec::Descriptor &manifest : last->manifests) {
    EXPECT_TRUE(*layout.has_blob(*Digest::parse(manifest.digest)));
  }
}

TEST_F(LayoutTest, TwoProcessesLoseNoName) {
  const Layout layout = opened();
  const auto add = [&](std::string_view who) {
    for (int i = 0; i < 30; ++i) {
      if (!layout.set_name(fmt::format("{}{}", who, i), manifest_of(digest_of(who)))) return 1;
    }
    return 0;
  };
  OtherProcess other([&](const OtherProcess::Side &) { return add("a"); });
  EXPECT_EQ(add("b"), 0);
  EXPECT_EQ(other.wait(), 0);
  EXPECT_EQ(layout.load_index()->manifests.size(), 60U);
}

TEST_F(LayoutTest, TwoProcessesMakeOneLayout) {
  OtherProcess other([&](const OtherProcess::Side &) {
    const auto layout = Layout::open(path_, LayoutAccess::write);
    return layout && layout->set_name("x", manifest_of(digest_of("x"))) ? 0 : 1;
  });
  const auto layout = Layout::open(path_, LayoutAccess::write);
  ASSERT_OK(layout);
  ASSERT_OK(layout->set_name("y", manifest_of(digest_of("y"))));
  EXPECT_EQ(other.wait(), 0);
  EXPECT_EQ(layout->load_index()->manifests.size(), 2U);
}

TEST_F(LayoutTest, ANameMovesAndTheOthersStay) {
  const Layout layout = opened();
  ASSERT_OK(layout.set_name("a", manifest_of(digest_of("1"))));
  ASSERT_OK(layout.set_name("b", manifest_of(digest_of("1"))));
  ASSERT_OK(layout.set_name("a", manifest_of(digest_of("2"))));
  EXPECT_EQ(layout.find("a")->digest, digest_of("2").text());
  EXPECT_EQ(layout.find("b")->digest, digest_of("1").text());
  EXPECT_EQ(layout.find(digest_of("1").text())->digest, digest_of("1").text());
  EXPECT_TRUE(*layout.remove_name("a"));
  EXPECT_FALSE(*layout.remove_name("a"));
  EXPECT_EQ(layout.find("")->digest, digest_of("1").text());
}

TEST_F(LayoutTest, AManifestWithoutANameGetsOneOnce) {
  const Layout layout = opened();
  ASSERT_OK(layout.set_name("", manifest_of(digest_of("1"))));
  ASSERT_OK(layout.set_name("", manifest_of(digest_of("1"))));
  ASSERT_OK(layout.set_name("a", manifest_of(digest_of("1"))));
  ASSERT_OK(layout.set_name("", manifest_of(digest_of("1"))));
  EXPECT_EQ(layout.load_index()->manifests.size(), 1U);
}

TEST_F(LayoutTest, AnErrorListsTheNamesThereAre) {
  const Layout layout = opened();
  EXPECT_EQ(layout.find("x").error().number, ENOENT);
  EXPECT_EQ(layout.find("x").error().remedy, "it is empty");
  ASSERT_OK(layout.set_name("a", manifest_of(digest_of("1"))));
  ASSERT_OK(layout.set_name("b", manifest_of(digest_of("2"))));
  EXPECT_EQ(layout.find("x").error().remedy, "there are a, b");
  EXPECT_EQ(layout.find("").error().remedy, "there are a, b");
}

// `docker save` of two images: both have the ref.name "latest".
TEST_F(LayoutTest, DockersNamesAreFoundInFull) {
  const Layout layout = opened();
  const std::string entry =
      R"({{"mediaType":"{}","digest":"{}","size":1,"annotations":{{"io.containerd.image.name":"docker.io/library/{}:latest",)"
      R"("org.opencontainers.image.ref.name":"latest"}}}})";
  const auto of = [&](std::string_view name) {
    return fmt::format(fmt::runtime(entry), spec::oci_manifest_type, digest_of(name).text(), name);
  };
  write_whole(path_ + "/index.json", fmt::format(R"({{"schemaVersion":2,"manifests":[{},{}]}})", of("a"), of("b")));
  EXPECT_EQ(layout.find("docker.io/library/b:latest")->digest, digest_of("b").text());
  EXPECT_NE(layout.find("latest").error().message().find("2 images are called \"latest\""), std::string::npos);
}

TEST_F(LayoutTest, WhoIsAloneWaitsForWhoReads) {
  const Layout layout = opened();
  OtherProcess other([&](const OtherProcess::Side &side) {
    const auto lock = layout.lock_shared();
    side.say();
    side.await();
    return lock ? 0 : 1;
  });
  ASSERT_TRUE(other.await());
  EXPECT_TRUE(layout.lock_shared());
  const auto lock = kernel::openat(layout.directory(), "lock", O_RDWR);
  EXPECT_EQ(kernel::flock(*lock, LOCK_EX | LOCK_NB).error().number, EWOULDBLOCK);
  other.go();
  EXPECT_EQ(other.wait(), 0);
  EXPECT_TRUE(layout.lock_alone());
}

kernel::testing::Verdict on_full_disk(const std::string &path) {
  const auto layout = Layout::open(path, LayoutAccess::write);
  NEED_OK(layout);
  NEED_OK(layout->write_blob("small"));
  const auto large = layout->write_blob(std::string(1U << 20U, 'x'));
  NEED(!large && large.error().number == ENOSPC);
  NEED(large.error().message().find("make room") != std::string::npos);
  const auto left = kernel::list_directory(*kernel::open(path + "/blobs/partial", O_RDONLY));
  NEED(left && left->empty());
  // What is full to the last page keeps its index as it was.
  NEED_OK(layout->set_name("a", manifest_of(digest_of("small"))));
  auto filler = layout->begin_blob(digest_of("never"));
  NEED_OK(filler);
  while (kernel::write_all(filler->file, std::string(4096, 'x'))) {
  }
  NEED(!layout->set_name("b", manifest_of(digest_of("small"))));
  NEED(layout->load_index()->manifests.size() == 1);
  NEED(*layout->read_blob(digest_of("small")) == "small");
  return {};
}

kernel::testing::Verdict on_read_only_disk(const std::string &path) {
  {
    const auto layout = Layout::open(path, LayoutAccess::write);
    NEED_OK(layout);
    NEED_OK(layout->write_blob("small"));
    NEED_OK(layout->set_name("a", manifest_of(digest_of("small"))));
  }
  NEED_OK(make_read_only(path));
  const auto layout = Layout::open(path, LayoutAccess::read);
  NEED_OK(layout);
  NEED_OK(layout->lock_shared());
  NEED(*layout->read_blob(digest_of("small")) == "small");
  NEED_OK(layout->find("a"));
  const auto written = layout->write_blob("more");
  NEED(!written && written.error().number == EROFS);
  NEED(!layout->set_name("b", manifest_of(digest_of("small"))));
  const auto again = Layout::open(path, LayoutAccess::write);
  NEED(!again && again.error().number == EROFS && !again.error().remedy.empty());
  return {};
}

TEST_F(LayoutTest, AFullDiskLeavesItAsItWas) {
  expect_on_small_disk(directory_.path(), [&] { return on_full_disk(directory_.path()); });
}

TEST_F(LayoutTest, AReadOnlyOneCanBeRead) {
  expect_on_small_disk(directory_.path(), [&] { return on_read_only_disk(directory_.path()); });
}

}  // namespace
}  // namespace skiff::image
