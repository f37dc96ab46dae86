// Where the tests of the filesystem steps play: a tmpfs in a mount namespace of its own, with a rootfs in it and a
// directory beside it that stands for the host. All of it goes with the namespace.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runtime/rootfs.h"
#include "tests/runtime/kernel/isolated.h"

namespace skiff::testing {

using kernel::testing::run_isolated;
using kernel::testing::Verdict;

class Stage {
 public:
  explicit Stage(std::string directory);

  [[nodiscard]] std::string host(const std::string &path) const { return directory_ + "/host" + path; }
  [[nodiscard]] std::string rootfs_path(const std::string &path = "") const { return directory_ + "/rootfs" + path; }

  // Attaches the rootfs. Empty for success.
  Verdict attach_rootfs(const std::vector<Step> &steps = {});
  // Applies one action as the step of this field.
  template <class T>
  Status apply(const T &action, const std::string &field = "mounts[0]") {
    plan.steps = {Step{field, action}};
    rootfs->step = 0;
    return skiff::apply(action, *rootfs);
  }

  Plan plan;
  std::optional<Rootfs> rootfs;

 private:
  std::string directory_;
};

// The body in new namespaces (CLONE_NEWNS is added) with a stage that is set up, its rootfs attached.
Verdict on_stage(int flags, const std::function<Verdict(Stage &)> &body);
// The same before AttachRootfs.
Verdict before_attach(int flags, const std::function<Verdict(Stage &)> &body);

// The kernel's view of a path.
long filesystem_of(const std::string &path);      // statfs(2) f_type, -1 where there is nothing
unsigned long flags_of(const std::string &path);  // statvfs(3) ST_*
bool exists(const std::string &path);             // without following a link at the end
bool is_mounted(const std::string &path);         // mountinfo has it

// In this process and its children mount_setattr(2) is ENOSYS, as on Linux 5.11. False where that cannot be had.
bool forget_mount_setattr();

}  // namespace skiff::testing

// In a test: the verdict becomes a pass, a failure or a skip.
#define EXPECT_STAGED(...)                                                  \
  do {                                                                      \
    const std::string verdict_ = __VA_ARGS__;                               \
    if (verdict_.starts_with("skip: ")) GTEST_SKIP() << verdict_.substr(6); \
    EXPECT_EQ(verdict_, "");                                                \
  } while (false)
