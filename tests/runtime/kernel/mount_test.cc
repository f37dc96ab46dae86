#include "runtime/kernel/mount.h"

#include <gtest/gtest.h>
#include <linux/fs.h>
#include <unistd.h>

#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"
#include "tests/runtime/kernel/isolated.h"

namespace skiff::kernel {
namespace {

constexpr int namespaces = CLONE_NEWUSER | CLONE_NEWNS;

Result<Fd> make_tmpfs() {
  const Fd context = TRY(fsopen("tmpfs"));
  TRY(fsconfig_set_string(context, "mode", "0755"));
  TRY(fsconfig_set_string(context, "size", "1m"));
  TRY(fsconfig_create(context));
  return fsmount(context, MOUNT_ATTR_NOSUID);
}

TEST(Mount, ADetachedTmpfsIsAttachedByDescriptors) {
  const testing::TemporaryDirectory directory;
  EXPECT_ISOLATED(namespaces, [&]() -> std::string {
    const Result<Fd> tmpfs = make_tmpfs();
    NEED_OK(tmpfs);
    NEED(fstatfs(*tmpfs)->f_type == TMPFS_MAGIC);
    const Result<Fd> target = open(directory.path(), O_PATH | O_DIRECTORY);
    NEED_OK(move_mount(*tmpfs, *target));
    NEED(fstatfs(*open(directory.path(), O_PATH))->f_type == TMPFS_MAGIC);
    NEED_OK(kernel::umount2(directory.path(), MNT_DETACH));
    NEED(fstatfs(*open(directory.path(), O_PATH))->f_type == fstatfs(*target)->f_type);
    return {};
  });
}

TEST(Mount, TheKernelsOwnWordsAreInTheError) {
  EXPECT_ISOLATED(namespaces, []() -> std::string {
    const Result<Fd> context = fsopen("tmpfs");
    NEED_OK(context);
    const Status set = fsconfig_set_string(*context, "no_such_option", "1");
    NEED(!set);
    NEED(set.error().number == EINVAL);
    if (set.error().text.find("fsconfig(FSCONFIG_SET_STRING, \"no_such_option\", \"1\"): e tmpfs: ") != 0) {
      return set.error().text;
    }
    return {};
  });
}

TEST(Mount, AnUnknownFilesystemIsNamed) {
  EXPECT_ISOLATED(namespaces, []() -> std::string {
    const Result<Fd> context = fsopen("nosuchfs");
    NEED(context.error().number == ENODEV);
    NEED(context.error().text == "fsopen(\"nosuchfs\")");
    return {};
  });
}

TEST(Mount, AClonedTreeIsMadeReadOnlyBeforeItIsAttached) {
  const testing::TemporaryDirectory directory;
  EXPECT_ISOLATED(namespaces, [&]() -> std::string {
    const Result<Fd> tree = open_tree(cwd, directory.path(), OPEN_TREE_CLONE);
    NEED_OK(tree);
    NEED_OK(mount_setattr(*tree, "", {.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, .propagation = MS_PRIVATE}));
    NEED(mknodat(*tree, "file", S_IFREG | 0600, 0).error().number == EROFS);
    NEED_OK(mknodat(*open(directory.path(), O_PATH), "file", S_IFREG | 0600, 0));
    return {};
  });
}

TEST(Mount, ARefusedAttributeNamesWhatWasAsked) {
  EXPECT_ISOLATED(namespaces, []() -> std::string {
    const Result<Fd> root = open("/", O_PATH);
    const Status set = mount_setattr(*root, "", {.set = MOUNT_ATTR_RDONLY, .propagation = MS_PRIVATE | MS_SHARED});
    NEED(set.error().number == EINVAL);
    const std::string &text = set.error().text;
    if (text.find("mount_setattr(") != 0 || text.find("AT_EMPTY_PATH, set, MOUNT_ATTR_RDONLY, clear, 0, propagation, "
                                                      "MS_PRIVATE|MS_SHARED)") == std::string::npos) {
      return text;
    }
    return {};
  });
}

TEST(Mount, ADroppedMountUnmountsItself) {
  EXPECT_ISOLATED(namespaces, []() -> std::string {
    const size_t before = testing::read_whole("/proc/self/mountinfo").size();
    NEED_OK(make_tmpfs());
    NEED(testing::read_whole("/proc/self/mountinfo").size() == before);
    return {};
  });
}

TEST(PivotRoot, TheOldRootCanBeLeftBehind) {
  const testing::TemporaryDirectory directory;
  EXPECT_ISOLATED(namespaces, [&]() -> std::string {
    const Result<Fd> tmpfs = make_tmpfs();
    NEED_OK(tmpfs);
    NEED_OK(mkdirat(*tmpfs, "inside", 0755));
    NEED_OK(move_mount(*tmpfs, *open(directory.path(), O_PATH | O_DIRECTORY)));
    NEED_OK(chdir(directory.path()));
    NEED_OK(pivot_root(".", "."));
    NEED_OK(kernel::umount2(".", MNT_DETACH));
    NEED_OK(chdir("/inside"));
    NEED(*getcwd() == "/inside");
    NEED(open("/usr", O_PATH).error().number == ENOENT);
    return {};
  });
}

TEST(Mount, TheClassicCallNamesItsFlags) {
  EXPECT_ISOLATED(namespaces, []() -> std::string {
    const Status mounted = mount("/no/source", "/no/target", "", MS_BIND | MS_REC);
    NEED(mounted.error().number == ENOENT);
    NEED(mounted.error().text == "mount(\"/no/source\", \"/no/target\", \"\", MS_BIND|MS_REC, \"\")");
    return {};
  });
}

}  // namespace
}  // namespace skiff::kernel
