#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/kernel/descent.h"
#include "runtime/kernel/path.h"
#include "tests/runtime/kernel/isolated.h"

namespace skiff::kernel {
namespace {

using testing::TemporaryDirectory;

TEST(ListDirectory, NamesEverythingButTheDots) {
  const TemporaryDirectory directory;
  const Result<Fd> dir = open(directory.path(), O_PATH | O_DIRECTORY);
  std::vector<std::string> made;
  for (int i = 0; i < 700; ++i) made.push_back("a-name-that-is-long-enough-for-two-reads-" + std::to_string(i));
  for (const std::string &name : made) ASSERT_OK(mknodat(*dir, name, S_IFREG | 0600, 0));
  Result<std::vector<std::string>> names = list_directory(*dir);
  ASSERT_OK(names);
  std::ranges::sort(*names);
  std::ranges::sort(made);
  EXPECT_EQ(*names, made);
}

TEST(RemoveTree, RemovesEverythingBelowAndFollowsNoSymlink) {
  const TemporaryDirectory directory;
  const Result<Fd> dir = open(directory.path(), O_PATH | O_DIRECTORY);
  ASSERT_OK(make_directory_in_root(*dir, "tree/a/b/c", 0755));
  ASSERT_OK(make_file_in_root(*dir, "tree/a/file", 0644));
  ASSERT_OK(make_file_in_root(*dir, "kept/file", 0644));
  ASSERT_OK(symlinkat("../../kept", *dir, "tree/a/link"));
  ASSERT_OK(remove_tree_at(*dir, "tree"));
  EXPECT_EQ(*list_directory(*dir), std::vector<std::string>{"kept"});
  ASSERT_OK(faccessat(*dir, "kept/file", F_OK));
}

TEST(RemoveTree, RemovesASingleFileAndASymlinkItself) {
  const TemporaryDirectory directory;
  const Result<Fd> dir = open(directory.path(), O_PATH | O_DIRECTORY);
  ASSERT_OK(make_file_in_root(*dir, "kept/file", 0644));
  ASSERT_OK(symlinkat("kept", *dir, "link"));
  ASSERT_OK(remove_tree_at(*dir, "link"));
  ASSERT_OK(remove_tree_at(*dir, "kept/file"));
  EXPECT_EQ(*list_directory(*dir), std::vector<std::string>{"kept"});
}

TEST(RemoveTree, WhatIsGoneIsNoError) {
  const TemporaryDirectory directory;
  const Result<Fd> dir = open(directory.path(), O_PATH | O_DIRECTORY);
  ASSERT_OK(remove_tree_at(*dir, "nothing"));
}

// Directories named "d", one in the other; the last of them.
Result<Fd> make_depth(FdView top, int levels) {
  Fd at = TRY(openat(top, ".", O_RDONLY | O_DIRECTORY));
  for (int level = 0; level < levels; ++level) {
    TRY(mkdirat(at, "d", 0755));
    at = TRY(openat(at, "d", O_RDONLY | O_DIRECTORY));
  }
  return at;
}

TEST(RemoveTree, NeedsFewDescriptorsHoweverDeepTheTreeIs) {
  const TemporaryDirectory directory;
  EXPECT_ISOLATED(0, [&]() -> std::string {
    const rlimit few{.rlim_cur = 256, .rlim_max = 256};
    NEED(::setrlimit(RLIMIT_NOFILE, &few) == 0);
    const Result<Fd> dir = open(directory.path(), O_RDONLY | O_DIRECTORY);
    NEED_OK(make_depth(*dir, 5000));
    NEED_OK(remove_tree_at(*dir, "d"));
    NEED(list_directory(*dir)->empty());
    return {};
  });
}

TEST(Descent, OneThatWasMovedMeanwhileLeadsNowhereElse) {
  constexpr int levels = 200;
  const TemporaryDirectory directory;
  const Result<Fd> dir = open(directory.path(), O_RDONLY | O_DIRECTORY);
  ASSERT_OK(make_depth(*dir, levels));
  Descent descent(*dir);
  for (int level = 0; level < levels; ++level) {
    Result<Fd> inside = openat(descent.here(), "d", O_RDONLY | O_DIRECTORY);
    ASSERT_OK(inside);
    ASSERT_OK(descent.enter(*std::move(inside)));
  }
  ASSERT_OK(mkdirat(*dir, "elsewhere", 0755));
  ASSERT_OK(renameat2(*dir, "d/d/d/d", *dir, "elsewhere/d"));
  for (int level = levels; level > 4; --level) ASSERT_OK(descent.leave());
  EXPECT_ERRNO(descent.leave(), ESTALE);
}

TEST(RemoveTree, DoesNotEnterAMount) {
  const TemporaryDirectory directory;
  EXPECT_ISOLATED(CLONE_NEWUSER | CLONE_NEWNS, [&]() -> std::string {
    const Result<Fd> dir = open(directory.path(), O_PATH | O_DIRECTORY);
    NEED_OK(make_file_in_root(*dir, "precious/file", 0644));
    NEED_OK(make_directory_in_root(*dir, "tree/mounted", 0755));
    const std::string from = directory.path() + "/precious";
    const std::string onto = directory.path() + "/tree/mounted";
    NEED(::mount(from.c_str(), onto.c_str(), "", MS_BIND, nullptr) == 0);
    const Status removed = remove_tree_at(*dir, "tree");
    NEED(!removed);
    NEED(removed.error().number == EXDEV);
    NEED_OK(faccessat(*dir, "precious/file", F_OK));
    return {};
  });
}

}  // namespace
}  // namespace skiff::kernel
