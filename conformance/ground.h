// What every way of trying runtimes stands on: the runtimes, a directory and a cgroup of its own, its output.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/stage.h"
#include "runtime/cli/flags.h"

namespace skiff::conformance {

// The directory and the cgroup of one run, and the observing program in it. All of it goes with the value.
class Ground {
 public:
  static Result<Ground> make();
  Ground(Ground &&other) noexcept
      : directory_(std::exchange(other.directory_, {})), cgroup_(std::move(other.cgroup_)) {}
  Ground &operator=(Ground &&) = delete;
  ~Ground();

  [[nodiscard]] const std::string &directory() const { return directory_; }
  [[nodiscard]] std::string program() const { return directory_ + "/inside"; }
  [[nodiscard]] const std::string &cgroup() const { return cgroup_; }

 private:
  Ground() = default;
  std::string directory_;
  std::string cgroup_;
};

// Mounts of this process and of the runtime stay among themselves; what is shared is shared here, as on a usual host.
[[nodiscard]] Status enter_mount_namespace();

// In a mount namespace of our own: cgroup v2 takes the place of what is mounted, with the controllers that v1 has not.
[[nodiscard]] Status show_unified_cgroups();

// From the command line: paths or names, with blanks in front of flags.
[[nodiscard]] Result<std::vector<Runtime>> find_runtimes(const std::vector<std::string_view> &names);
// Flags that several commands have, and what they ask for.
inline constexpr cli::FlagSpec unified_flag = {
    .name = "unified",
    .letter = 'u',
    .kind = cli::Kind::Bool,
    .text = "show cgroup v2 alone, without the controllers that v1 has: for a runtime that refuses a hybrid host"};
inline constexpr cli::FlagSpec figures_flag = {
    .name = "figures", .value = "FILE", .text = "append lines \"NAME VALUE\" to this file"};
// --figures; nothing where it is not given.
[[nodiscard]] Status append_figures(const cli::Flags &given, std::string_view lines);
// --timeout, which has an initial value.
[[nodiscard]] std::chrono::milliseconds patience_of(const cli::Flags &given);
// The flag --jobs, or as many as there are processors.
[[nodiscard]] unsigned jobs_of(const cli::Flags &given);

[[nodiscard]] Status print(std::string_view text);
// `run` gets what the words of the program's only command say, unless they ask for help.
[[nodiscard]] Result<int> run_or_help(const cli::Program &program, std::span<const char *const> words,
                                      Result<int> (*run)(const cli::Invocation &invocation));

}  // namespace skiff::conformance
