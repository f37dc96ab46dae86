#include "imgtool/layer_store.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <future>

#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"
#include "tests/imgtool/other_process.h"
#include "tests/imgtool/sample_image.h"
#include "tests/runtime/kernel/isolated.h"
#include "tests/runtime/temporary_directory.h"

namespace skiff::image {
namespace {

using kernel::testing::read_whole;
using kernel::testing::write_whole;

class LayerStoreTest : public ::testing::Test {
 protected:
  LayerStoreTest() : store_(*Layout::open(directory_.path() + "/store", LayoutAccess::write)) {}

  [[nodiscard]] std::string path(const std::string &rest) const { return store_.path() + "/" + rest; }
  // A whole layer with one file in it.
  StoredLayer add(const std::string &name) const {
    auto work = begin_layer(store_, name);
    EXPECT_TRUE(work && *work);
    write_whole(path("layers/" + name + ".new/diff/file"), "content");
    const AppliedLayer applied = sample_applied(10240);
    auto stored = commit_layer(store_, std::move(**work), digest_of("chain"), applied);
    EXPECT_TRUE(stored) << stored.error().message();
    return *stored;
  }
  void change_record(const std::string &name, const std::string &from, const std::string &to) const {
    std::string text = read_whole(path("layers/" + name + "/record.json"));
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << text;
    write_whole(path("layers/" + name + "/record.json"), text.replace(at, from.size(), to));
  }
  [[nodiscard]] bool found(const std::string &name) const { return find_layer(store_, name)->has_value(); }

  TemporaryDirectory directory_;
  Layout store_;
};

// config.md, "Layer ChainID"
TEST(ChainIds, EachIsTheDigestOfTheOneBeforeAndItsOwnDiffId) {
  const std::string a = digest_of("a").text();
  const std::string b = digest_of("b").text();
  const auto chain = chain_ids({a, b, a});
  ASSERT_TRUE(chain);
  EXPECT_EQ((*chain)[0].text(), a);
  EXPECT_EQ((*chain)[1], digest_of(a + " " + b));
  EXPECT_EQ((*chain)[2], digest_of(digest_of(a + " " + b).text() + " " + a));
  EXPECT_FALSE(chain_ids({"sha256:../../x"}));
  EXPECT_TRUE(chain_ids({})->empty());
}

TEST(LayerName, OneThatWasWrittenInAnotherWayIsAnother) {
  const Digest chain = digest_of("x");
  ApplyOptions plain;
  plain.whiteouts = WhiteoutStyle::overlay;
  EXPECT_EQ(layer_name(chain, plain), chain.hex());
  ApplyOptions rootless = plain;
  rootless.rootless = true;
  ApplyOptions shifted = plain;
  shifted.uid_mappings = {{.container_id = 0, .host_id = 100000, .size = 65536}};
  ApplyOptions other = plain;
  other.gid_mappings = shifted.uid_mappings;
  EXPECT_NE(layer_name(chain, rootless), layer_name(chain, plain));
  EXPECT_NE(layer_name(chain, rootless), layer_name(chain, shifted));
  EXPECT_NE(layer_name(chain, other), layer_name(chain, shifted));
  EXPECT_TRUE(layer_name(chain, shifted).starts_with(std::string(chain.hex()) + "."));
}

TEST_F(LayerStoreTest, AWholeOneIsFoundWithItsRecord) {
  EXPECT_FALSE(found("abc"));
  const StoredLayer made = add("abc");
  const auto layer = find_layer(store_, "abc");
  ASSERT_TRUE(layer && *layer);
  EXPECT_EQ((*layer)->path, made.path);
  EXPECT_EQ(read_whole(made.path + "/file"), "content");
  EXPECT_EQ((*layer)->record.diff_id, digest_of("diff").text());
  EXPECT_EQ((*layer)->record.bytes, 10240U);
  EXPECT_EQ(list_layers(store_)->size(), 1U);
  ASSERT_TRUE(begin_layer(store_, "abc"));
  EXPECT_FALSE(begin_layer(store_, "abc")->has_value());
}

// CVE-2024-25621
TEST_F(LayerStoreTest, NobodyElseMayLookIn) {
  const mode_t before = kernel::umask(0);
  add("abc");
  kernel::umask(before);
  EXPECT_EQ(kernel::fstatat(store_.directory(), "layers")->st_mode & 0777U, 0700U);
  EXPECT_EQ(kernel::fstatat(store_.directory(), "layers/abc/diff")->st_mode & 0777U, 0755U);
}

TEST_F(LayerStoreTest, AKilledOneIsMadeAnew) {
  OtherProcess other([&](const OtherProcess::Side &side) {
    const auto work = begin_layer(store_, "abc");
    write_whole(path("layers/abc.new/diff/half"), "x");
    side.say();
    side.await();
    return work ? 0 : 1;
  });
  ASSERT_TRUE(other.await());
  other.kill();
  EXPECT_FALSE(found("abc"));
  add("abc");
  EXPECT_FALSE(kernel::fstatat(store_.directory(), "layers/abc/diff/half"));
  EXPECT_TRUE(found("abc"));
}

TEST_F(LayerStoreTest, ASecondProcessWaitsAndUsesWhatTheFirstMade) {
  OtherProcess other([&](const OtherProcess::Side &side) {
    auto work = begin_layer(store_, "abc");
    side.say();
    side.await();
    const AppliedLayer applied = sample_applied(1);
    return work && *work && commit_layer(store_, std::move(**work), digest_of("chain"), applied) ? 0 : 1;
  });
  ASSERT_TRUE(other.await());
  auto waiting = std::async(std::launch::async, [&] { return begin_layer(store_, "abc"); });
  other.go();
  const auto second = waiting.get();
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->has_value());
  EXPECT_EQ(other.wait(), 0);
  EXPECT_TRUE(found("abc"));
}

// What was not forced to the disk may have lost content in a crash.
TEST_F(LayerStoreTest, OneOfAnEarlierBootIsTrustedOnlyWhereItHadSettled) {
  const std::string boot = add("abc").record.boot;
  change_record("abc", boot, "00000000-0000-0000-0000-000000000000");
  EXPECT_FALSE(found("abc"));
  change_record("abc", R"("settled":false)", R"("settled":true)");
  EXPECT_TRUE(found("abc"));
  change_record("abc", R"("settled":true)", R"("settled":false)");
  add("abc");
  EXPECT_TRUE(found("abc"));
}

TEST_F(LayerStoreTest, ItSettlesOnceItIsOldEnough) {
  add("abc");
  EXPECT_FALSE((*find_layer(store_, "abc"))->record.settled);
  const timespec times[2] = {{.tv_sec = 1000, .tv_nsec = 0}, {.tv_sec = 1000, .tv_nsec = 0}};
  ASSERT_TRUE(kernel::utimensat(store_.directory(), "layers/abc/record.json", times));
  EXPECT_TRUE((*find_layer(store_, "abc"))->record.settled);
  EXPECT_NE(read_whole(path("layers/abc/record.json")).find(R"("settled":true)"), std::string::npos);
}

TEST_F(LayerStoreTest, ARecordThatACrashLeftEmptyIsNone) {
  add("abc");
  write_whole(path("layers/abc/record.json"), "");
  EXPECT_FALSE(found("abc"));
  add("abc");
  EXPECT_TRUE(found("abc"));
}

TEST_F(LayerStoreTest, OneIsRemovedWithItsLock) {
  add("abc");
  ASSERT_TRUE(remove_layer(store_, "abc"));
  EXPECT_TRUE(kernel::list_directory(*kernel::open(path("layers"), O_RDONLY))->empty());
  ASSERT_TRUE(remove_layer(store_, "abc"));
}

TEST_F(LayerStoreTest, ALayerIsHeldForAsLongAsItsBundleExists) {
  const std::string bundle = directory_.path() + "/bundle";
  ASSERT_TRUE(hold_layers(store_, bundle, {"a", "b"}));
  EXPECT_TRUE(held_layers(store_)->empty());  // there is no such bundle
  ::mkdir(bundle.c_str(), 0755);
  ASSERT_TRUE(hold_layers(store_, bundle, {"a", "b"}));
  EXPECT_EQ(*held_layers(store_), (std::vector<std::string>{"a", "b"}));
  ASSERT_TRUE(hold_layers(store_, bundle, {"c"}));
  EXPECT_EQ(*held_layers(store_), (std::vector<std::string>{"c"}));
  ASSERT_TRUE(release_layers(store_, bundle));
  ASSERT_TRUE(release_layers(store_, bundle));
  EXPECT_TRUE(held_layers(store_)->empty());
}

TEST_F(LayerStoreTest, AHoldThatWasNotWrittenToItsEndGoes) {
  ::mkdir(path("holds").c_str(), 0700);
  write_whole(path("holds/abc.new"), "{");
  EXPECT_TRUE(held_layers(store_)->empty());
  EXPECT_TRUE(kernel::list_directory(*kernel::open(path("holds"), O_RDONLY))->empty());
}

}  // namespace
}  // namespace skiff::image
