#include "runtime/kernel/path.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/kernel/process.h"
#include "runtime/kernel/walk.h"
#include "tests/runtime/kernel/isolated.h"

namespace skiff::kernel {
namespace {

using testing::TemporaryDirectory;

// A root with everything a hostile image could hold, next to a secret that nobody in it may reach.
class HostileRoot : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::chdir(base_.path().c_str()), 0);
    for (const char *name : {"root", "root/dir", "root/dir/sub", "outside", "root/real", "root/shut"}) {
      ASSERT_EQ(::mkdir(name, 0755), 0);
    }
    for (const char *name : {"root/file", "root/dir/file", "root/dir/sub/file", "outside/secret"}) {
      testing::write_whole(name, name);
    }
    for (const auto &[target, name] : std::initializer_list<std::pair<const char *, const char *>>{
             {"/dir", "root/absolute"},
             {"/", "root/slash"},
             {"../../../../../../dir", "root/up"},
             {"../outside", "root/beside"},
             {"..", "root/dir/parent"},
             {"../..", "root/dir/sub/grandparent"},
             {"absolute/sub", "root/chain1"},
             {"chain1/file", "root/chain2"},
             {"loop", "root/loop"},
             {"loop_b", "root/loop_a"},
             {"/loop_a", "root/loop_b"},
             {"/nowhere", "root/dangling"},
             {"nowhere/deep/file", "root/dangling_deep"},
             {"../outside/secret", "root/steal"},
             {"/outside/secret", "root/steal_absolute"},
             {"dir/", "root/slashed"},
             {"file/", "root/file_slashed"},
             {".", "root/dot"},
         }) {
      ASSERT_EQ(::symlink(target, name), 0);
    }
    ASSERT_EQ(::symlink((base_.path() + "/outside").c_str(), "root/host_path"), 0);
    root_ = std::move(*open("root", O_PATH | O_DIRECTORY));
  }
  void TearDown() override { ASSERT_EQ(::chdir("/"), 0); }

  // What a descriptor is, below the base: "root/dir".
  [[nodiscard]] std::string place(const Result<Fd> &fd) const {
    if (!fd) return strerrorname_np(fd.error().number);
    const std::string path = testing::path_of(fd->get());
    return path.starts_with(base_.path() + "/") ? path.substr(base_.path().size() + 1) : "OUT: " + path;
  }

  TemporaryDirectory base_;
  Fd root_;
};

struct Case {
  const char *path;
  int flags;
  const char *expected;  // below the base, or an errno
};

constexpr Case cases[] = {
    {"file", O_PATH, "root/file"},
    {"/file", O_RDONLY, "root/file"},
    {"///dir//sub///file", O_PATH, "root/dir/sub/file"},
    {"/", O_PATH, "root"},
    {".", O_RDONLY, "root"},
    {"..", O_PATH, "root"},
    {"../../..", O_PATH, "root"},
    {"dir/../../../file", O_PATH, "root/file"},
    {"dir/sub/..", O_PATH, "root/dir"},
    {"dir/./sub/.", O_RDONLY | O_DIRECTORY, "root/dir/sub"},
    {"", O_PATH, "ENOENT"},
    {"absolute", O_PATH, "root/dir"},
    {"absolute/file", O_RDONLY, "root/dir/file"},
    {"absolute", O_PATH | O_NOFOLLOW, "root/absolute"},
    {"absolute", O_RDONLY | O_NOFOLLOW, "ELOOP"},
    {"absolute/", O_PATH | O_NOFOLLOW, "root/dir"},
    {"absolute", O_PATH | O_DIRECTORY | O_NOFOLLOW, "ENOTDIR"},
    {"slash", O_PATH, "root"},
    {"slash/../..", O_PATH, "root"},
    {"up", O_PATH, "root/dir"},
    {"up/../..", O_PATH, "root"},
    {"beside", O_PATH, "ENOENT"},
    {"beside/secret", O_PATH, "ENOENT"},
    {"steal", O_RDONLY, "ENOENT"},
    {"steal_absolute", O_RDONLY, "ENOENT"},
    {"host_path", O_PATH, "ENOENT"},
    {"dir/parent", O_PATH, "root"},
    {"dir/parent/dir/parent/..", O_PATH, "root"},
    {"dir/sub/grandparent/../../outside", O_PATH, "ENOENT"},
    {"chain1", O_PATH, "root/dir/sub"},
    {"chain2", O_RDONLY, "root/dir/sub/file"},
    {"chain1/../file", O_PATH, "root/dir/file"},
    {"loop", O_PATH, "ELOOP"},
    {"loop_a", O_PATH, "ELOOP"},
    {"loop_a/x", O_PATH, "ELOOP"},
    {"loop", O_PATH | O_NOFOLLOW, "root/loop"},
    {"dangling", O_PATH, "ENOENT"},
    {"dangling", O_PATH | O_NOFOLLOW, "root/dangling"},
    {"dangling_deep", O_PATH, "ENOENT"},
    {"slashed", O_PATH, "root/dir"},
    {"slashed", O_PATH | O_NOFOLLOW, "root/slashed"},
    {"file_slashed", O_PATH, "ENOTDIR"},
    {"dot/dot/dot/file", O_PATH, "root/file"},
    {"file/", O_PATH, "ENOTDIR"},
    {"file/.", O_PATH, "ENOTDIR"},
    {"file/..", O_PATH, "ENOTDIR"},
    {"file/x", O_PATH, "ENOTDIR"},
    {"file", O_PATH | O_DIRECTORY, "ENOTDIR"},
    {"file", O_RDONLY | O_DIRECTORY, "ENOTDIR"},
    {"dir", O_RDWR, "EISDIR"},
    {"missing/..", O_PATH, "ENOENT"},
};

TEST_F(HostileRoot, Openat2ResolvesEveryPathInside) {
  for (const Case &one : cases) {
    const Result<Fd> found = openat2(root_, one.path, one.flags, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
    if (!found && found.error().number == ENOSYS) GTEST_SKIP() << "this kernel has no openat2";
    EXPECT_EQ(place(found), one.expected) << one.path << " " << testing::why(found);
  }
}

TEST_F(HostileRoot, TheWalkAnswersAsOpenat2Does) {
  for (const Case &one : cases) {
    const Result<Fd> found = walk_in_root(root_, one.path, one.flags);
    EXPECT_EQ(place(found), one.expected) << one.path << " " << testing::why(found);
  }
}

TEST_F(HostileRoot, TheWalkFollowsFortySymlinksAndNoMore) {
  ASSERT_EQ(::symlink("dir", "root/link0"), 0);
  for (int i = 1; i <= 40; ++i) {
    const std::string target = "link" + std::to_string(i - 1);
    ASSERT_EQ(::symlink(target.c_str(), ("root/link" + std::to_string(i)).c_str()), 0);
  }
  EXPECT_EQ(place(walk_in_root(root_, "link39", O_PATH)), "root/dir");
  EXPECT_EQ(place(walk_in_root(root_, "link40", O_PATH)), "ELOOP");
  EXPECT_EQ(place(open_in_root(root_, "link39", O_PATH)), "root/dir");
  EXPECT_EQ(place(open_in_root(root_, "link40", O_PATH)), "ELOOP");
}

TEST_F(HostileRoot, TheWalkDoesNotCreate) {
  EXPECT_ERRNO(walk_in_root(root_, "new", O_RDWR | O_CREAT), EINVAL);
  EXPECT_ERRNO(walk_in_root(root_, std::string(5000, 'x'), O_PATH), ENAMETOOLONG);
}

TEST_F(HostileRoot, AnErrorOfTheWalkNamesThePathAndTheComponent) {
  const Result<Fd> found = walk_in_root(root_, "absolute/nothing/x", O_PATH);
  ASSERT_FALSE(found);
  EXPECT_TRUE(found.error().text.starts_with("absolute/nothing/x: openat(")) << found.error().text;
  EXPECT_NE(found.error().text.find("root/dir\">, \"nothing\""), std::string::npos) << found.error().text;
}

// CVE-2024-21626 and its like: /proc/self/fd/N, /proc/self/cwd and /proc/self/root lead anywhere.
TEST_F(HostileRoot, NoMagicLinkIsFollowed) {
  EXPECT_ISOLATED(CLONE_NEWUSER | CLONE_NEWNS, [&]() -> std::string {
    NEED(::mount("/proc", "root/real", "", MS_BIND | MS_REC, nullptr) == 0);
    const Result<Fd> root = open("root", O_PATH | O_DIRECTORY);
    const std::string fd = "real/self/fd/" + std::to_string(root_.get());
    NEED(::symlink("/real/self/root/etc", "root/through") == 0);
    for (const std::string path : {std::string("real/self/root"), std::string("real/self/cwd"), fd, fd + "/../outside",
                                   std::string("real/self/exe"), std::string("real/self/ns/mnt"),
                                   std::string("through"), std::string("real/thread-self/root/etc")}) {
      const Result<Fd> kernel = openat2(*root, path, O_PATH, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
      if (kernel || kernel.error().number != ELOOP) return "openat2 followed " + path;
      const Result<Fd> walked = walk_in_root(*root, path, O_PATH);
      if (walked || walked.error().number != ELOOP) return "the walk followed " + path;
    }
    for (const char *path : {"real/self/status", "real/mounts", "real/net/dev", "real/thread-self/comm"}) {
      NEED_OK(walk_in_root(*root, path, O_RDONLY));
      NEED_OK(open_in_root(*root, path, O_RDONLY));
    }
    return {};
  });
}

TEST_F(HostileRoot, BeneathAndNoSymlinksRefuseWhatTheirNamesSay) {
  EXPECT_EQ(place(open_beneath(root_, "dir/parent/file", O_PATH)), "root/file");
  EXPECT_EQ(place(open_beneath(root_, "absolute", O_PATH)), "EXDEV");
  EXPECT_EQ(place(open_beneath(root_, "..", O_PATH)), "EXDEV");
  EXPECT_EQ(place(open_no_symlinks(root_, "dir/file", O_PATH)), "root/dir/file");
  EXPECT_EQ(place(open_no_symlinks(root_, "absolute/file", O_PATH)), "ELOOP");
}

TEST_F(HostileRoot, ADirectoryIsMadeWithItsParents) {
  EXPECT_EQ(place(make_directory_in_root(root_, "/a/b/c", 0755)), "root/a/b/c");
  EXPECT_EQ(place(make_directory_in_root(root_, "a/b/c", 0755)), "root/a/b/c");
  EXPECT_EQ(place(make_directory_in_root(root_, "a/../../x/./y/", 0755)), "root/x/y");
  EXPECT_EQ(place(make_directory_in_root(root_, "/", 0755)), "root");
}

TEST_F(HostileRoot, ADirectoryIsMadeWhereSymlinksLeadInsideTheRoot) {
  EXPECT_EQ(place(make_directory_in_root(root_, "absolute/new", 0755)), "root/dir/new");
  EXPECT_EQ(place(make_directory_in_root(root_, "up/other", 0755)), "root/dir/other");
  EXPECT_EQ(place(make_directory_in_root(root_, "chain1/../third", 0755)), "root/dir/third");
  EXPECT_EQ(place(make_directory_in_root(root_, "dangling/x", 0755)), "root/nowhere/x");
  EXPECT_EQ(place(make_directory_in_root(root_, "beside/x", 0755)), "root/outside/x");
  EXPECT_EQ(place(make_directory_in_root(root_, "host_path/x", 0755)), "root" + base_.path() + "/outside/x");
  EXPECT_NE(::access("outside/x", F_OK), 0);
}

TEST_F(HostileRoot, ADirectoryIsNotMadeBelowAFileOrInALoop) {
  EXPECT_EQ(place(make_directory_in_root(root_, "file/x", 0755)), "ENOTDIR");
  EXPECT_EQ(place(make_directory_in_root(root_, "file", 0755)), "ENOTDIR");
  EXPECT_EQ(place(make_directory_in_root(root_, "new/../file/x", 0755)), "ENOTDIR");
  EXPECT_EQ(place(make_directory_in_root(root_, "loop/x", 0755)), "ELOOP");
  EXPECT_EQ(place(make_directory_in_root(root_, "", 0755)), "ENOENT");
}

// CVE-2024-45310: a file made through a symlink appears on the host.
TEST_F(HostileRoot, AFileIsMadeInsideTheRootOnly) {
  EXPECT_EQ(place(make_file_in_root(root_, "etc/deep/hosts", 0644)), "root/etc/deep/hosts");
  EXPECT_EQ(place(make_file_in_root(root_, "beside/planted", 0644)), "root/outside/planted");
  EXPECT_EQ(place(make_file_in_root(root_, "steal", 0644)), "root/outside/secret");
  EXPECT_EQ(place(make_file_in_root(root_, "dangling", 0644)), "root/nowhere");
  EXPECT_NE(::access("outside/planted", F_OK), 0);
  EXPECT_EQ(testing::read_whole("outside/secret"), "outside/secret");
  struct stat status{};
  ASSERT_EQ(::stat("root/etc/deep/hosts", &status), 0);
  EXPECT_TRUE(S_ISREG(status.st_mode));
  EXPECT_EQ(status.st_size, 0);
}

TEST_F(HostileRoot, WhatIsThereAlreadyStays) {
  EXPECT_EQ(place(make_file_in_root(root_, "dir", 0644)), "root/dir");
  EXPECT_EQ(place(make_file_in_root(root_, "chain2", 0644)), "root/dir/sub/file");
  EXPECT_EQ(testing::read_whole("root/dir/sub/file"), "root/dir/sub/file");
  EXPECT_EQ(place(make_file_in_root(root_, "new/", 0644)), "EISDIR");
  EXPECT_EQ(place(make_file_in_root(root_, "file/x", 0644)), "ENOTDIR");
}

TEST_F(HostileRoot, AParentIsMadeAndTheLastNameLeftAlone) {
  const Result<Place> made = make_parent_in_root(root_, "/absolute/p/steal", 0755);
  ASSERT_OK(made);
  EXPECT_EQ(testing::path_of(made->parent.get()), base_.path() + "/root/dir/p");
  EXPECT_EQ(made->name, "steal");
  EXPECT_EQ(make_parent_in_root(root_, "single", 0755)->name, "single");
  EXPECT_ERRNO(make_parent_in_root(root_, "dir/..", 0755), EINVAL);
  EXPECT_ERRNO(make_parent_in_root(root_, "dir/", 0755), EINVAL);
}

// CVE-2021-30465: a second container exchanges a directory for a symlink while the path is resolved.
TEST_F(HostileRoot, ADirectoryThatKeepsTurningIntoASymlinkLeadsNowhereElse) {
  ASSERT_EQ(::symlink("../../../../../../../..", "root/swap_link"), 0);
  ASSERT_EQ(::mkdir("root/swap", 0755), 0);
  const Result<Child> attacker = clone3({});
  ASSERT_OK(attacker);
  if (attacker->is_this_process()) {
    while (renameat2(root_, "swap", root_, "swap_link", RENAME_EXCHANGE)) {
    }
    ::_exit(1);
  }
  for (int i = 0; i < 5000; ++i) {
    const std::string name = "swap/../swap/t" + std::to_string(i % 50) + "/u";
    for (const Result<Fd> &found : {make_directory_in_root(root_, name, 0755), walk_in_root(root_, name, O_PATH)}) {
      const std::string where = place(found);
      ASSERT_TRUE(where.starts_with("root") || !found) << where;
    }
  }
}

// A sandbox that hides openat2 answers ENOSYS, or EPERM where it is careless.
TEST_F(HostileRoot, WhereOpenat2IsHiddenTheWalkStandsIn) {
  for (const int hidden : {ENOSYS, EPERM}) {
    EXPECT_ISOLATED(0, [&]() -> std::string {
      NEED_OK(testing::hide_call(SYS_openat2, hidden));
      NEED(openat2(root_, "file", O_PATH, 0, RESOLVE_IN_ROOT).error().number == hidden);
      for (const Case &one : cases) {
        const Result<Fd> found = open_in_root(root_, one.path, one.flags);
        if (place(found) != one.expected) return std::string(one.path) + ": " + testing::why(found);
      }
      NEED(place(make_directory_in_root(root_, "absolute/hidden", 0755)) == "root/dir/hidden");
      NEED(place(make_file_in_root(root_, "beside/file", 0644)) == "root/outside/file");
      NEED_OK(remove_tree_at(root_, "dir"));
      NEED(open_in_root(root_, "dir", O_PATH).error().number == ENOENT);
      NEED_OK(mkdirat(root_, "dir", 0755));
      NEED_OK(make_file_in_root(root_, "dir/sub/file", 0644));
      NEED_OK(make_file_in_root(root_, "dir/file", 0644));
      NEED_OK(symlinkat("..", root_, "dir/parent"));
      NEED_OK(symlinkat("../..", root_, "dir/sub/grandparent"));
      NEED_OK(remove_tree_at(root_, "outside"));
      return {};
    });
  }
}

TEST(MakeDirectory, WhatIsThereAlreadyIsNoError) {
  const TemporaryDirectory base;
  const std::string place = base.path() + "/a/b/c";
  EXPECT_EQ(make_directory(cwd, place, 0755).error().number, ENOENT);
  ASSERT_TRUE(make_parents(place, 0755));
  ASSERT_TRUE(make_parents(place, 0755));
  EXPECT_EQ(::access(place.c_str(), F_OK), -1);
  ASSERT_TRUE(make_directory(cwd, place, 0700));
  ASSERT_TRUE(make_directory(cwd, place, 0755));
  struct stat made = {};
  ASSERT_EQ(::stat(place.c_str(), &made), 0);
  EXPECT_EQ(made.st_mode & 07777, 0700U);
  testing::write_whole(base.path() + "/file", "");
  EXPECT_EQ(make_parents(base.path() + "/file/a/b", 0755).error().number, ENOTDIR);
}

TEST(Getcwd, ADirectoryOutsideTheRootIsAnError) {
  EXPECT_ISOLATED(CLONE_NEWUSER, []() -> std::string {
    NEED_OK(chdir("/usr"));
    NEED(*getcwd() == "/usr");
    NEED_OK(chroot("/usr/bin"));
    const Result<std::string> where = getcwd();
    NEED(!where);
    NEED(where.error().number == ENOENT);
    NEED(where.error().text.find("(unreachable)") == 0);
    return {};
  });
}

TEST(Readlink, ADescriptorOfALinkIsReadWithAnEmptyPath) {
  const TemporaryDirectory directory;
  const Result<Fd> dir = open(directory.path(), O_PATH | O_DIRECTORY);
  ASSERT_OK(symlinkat("some/target", *dir, "link"));
  const Result<Fd> link = openat(*dir, "link", O_PATH | O_NOFOLLOW);
  EXPECT_EQ(*readlinkat(*link, ""), "some/target");
  EXPECT_EQ(*readlinkat(*dir, "link"), "some/target");
}

}  // namespace
}  // namespace skiff::kernel
