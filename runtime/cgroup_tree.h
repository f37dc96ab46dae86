// A cgroup directory and everything nested in it. A container with a delegated cgroup nests as deep as it likes, so the
// walk holds one descriptor at a time, whatever the depth.
#pragma once

#include <functional>
#include <string>

#include "runtime/kernel/fd.h"

namespace skiff {

struct CgroupVisitor {
  // Called with each directory, a parent before its children. May be empty.
  std::function<Status(kernel::FdView dir)> enter;
  // Called with the parent and the name of each nested directory, after everything inside it. May be empty.
  std::function<Status(kernel::FdView parent, const std::string &name)> leave;
};

// mkdir(2) and open(2) of one directory more.
struct NewCgroup {
  kernel::Fd fd;
  bool made = false;  // false: it was there
};
// With `cpuset` it is in the cpuset hierarchy of v1, where a new directory is empty and takes no process (ENOSPC) until
// it has its parent's cpus and mems.
[[nodiscard]] Result<NewCgroup> make_cgroup_directory(kernel::FdView parent, const std::string &name, bool cpuset);

// A directory that goes away on the way is no error; an error of the visitor ends the walk.
[[nodiscard]] Status walk_cgroups(kernel::FdView top, const CgroupVisitor &visitor);

}  // namespace skiff
