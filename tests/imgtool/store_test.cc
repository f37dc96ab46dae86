#include "imgtool/store.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>

#include "imgtool/build_cache.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"
#include "tests/imgtool/other_process.h"
#include "tests/imgtool/sample_image.h"
#include "tests/imgtool/small_disk.h"
#include "tests/runtime/kernel/isolated.h"
#include "tests/runtime/temporary_directory.h"

namespace skiff::image {
namespace {

using kernel::testing::write_whole;

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() : store_(*open_store(directory_.path() + "/store", LayoutAccess::write)) {}

  [[nodiscard]] std::size_t blobs() const { return store_.list_blobs()->size(); }
  [[nodiscard]] bool has(const std::string &digest) const { return *store_.has_blob(*Digest::parse(digest)); }
  void name(std::string_view text, const spec::Descriptor &descriptor) const {
    ASSERT_TRUE(store_.set_name(text, descriptor));
  }
  PruneReport pruned(const PruneOptions &options = {}) const {
    auto report = prune(store_, options);
    EXPECT_TRUE(report) << report.error().message();
    return report ? *report : PruneReport{};
  }
  void add_layer(const std::string &name_of_layer) const {
    auto work = begin_layer(store_, name_of_layer);
    ASSERT_TRUE(work && *work);
    const AppliedLayer applied = sample_applied(100);
    ASSERT_TRUE(commit_layer(store_, std::move(**work), digest_of("chain"), applied));
  }
  [[nodiscard]] std::vector<std::string> layers() const {
    std::vector<std::string> names;
    const auto all = list_layers(store_);
    for (const StoredLayer &layer : *all) names.push_back(layer.name);
    return names;
  }

  TemporaryDirectory directory_;
  Layout store_;
};

// CVE-2024-25621
TEST_F(StoreTest, ANewOneIsForItsOwnerAloneWhateverTheUmask) {
  for (const mode_t mask : {mode_t{0}, mode_t{022}, mode_t{077}}) {
    const std::string path = fmt::format("{}/under{:o}", directory_.path(), mask);
    const mode_t before = kernel::umask(mask);
    const auto store = open_store(path, LayoutAccess::write);
    kernel::umask(before);
    ASSERT_TRUE(store) << store.error().message();
    EXPECT_EQ(kernel::fstat(store->directory())->st_mode & 0777U, 0700U);
  }
  EXPECT_EQ(open_store(directory_.path() + "/none", LayoutAccess::read).error().number, ENOENT);
}

TEST_F(StoreTest, PruneKeepsWhatANameLeadsTo) {
  const SampleImage kept = add_image(store_, {"base", "kept"});
  const SampleImage other = add_image(store_, {"base", "gone"});
  const spec::Descriptor nested = add_index(store_, {add_image(store_, {"nested"}).descriptor});
  name("a", kept.descriptor);
  name("b", other.descriptor);
  name("c", add_index(store_, {nested}));
  EXPECT_TRUE(pruned().blobs.empty());
  const std::size_t all = blobs();
  ASSERT_TRUE(*store_.remove_name("b"));
  const PruneReport dry = pruned({.dry_run = true});
  EXPECT_EQ(dry.blobs.size(), 3U);  // manifest, configuration, "gone"; the base is shared
  EXPECT_EQ(blobs(), all);
  EXPECT_EQ(pruned().bytes.all(), dry.bytes.all());
  EXPECT_EQ(blobs(), all - 3);
  EXPECT_TRUE(has(digest_of("base").text()));
  EXPECT_TRUE(has(digest_of("nested").text()));
  EXPECT_FALSE(has(digest_of("gone").text()));
}

TEST_F(StoreTest, PruneSweepsWhatKilledBuildsLeft) {
  const std::string build = directory_.path() + "/store/build";
  ASSERT_TRUE(kernel::make_directory_in_root(store_.directory(), "build/killed/rootfs0/usr", 0755));
  ASSERT_TRUE(kernel::make_directory_in_root(store_.directory(), "build/running", 0755));
  write_whole(build + "/killed/rootfs0/usr/file", std::string(10000, 'x'));
  const kernel::Fd running = kernel::open(build + "/running", O_RDONLY | O_DIRECTORY).value();
  ASSERT_TRUE(kernel::flock(running, LOCK_EX));
  EXPECT_EQ(disk_usage(store_)->builds.count, 2U);
  EXPECT_GE(disk_usage(store_)->builds.reclaimable, 10000U);
  EXPECT_EQ(pruned({.dry_run = true}).builds, std::vector<std::string>{"killed"});
  EXPECT_EQ(pruned().builds, std::vector<std::string>{"killed"});
  EXPECT_EQ(kernel::list_directory(kernel::open(build, O_RDONLY).value()).value(), std::vector<std::string>{"running"});
}

TEST_F(StoreTest, PruneSweepsBuildsRecordsWhoseLayersAreGone) {
  const BuildCache cache(store_, true);
  const auto step = [&](const std::string &text) {
    return CachedStep{.layer = add_blob(store_, spec::oci_layer_type, text), .diff_id = digest_of(text).text()};
  };
  const SampleImage image = add_image(store_, {"kept"});
  name("a", image.descriptor);
  const std::string kept = BuildCache::key({"kept"});
  const std::string gone = BuildCache::key({"gone"});
  const std::string empty = BuildCache::key({"changes nothing"});
  ASSERT_TRUE(cache.keep(kept, step("kept")));
  ASSERT_TRUE(cache.keep(gone, step("gone")));
  ASSERT_TRUE(cache.keep(empty, {}));
  write_whole(directory_.path() + "/store/build-cache/" + kept + ".12", "half a rec");  // a killed build's
  EXPECT_EQ(disk_usage(store_)->cache.count, 4U);
  const PruneReport dry = pruned({.dry_run = true});
  EXPECT_EQ(dry.cache.size(), 2U);
  EXPECT_GT(dry.bytes.cache, 0U);
  EXPECT_EQ(pruned().cache, dry.cache);
  EXPECT_TRUE(cache.find(kept).value());
  EXPECT_TRUE(cache.find(empty).value());
  EXPECT_FALSE(cache.find(gone).value());
  EXPECT_EQ(disk_usage(store_)->cache.count, 2U);
  EXPECT_EQ(disk_usage(store_)->cache.reclaimable, 0U);
}

// image-index.md, manifest.md: "subject"
TEST_F(StoreTest, ReferrersStayWithWhatTheyReferTo) {
  const SampleImage image = add_image(store_, {"image"});
  SampleImage signature = add_image(store_, {"signature"});
  signature.manifest.subject = image.descriptor;
  const auto of_image = add_blob(store_, spec::oci_manifest_type, spec::print_image_manifest(signature.manifest));
  signature.manifest.subject = of_image;
  const auto of_signature = add_blob(store_, spec::oci_manifest_type, spec::print_image_manifest(signature.manifest));
  name("a", image.descriptor);
  name("", of_signature);
  name("", of_image);
  pruned();
  EXPECT_TRUE(has(of_image.digest));
  EXPECT_TRUE(has(of_signature.digest));
  ASSERT_TRUE(*store_.remove_name("a"));
  EXPECT_EQ(pruned().images.size(), 2U);
  EXPECT_EQ(blobs(), 0U);
  EXPECT_TRUE(store_.load_index()->manifests.empty());
}

TEST_F(StoreTest, ImagesWithoutANameGoOnlyWhereThatIsAskedFor) {
  name("", add_image(store_, {"x"}).descriptor);
  EXPECT_TRUE(pruned().blobs.empty());
  EXPECT_EQ(pruned({.nameless = true}).blobs.size(), 3U);
  EXPECT_TRUE(store_.load_index()->manifests.empty());
}

TEST_F(StoreTest, LayersGoWithTheLastImageOrBundleThatNeedsThem) {
  const SampleImage image = add_image(store_, {"one", "two"});
  const std::vector<Digest> chain = *chain_ids(image.config.rootfs.diff_ids);
  const std::string base(chain[0].hex());
  const std::string shifted = std::string(chain[1].hex()) + ".0123456789ab";
  name("a", image.descriptor);
  for (const std::string &layer : {base, shifted, std::string("feed")}) add_layer(layer);
  EXPECT_EQ(pruned().layers, (std::vector<std::string>{"feed"}));
  const std::string bundle = directory_.path() + "/bundle";
  ::mkdir(bundle.c_str(), 0755);
  ASSERT_TRUE(hold_layers(store_, bundle, {shifted}));
  ASSERT_TRUE(*store_.remove_name("a"));
  EXPECT_EQ(pruned().layers, (std::vector<std::string>{base}));
  ::rmdir(bundle.c_str());
  EXPECT_EQ(pruned().bytes.layers, 100U);
  EXPECT_TRUE(layers().empty());
}

TEST_F(StoreTest, WhatAKilledProcessLeftGoes) {
  OtherProcess other([&](const OtherProcess::Side &side) {
    const auto lock = store_.lock_shared();
    const auto blob = store_.begin_blob(digest_of("never"));
    const auto layer = begin_layer(store_, "abc");
    if (!lock || !blob || !layer || !kernel::write_all(blob->file, "half")) return 1;
    side.say();
    side.await();
    return 0;
  });
  ASSERT_TRUE(other.await());
  other.kill();
  EXPECT_TRUE(pruned().partial.empty());  // it may still be resumed
  EXPECT_EQ(pruned({.partial_age = std::chrono::seconds(0)}).partial.size(), 1U);
  EXPECT_TRUE(kernel::list_directory(*kernel::open(store_.path() + "/blobs/partial", O_RDONLY))->empty());
  EXPECT_TRUE(kernel::list_directory(*kernel::open(store_.path() + "/layers", O_RDONLY))->empty());
}

TEST_F(StoreTest, PruneWaitsForWhoStillNeedsWhatHasNoNameYet) {
  OtherProcess other([&](const OtherProcess::Side &side) {
    const auto lock = store_.lock_shared();
    const SampleImage image = add_image(store_, {"pulled"});
    side.say();
    side.await();
    return lock && store_.set_name("a", image.descriptor) ? 0 : 1;
  });
  ASSERT_TRUE(other.await());
  other.go();
  EXPECT_TRUE(pruned().blobs.empty());
  EXPECT_EQ(other.wait(), 0);
  EXPECT_TRUE(has(digest_of("pulled").text()));
}

TEST_F(StoreTest, NothingIsRemovedWhereItIsNotKnownWhatIsNeeded) {
  const SampleImage image = add_image(store_, {"x"});
  name("a", image.descriptor);
  const Digest digest = *Digest::parse(image.descriptor.digest);
  std::string broken(static_cast<std::size_t>(image.descriptor.size), ' ');
  write_whole(fmt::format("{}/blobs/sha256/{}", store_.path(), digest.hex()), broken);
  ASSERT_TRUE(store_.write_blob("unneeded"));
  const auto report = prune(store_, {});
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().message().find("what image a needs is not known"), std::string::npos)
      << report.error().message();
  EXPECT_TRUE(has(digest_of("unneeded").text()));
}

TEST_F(StoreTest, AnIndexMayLackTheImagesOfOtherPlatforms) {
  const SampleImage here = add_image(store_, {"here"});
  const SampleImage there = add_image(store_, {"there"});
  name("a", add_index(store_, {here.descriptor, there.descriptor}));
  ASSERT_TRUE(store_.remove_blob(*Digest::parse(there.descriptor.digest)));
  pruned();
  EXPECT_TRUE(has(digest_of("here").text()));
  EXPECT_FALSE(has(digest_of("there").text()));
}

TEST_F(StoreTest, DiskUsageAddsUp) {
  const SampleImage image = add_image(store_, {"one", "two"});
  name("a", image.descriptor);
  name("b", image.descriptor);
  ASSERT_TRUE(store_.write_blob("unneeded"));
  add_layer("abc");
  const auto usage = disk_usage(store_);
  ASSERT_TRUE(usage) << usage.error().message();
  EXPECT_EQ(usage->images.count, 2U);
  EXPECT_EQ(usage->blobs.count, 5U);
  EXPECT_EQ(usage->blobs.bytes - usage->images.bytes, 8U);
  EXPECT_EQ(usage->blobs.reclaimable, 8U);
  EXPECT_EQ(usage->layers.count, 1U);
  EXPECT_EQ(usage->layers.reclaimable, 100U);
  EXPECT_EQ(usage->partial.count, 0U);
}

// gzip of "hello layer"
std::string gzip_layer() {
  constexpr std::string_view digits = "1f8b0800000000000203cb48cdc9c957c849ac4c2d0200dc21e6d30b000000";
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

TEST_F(StoreTest, ASoundStoreIsFoundSound) {
  SampleImage image = add_image(store_, {"plain"});
  image.manifest.layers.push_back(add_blob(store_, spec::oci_layer_gzip_type, gzip_layer()));
  image.config.rootfs.diff_ids.push_back(digest_of("hello layer").text());
  image.manifest.config = add_blob(store_, spec::oci_config_type, spec::print_image_config(image.config));
  name("a", add_blob(store_, spec::oci_manifest_type, spec::print_image_manifest(image.manifest)));
  std::atomic<std::uint64_t> seen = 0;
  const auto report = verify(store_, [&](std::uint64_t bytes) { seen += bytes; });
  ASSERT_TRUE(report) << report.error().message();
  for (const Error &error : report->errors) ADD_FAILURE() << error.message();
  EXPECT_EQ(report->blobs, blobs());
  EXPECT_EQ(report->bytes, seen);
  EXPECT_TRUE(report->images.empty());
}

TEST_F(StoreTest, VerifyFindsContentThatHasChanged) {
  const SampleImage image = add_image(store_, {"content"});
  name("a", image.descriptor);
  name("b", add_image(store_, {"other"}).descriptor);
  const Digest layer = digest_of("content");
  write_whole(fmt::format("{}/blobs/sha256/{}", store_.path(), layer.hex()), "CONTENT");
  const auto report = verify(store_, {});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->images, (std::vector<std::string>{"a"}));
  ASSERT_EQ(report->damaged.size(), 1U);
  EXPECT_EQ(report->damaged.front(), layer);
  EXPECT_NE(report->errors.front().message().find("its content has the digest"), std::string::npos);
}

TEST_F(StoreTest, VerifyFindsALayerOfAnotherDiffId) {
  SampleImage image = add_image(store_, {"content"});
  image.config.rootfs.diff_ids = {digest_of("something else").text()};
  image.manifest.config = add_blob(store_, spec::oci_config_type, spec::print_image_config(image.config));
  name("a", add_blob(store_, spec::oci_manifest_type, spec::print_image_manifest(image.manifest)));
  const auto report = verify(store_, {});
  ASSERT_TRUE(report);
  ASSERT_EQ(report->errors.size(), 1U);
  EXPECT_NE(report->errors.front().message().find("uncompressed its digest is " + digest_of("content").text()),
            std::string::npos)
      << report->errors.front().message();
}

TEST_F(StoreTest, VerifyNamesTheImageThatLacksABlob) {
  name("a", add_image(store_, {"content"}).descriptor);
  ASSERT_TRUE(store_.remove_blob(digest_of("content")));
  const auto report = verify(store_, {});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->images, (std::vector<std::string>{"a"}));
  ASSERT_EQ(report->errors.size(), 1U);
  EXPECT_TRUE(report->errors.front().message().starts_with("a: ")) << report->errors.front().message();
}

kernel::testing::Verdict on_full_disk(const std::string &path) {
  const auto store = open_store(path + "/store", LayoutAccess::write);
  NEED_OK(store);
  NEED_OK(store->set_name("a", add_image(*store, {"small"}).descriptor));
  auto work = begin_layer(*store, "abc");
  NEED_OK(work);
  {
    const auto file = kernel::openat((*work)->root, "large", O_WRONLY | O_CREAT, 0600);
    NEED_OK(file);
    while (kernel::write_all(*file, std::string(4096, 'x'))) {
    }
  }
  NEED(!commit_layer(*store, std::move(**work), digest_of("chain"), sample_applied(1)));
  NEED(!find_layer(*store, "abc")->has_value());
  // Pruning makes room, and what was there is whole.
  work->reset();
  NEED_OK(prune(*store, {}));
  const auto again = begin_layer(*store, "abc");
  NEED_OK(again);
  const auto report = verify(*store, {});
  NEED_OK(report);
  NEED(report->errors.empty());
  return {};
}

kernel::testing::Verdict on_read_only_disk(const std::string &path) {
  {
    const auto store = open_store(path + "/store", LayoutAccess::write);
    NEED_OK(store);
    NEED_OK(store->set_name("a", add_image(*store, {"small"}).descriptor));
    auto work = begin_layer(*store, "abc");
    NEED_OK(work);
    NEED_OK(commit_layer(*store, std::move(**work), digest_of("chain"), sample_applied(1)));
  }
  NEED_OK(make_read_only(path));
  const auto store = open_store(path + "/store", LayoutAccess::read);
  NEED_OK(store);
  NEED(find_layer(*store, "abc")->has_value());
  NEED_OK(disk_usage(*store));
  const auto report = verify(*store, {});
  NEED_OK(report);
  NEED(report->errors.empty());
  NEED(!begin_layer(*store, "other"));
  const auto pruned = prune(*store, {});
  NEED(!pruned && pruned.error().number == EROFS);
  NEED(!open_store(path + "/store", LayoutAccess::write));
  return {};
}

TEST_F(StoreTest, AFullDiskLeavesItAsItWas) {
  expect_on_small_disk(directory_.path(), [&] { return on_full_disk(directory_.path()); });
}

TEST_F(StoreTest, AReadOnlyOneCanBeRead) {
  expect_on_small_disk(directory_.path(), [&] { return on_read_only_disk(directory_.path()); });
}

}  // namespace
}  // namespace skiff::image
