#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>

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
