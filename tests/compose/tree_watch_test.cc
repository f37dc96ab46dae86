#include "compose/tree_watch.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "tests/runtime/temporary_directory.h"

namespace skiff::compose {
namespace {

namespace fs = std::filesystem;
using Paths = std::set<std::string>;

class TreeWatchOf : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(path("tree/sub"));
    write("tree/a", "1");
    write("tree/sub/b", "1");
  }

  [[nodiscard]] std::string path(const std::string &name) const { return directory_.path() + "/" + name; }
  void write(const std::string &name, const std::string &text) const { std::ofstream(path(name)) << text; }
  TreeWatch open(const std::string &name = "tree") const {
    return TreeWatch::open(path(name), [](const std::string &folder) { return folder.ends_with("/skipped"); }).value();
  }
  // Absolute paths of these names.
  [[nodiscard]] Paths paths(const std::set<std::string> &names) const {
    Paths all;
    for (const std::string &name : names) all.insert(path(name));
    return all;
  }
  // The kernel has told of it by the time that the call returned.
  static Paths changes(TreeWatch &tree) {
    EXPECT_TRUE(kernel::wait_readable(tree.fd(), std::chrono::seconds(10)).value());
    return tree.read_changes().value();
  }

  TemporaryDirectory directory_;
};

TEST_F(TreeWatchOf, FilesThatAreWrittenMadeAndRemoved) {
  TreeWatch tree = open();
  EXPECT_EQ(tree.files(), paths({"tree/a", "tree/sub/b"}));
  EXPECT_FALSE(kernel::wait_readable(tree.fd(), std::chrono::milliseconds(0)).value());
  write("tree/a", "changed");
  write("tree/sub/new", "1");
  EXPECT_EQ(changes(tree), paths({"tree/a", "tree/sub/new"}));
  fs::remove(path("tree/a"));
  EXPECT_EQ(changes(tree), paths({"tree/a"}));
  EXPECT_FALSE(tree.has(path("tree/a")));
  fs::remove_all(path("tree/sub"));
  EXPECT_EQ(changes(tree), paths({"tree/sub", "tree/sub/b", "tree/sub/new"}));
}

TEST_F(TreeWatchOf, AnEditorsSaveByRenameIsOneChange) {
  TreeWatch tree = open();
  write("tree/.a.new", "saved");
  fs::rename(path("tree/.a.new"), path("tree/a"));
  EXPECT_EQ(changes(tree), paths({"tree/a"}));
}

TEST_F(TreeWatchOf, NewDirectoriesCountWithAllTheyHold) {
  TreeWatch tree = open();
  fs::create_directories(path("tree/x/y/z"));
  write("tree/x/y/z/deep", "1");
  EXPECT_EQ(changes(tree), paths({"tree/x/y/z/deep"}));
  write("tree/x/y/later", "1");
  EXPECT_EQ(changes(tree), paths({"tree/x/y/later"}));
}

TEST_F(TreeWatchOf, ADirectoryThatIsRenamedIsGoneAndNew) {
  TreeWatch tree = open();
  fs::rename(path("tree/sub"), path("tree/other"));
  EXPECT_EQ(changes(tree), paths({"tree/sub", "tree/sub/b", "tree/other/b"}));
  EXPECT_FALSE(tree.has(path("tree/sub/b")));
  write("tree/other/b", "once more");
  EXPECT_EQ(changes(tree), paths({"tree/other/b"}));
  fs::rename(path("tree/other"), path("outside"));
  EXPECT_EQ(changes(tree), paths({"tree/other", "tree/other/b"}));
  write("outside/b", "nobody's business any more");
  write("tree/a", "2");
  EXPECT_EQ(changes(tree), paths({"tree/a"}));
}

TEST_F(TreeWatchOf, WhatIsSkippedIsNotWatched) {
  fs::create_directories(path("tree/skipped"));
  write("tree/skipped/x", "1");
  TreeWatch tree = open();
  EXPECT_EQ(tree.files(), paths({"tree/a", "tree/sub/b"}));
  write("tree/skipped/x", "2");
  EXPECT_FALSE(kernel::wait_readable(tree.fd(), std::chrono::milliseconds(0)).value());
}

TEST_F(TreeWatchOf, OneFileIsWatchedThroughItsReplacement) {
  TreeWatch tree = open("tree/a");
  write("tree/other", "1");
  write("tree/a.new", "2");
  fs::rename(path("tree/a.new"), path("tree/a"));
  EXPECT_EQ(changes(tree), paths({"tree/a"}));
  write("tree/a", "three");
  EXPECT_EQ(changes(tree), paths({"tree/a"}));
}

TEST_F(TreeWatchOf, TheWholeTreeMayGoAndComeAgain) {
  TreeWatch tree = open();
  fs::rename(path("tree"), path("away"));
  EXPECT_EQ(changes(tree), paths({"tree/a", "tree/sub", "tree/sub/b"}));
  fs::create_directories(path("tree"));
  write("tree/a", "again");
  EXPECT_EQ(changes(tree), paths({"tree/a"}));
  write("tree/c", "1");
  EXPECT_EQ(changes(tree), paths({"tree/c"}));
}

TEST_F(TreeWatchOf, ReadingAFileAndTouchingNothingIsNoChange) {
  TreeWatch tree = open();
  std::ifstream in(path("tree/a"));
  std::string text;
  in >> text;
  EXPECT_FALSE(kernel::wait_readable(tree.fd(), std::chrono::milliseconds(0)).value());
  EXPECT_EQ(tree.read_changes().value(), Paths());
}

// fs.inotify.max_queued_events is how many there is room for.
TEST_F(TreeWatchOf, WhatTheKernelHadNoRoomToTellIsFound) {
  std::ifstream limit("/proc/sys/fs/inotify/max_queued_events");
  std::size_t most = 0;
  ASSERT_TRUE(limit >> most);
  if (most > 40000) GTEST_SKIP() << "fs.inotify.max_queued_events is " << most << ", which is more than a test fills";
  TreeWatch tree = open();
  const std::string one = path("tree/one");
  const std::string other = path("tree/other");
  write("tree/one", "1");
  // Two events a rename, and no two the same after one another: those are merged.
  for (std::size_t i = 0; i <= most; ++i) {
    ASSERT_EQ(std::rename((i % 2 == 0 ? one : other).c_str(), (i % 2 == 0 ? other : one).c_str()), 0);
  }
  write("tree/sub/late", "1");
  fs::remove(path("tree/a"));
  const Paths found = changes(tree);
  EXPECT_TRUE(found.contains(path("tree/sub/late")));
  EXPECT_TRUE(found.contains(path("tree/a")));
}

TEST_F(TreeWatchOf, WhatIsNotThereIsAnError) {
  const Result<TreeWatch> tree = TreeWatch::open(path("absent"), [](const std::string &) { return false; });
  ASSERT_FALSE(tree);
  EXPECT_EQ(tree.error().number, ENOENT);
}

}  // namespace
}  // namespace skiff::compose
