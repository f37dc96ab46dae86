// RUN: a command in a container of an OCI runtime, in a stage's root filesystem.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "imgtool/build_workshop.h"
#include "spec/image.h"

namespace skiff::image {

// What mounts need in a root filesystem and the image does not have: made empty, and removed when this goes.
class MountTargets {
 public:
  [[nodiscard]] static Result<MountTargets> make(const std::string &rootfs);
  MountTargets(MountTargets &&) noexcept = default;
  MountTargets &operator=(MountTargets &&) = delete;
  ~MountTargets();
  // Paths without a '/' in front: no part of what a command changes.
  [[nodiscard]] const std::set<std::string> &paths() const { return made_; }

 private:
  MountTargets() = default;
  kernel::Fd root_;
  std::set<std::string> made_;
};

struct RunRequest {
  std::string rootfs;              // absolute
  spec::ImageConfig config;        // user, working directory
  std::vector<std::string> words;  // what is executed
  std::vector<std::string> env;    // NAME=VALUE
  std::string script = {};         // a file that the container has at script_path; empty: none
  bool host_network = true;
  bool quiet = false;  // its output is kept for an error instead of being shown on stderr
};
inline constexpr const char *script_path = "/dev/skiff-heredoc";

// Runs it to its end; the container does not outlive this process. An exit status other than 0 is an error that says
// it, with the end of the output where that was not shown.
[[nodiscard]] Status run_command(Workshop &workshop, const RunRequest &request);

// RUNTIME --root ROOT delete --force ID; whether there was anything to delete is not asked.
void delete_container(const std::string &runtime, const std::string &root, const std::string &id);

}  // namespace skiff::image
