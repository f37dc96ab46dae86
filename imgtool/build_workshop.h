// The place of one build: build/NAME in the store, with the root filesystems of its stages and the runtime's records.
//
// A lock says whose it is. What a killed build has left, its container too, is removed by the next one.
#pragma once

#include <string>
#include <vector>

#include "imgtool/interrupts.h"
#include "imgtool/layer.h"
#include "imgtool/layout.h"

namespace skiff::image {

class Workshop {
 public:
  // `runtime` is the program that runs containers. The store and the interrupts outlive it.
  [[nodiscard]] static Result<Workshop> open(const Layout &store, const std::string &runtime, Interrupts &interrupts);
  Workshop(Workshop &&) noexcept;
  Workshop &operator=(Workshop &&) = delete;
  ~Workshop();

  [[nodiscard]] const Layout &store() const { return *store_; }
  [[nodiscard]] const std::string &runtime() const { return runtime_; }
  [[nodiscard]] const std::string &path() const { return path_; }
  // For the runtime's --root; no other build has it.
  [[nodiscard]] std::string runtime_root() const { return path_ + "/run"; }
  // A new empty directory with mode 0755 for a root filesystem; its path.
  [[nodiscard]] Result<std::string> make_rootfs();
  [[nodiscard]] Result<std::string> make_directory(const std::string &name);

 private:
  Workshop(const Layout &store, std::string runtime, std::string path, kernel::Fd lock, Interrupts &interrupts);
  const Layout *store_;
  std::string runtime_;
  std::string path_;
  kernel::Fd lock_;
  Interrupts *interrupts_;
  std::vector<std::string> rootfs_;
};

// The runtime: `given`, else skiff beside this program, else on $PATH. ENOENT says so.
[[nodiscard]] Result<std::string> find_runtime(const std::string &given);

}  // namespace skiff::image
