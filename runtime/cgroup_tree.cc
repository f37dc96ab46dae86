#include "runtime/cgroup_tree.h"

#include <vector>

#include "runtime/cgroup_file.h"
#include "runtime/kernel/path.h"

namespace skiff {
namespace {

constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

// The names that may be directories. A cgroup without children is told by its link count, as kernfs keeps it, and its
// files are not listed.
Result<std::vector<std::string>> child_names(kernel::FdView dir) {
  if (TRY(kernel::fstat(dir)).st_nlink == 2) return std::vector<std::string>{};
  return kernel::list_directory(dir);
}

struct Level {
  std::string name;                   // in its parent; empty at the top
  std::vector<std::string> children;  // still to be entered, the last first
};

class Walk {
 public:
  explicit Walk(const CgroupVisitor &visitor) : visitor_(visitor) {}

  Status run(kernel::FdView top) {
    here_ = TRY(kernel::openat(top, ".", directory_flags));
    if (Status status = enter({}); !status) return status;
    while (!levels_.empty()) {
      if (Status status = levels_.back().children.empty() ? leave() : descend(); !status) return status;
    }
    return {};
  }

 private:
  Status enter(std::string name) {
    if (visitor_.enter) TRY(visitor_.enter(here_));
    Result<std::vector<std::string>> children = child_names(here_);
    if (!children && !is_missing(children.error())) return std::unexpected(std::move(children).error());
    levels_.push_back({.name = std::move(name), .children = std::move(children).value_or(std::vector<std::string>{})});
    return {};
  }

  Status descend() {
    std::string name = std::move(levels_.back().children.back());
    levels_.back().children.pop_back();
    Result<kernel::Fd> child = kernel::openat(here_, name, directory_flags);
    if (!child && (child.error().number == ENOTDIR || is_missing(child.error()))) return {};
    here_ = TRY(std::move(child));
    return enter(std::move(name));
  }

  Status leave() {
    const std::string name = std::move(levels_.back().name);
    levels_.pop_back();
    if (levels_.empty()) return {};
    // ".." of a cgroup directory is where it was made for good: no call moves one.
    here_ = TRY(kernel::openat(here_, "..", directory_flags));
    return visitor_.leave ? visitor_.leave(here_, name) : Status{};
  }

  const CgroupVisitor &visitor_;
  kernel::Fd here_;
  std::vector<Level> levels_;
};

Status inherit_cpuset(kernel::FdView parent, kernel::FdView dir) {
  for (const char *file : {"cpuset.cpus", "cpuset.mems"}) {
    if (!TRY(read_cgroup_file(dir, file)).empty()) continue;
    TRY(write_cgroup_file(dir, file, TRY(read_cgroup_file(parent, file))));
  }
  return {};
}

}  // namespace

Result<NewCgroup> make_cgroup_directory(kernel::FdView parent, const std::string &name, bool cpuset) {
  const Status made = kernel::mkdirat(parent, name, 0755);
  if (!made && made.error().number != EEXIST) return std::unexpected(made.error());
  Result<kernel::Fd> fd = kernel::openat(parent, name, directory_flags);
  Status status = fd ? Status{} : std::unexpected(fd.error());
  if (status && cpuset) status = inherit_cpuset(parent, *fd);
  if (status) return NewCgroup{.fd = *std::move(fd), .made = made.has_value()};
  if (made) (void)kernel::unlinkat(parent, name, AT_REMOVEDIR);
  return std::unexpected(std::move(status).error());
}

Status walk_cgroups(kernel::FdView top, const CgroupVisitor &visitor) {
  Status status = Walk(visitor).run(top);
  if (!status && is_missing(status.error())) return {};
  return status;
}

}  // namespace skiff
