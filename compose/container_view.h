// The files of a container as the container sees them, for who works on them from outside: of a running one by
// /proc/PID/root, of one that does not run by its root filesystem with its volumes and binds over it.
//
// The container is hostile. Nothing of it is ever executed or loaded, no process of ours enters its mount namespace,
// and a path in it is a descriptor from openat2(2). What it does to its files meanwhile cannot lead out of them
// (CVE-2018-15664, CVE-2019-14271).
#pragma once

#include "compose/container.h"
#include "compose/located.h"
#include "runtime/kernel/process.h"

namespace skiff::compose {

class ContainerView {
 public:
  // One that does not run is locked while the view is there: it cannot be started.
  [[nodiscard]] static Result<ContainerView> open(const Places &places, const Container &container);

  // A path from the container's "/". It is looked at with the rights of the container's root.
  [[nodiscard]] Result<Located> locate(const std::string &path, bool follow) const;

  // For programs that read or write what was located: none where the container's ids are the host's.
  [[nodiscard]] kernel::FdView user_namespace() const { return user_namespace_; }

 private:
  [[nodiscard]] Status open_running(const Container &container);
  [[nodiscard]] Status open_stopped(const Places &places, const Container &container);

  kernel::Fd lock_;
  kernel::Child holder_;  // in whose mount namespace one that does not run is put together
  kernel::Fd link_;       // to it: it goes when this closes
  kernel::Fd mounts_;     // of one that runs: what is mounted there stays so
  kernel::Fd root_;
  kernel::Fd user_namespace_;
};

}  // namespace skiff::compose
