// A memory cgroup of this run, beside whatever cgroups the containers are in: for what commands and the containers they
// leave hold in memory, that of the kernel included.
#pragma once

#include <cstdint>
#include <string>

#include "spec/error.h"

namespace skiff::bench {

class MemoryGroup {
 public:
  // Mounts the host's v1 memory hierarchy at `directory`, which only this mount namespace sees. There alone a process
  // stays where it was put: on cgroup v2 it leaves for the container's cgroup. Errors: EINVAL or EBUSY without such a
  // hierarchy.
  [[nodiscard]] static Result<MemoryGroup> make(const std::string &directory);
  MemoryGroup(MemoryGroup &&other) noexcept;
  MemoryGroup &operator=(MemoryGroup &&) = delete;
  ~MemoryGroup();

  // This process and all that it starts from here on; or back to where it was.
  [[nodiscard]] Status enter() const;
  [[nodiscard]] Status leave() const;
  // Bytes, after what could be given back was.
  [[nodiscard]] Result<std::uint64_t> usage() const;
  [[nodiscard]] Status limit(std::uint64_t bytes) const;
  // SIGKILL to whoever is still inside, and waits until none is.
  void kill_all() const;
  // Where a process writes "0" to be in it.
  [[nodiscard]] std::string procs() const { return path_ + "/cgroup.procs"; }

 private:
  explicit MemoryGroup(std::string mount) : mount_(std::move(mount)), path_(mount_ + "/skiff-bench") {}

  std::string mount_;  // empty: moved from
  std::string path_;
  std::string before_;  // the cgroup of this process below the mount
};

}  // namespace skiff::bench
