// Layers that want out of the tree, or more than there is. Each is an attack that worked on some unpacker.
#include <atomic>
#include <thread>

#include "tests/imgtool/layer_stage.h"

namespace skiff::image {
namespace {

class AttackTest : public LayerTest {
 protected:
  void TearDown() override { expect_outside_is_whole(); }
};

// umoci CVE-2021-29136: the next layer would be applied to the link's target.
TEST_F(AttackTest, TheRootDoesNotBecomeASymlink) {
  for (const std::string name : {".", "/.", "./", "/", "a/..", "../.."}) {
    EXPECT_NE(apply({symlink(name, outside_)}).find("the root of the tree can only be a directory"), std::string::npos)
        << name;
    EXPECT_NE(apply({file(name, "x")}), "") << name;
    EXPECT_NE(apply({hard_link(name, "a")}), "") << name;
  }
  EXPECT_TRUE(S_ISDIR(status("").st_mode));
  EXPECT_EQ(apply({directory("./", 0711)}), "");
  EXPECT_EQ(status("").st_mode & 0777U, 0711U);
}

TEST_F(AttackTest, DotDotStopsAtTheRoot) {
  ASSERT_EQ(apply({file("../../../up", "u"), file("/abs", "a"), file("a/../../b", "b")}), "");
  EXPECT_EQ(text("up"), "u");
  EXPECT_EQ(text("abs"), "a");
  EXPECT_EQ(text("b"), "b");
}

TEST_F(AttackTest, AnAbsoluteSymlinkLeadsToItsPlaceInTheTree) {
  ASSERT_EQ(apply({symlink("evil", outside_), file("evil/file", "inside")}), "");
  EXPECT_EQ(text(outside_.substr(1) + "/file"), "inside");
}

TEST_F(AttackTest, ARelativeSymlinkDoesNotLeadOut) {
  ASSERT_EQ(apply({symlink("evil", "../outside"), file("evil/file", "inside")}), "");
  EXPECT_EQ(text("outside/file"), "inside");
}

// oc CVE-2020-27833: each link is harmless by its text.
TEST_F(AttackTest, AChainOfSymlinksDoesNotLeadOut) {
  ASSERT_EQ(apply({directory("x"), symlink("a", "x/.."), symlink("a/b", ".."), symlink("a/b/c", ".."),
                   file("a/b/c/outside/file", "inside"), file("a/b/c/outside/.wh.file")}),
            "");
  EXPECT_EQ(text("outside/file"), "inside");
}

TEST_F(AttackTest, WhiteoutsDoNotFollowOutEither) {
  ASSERT_EQ(apply({symlink("evil", outside_), symlink("up", "../outside"), file("some", "x")}), "");
  ASSERT_EQ(apply({file("evil/.wh.file"), file("up/.wh.file"), file("evil/.wh..wh..opq"), file("up/.wh..wh..opq")}),
            "");
  expect_outside_is_whole();
  ASSERT_EQ(apply({file(".wh.evil"), file(".wh.up")}), "");
  EXPECT_FALSE(exists("evil"));
}

TEST_F(AttackTest, AFileDoesNotWriteThroughASymlinkOfItsName) {
  ASSERT_EQ(apply({symlink("f", outside_ + "/file"), file("f", "overwritten")}), "");
  EXPECT_EQ(text("f"), "overwritten");
  EXPECT_TRUE(S_ISREG(status("f").st_mode));
}

// containerd CVE-2021-32760: the mode was set on what the link pointed to.
TEST_F(AttackTest, ModesAndTimesDoNotGoThroughALink) {
  const auto before = std::filesystem::status(outside_ + "/file").permissions();
  ASSERT_EQ(
      apply({symlink("s", outside_ + "/file"), hard_link("h", "s"), symlink("d", outside_), hard_link("hd", "d")}), "");
  EXPECT_TRUE(S_ISLNK(status("h").st_mode));
  Header mode = directory("hd", 0777);
  ASSERT_EQ(apply({mode, {.type = '6', .name = "h", .mode = 04777}}), "");
  EXPECT_TRUE(S_ISDIR(status("hd").st_mode));
  EXPECT_EQ(std::filesystem::status(outside_ + "/file").permissions(), before);
  EXPECT_TRUE(S_ISLNK(status("d").st_mode));
}

// ORAS CVE-2026-50163: the target of a hard link was looked up from the working directory.
TEST_F(AttackTest, AHardLinkIsLookedUpFromTheRootOfTheTree) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(outside_);
  const std::string relative = apply({hard_link("a", "file")});
  const std::string up = apply({hard_link("a", "../outside/file")});
  const std::string absolute = apply({hard_link("a", outside_ + "/file")});
  const std::string through = apply({symlink("l", outside_), hard_link("a", "l/file")});
  std::filesystem::current_path(before);
  for (const std::string &error : {relative, up, absolute, through}) {
    EXPECT_NE(error.find("which is not there"), std::string::npos) << error;
  }
  EXPECT_FALSE(exists("a"));
}

TEST_F(AttackTest, AHardLinkToItselfOrADirectoryEndsWell) {
  EXPECT_EQ(apply({file("a", "a"), hard_link("a", "a"), hard_link("a", "./a")}), "");
  EXPECT_EQ(text("a"), "a");
  EXPECT_NE(apply({directory("d"), hard_link("e", "d")}), "");
  EXPECT_NE(apply({hard_link("f", ".")}), "");
}

// A path that was looked up once leads elsewhere once a later entry has exchanged a part of it.
TEST_F(AttackTest, AParentThatIsExchangedIsLookedUpAnew) {
  ASSERT_EQ(apply({directory("p"), directory("p/q"), file("p/q/1"), directory("other"), directory("other/q"),
                   symlink("p", "other"), file("p/q/2"), directory("p"), file("p/q/3")}),
            "");
  EXPECT_FALSE(exists("p/q/1"));
  EXPECT_TRUE(exists("other/q/2"));
  EXPECT_TRUE(exists("p/q/3"));
  EXPECT_FALSE(exists("other/q/3"));
}

// containerd CVE-2025-47290: a directory becomes a symlink between the check and the use.
TEST_F(AttackTest, AThreadThatExchangesADirectoryGainsNothing) {
  ASSERT_EQ(apply({directory("d"), symlink("link", outside_)}), "");
  std::atomic<bool> done = false;
  std::atomic<int> rounds = 0;
  std::jthread attacker([&] {
    while (!done) {
      (void)::syscall(SYS_renameat2, AT_FDCWD, path("d").c_str(), AT_FDCWD, path("link").c_str(), 2 /* exchange */);
      ++rounds;
    }
  });
  std::vector<Header> headers;
  for (int i = 0; i < 500; ++i) {
    headers.push_back(directory("d", 0777));
    headers.push_back(file("d/file", "attack"));
    headers.push_back(file("d/sub" + std::to_string(i) + "/file", "attack"));
    headers.push_back(hard_link("d/h", "d/file"));
    headers.push_back(file("d/.wh.file"));
    headers.push_back(symlink("link", outside_));
  }
  // Some rounds end in an error, for things appear where they were removed: none may touch what is outside.
  for (int i = 0; i < 5; ++i) (void)apply(headers);
  done = true;
  attacker.join();
  EXPECT_GT(rounds, 0);
  expect_outside_is_whole();
}

TEST_F(AttackTest, AnArchiveOfManyTinyEntriesEndsAtTheLimit) {
  options_.limits.entries = 1000;
  std::vector<Header> headers(1001, file("a"));
  EXPECT_NE(apply(headers).find("more than 1000 entries"), std::string::npos);
}

TEST_F(AttackTest, ALayerLargerThanTheLimitEndsThere) {
  options_.limits.bytes = 3 << 20;
  EXPECT_NE(
      apply({file("a", std::string(2 << 20, 'x')), file("b", std::string(2 << 20, 'x'))}).find("--max-layer-size"),
      std::string::npos);
}

TEST_F(AttackTest, ANameThatIsTooLongForTheKernelIsAnErrorWithTheEntry) {
  Header deep = file("x");
  std::string name;
  for (int i = 0; i < 2040; ++i) name += "d/";
  deep.pax = {{"path", name + "f"}};
  EXPECT_EQ(apply({deep}), "") << "deep, and allowed";
  deep.pax = {{"path", std::string(300, 'n')}};
  EXPECT_NE(apply({deep}).find("name too long"), std::string::npos);
}

}  // namespace
}  // namespace skiff::image
