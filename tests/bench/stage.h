// Where the commands are measured: a mount namespace with a tmpfs that holds a rootfs of busybox, bundles and a state
// directory for each contestant, and unless told otherwise a cgroup2 mount over /sys/fs/cgroup. All of it goes with the
// stage.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/bench/spawn.h"

namespace skiff::bench {

struct Contestant {
  std::string name;
  std::string program;  // absolute
  std::string version;  // its own words
  bool is_floor = false;
};

class Stage {
 public:
  // With `host_cgroups` the hierarchies stay as they are. Errors: EPERM without root, no static busybox, what mount(2)
  // and the disk say.
  [[nodiscard]] static Result<Stage> make(bool host_cgroups);
  Stage(Stage &&other) noexcept;
  Stage &operator=(Stage &&) = delete;
  ~Stage();

  // Writes the contestant's bundles: skiff spec's default config without a terminal, once with /bin/true and once with
  // a sleep; each in a cgroup of its own.
  [[nodiscard]] Status add(const Contestant &contestant);

  [[nodiscard]] const Streams &streams() const { return *streams_; }
  [[nodiscard]] std::string rootfs() const { return directory_ + "/rootfs"; }
  [[nodiscard]] std::string busybox() const { return rootfs() + "/bin/busybox"; }
  [[nodiscard]] std::string passing_bundle(const Contestant &contestant) const;
  [[nodiscard]] std::string resident_bundle(const Contestant &contestant) const;
  [[nodiscard]] std::string pid_file(const Contestant &contestant) const;
  // The command with the contestant's own --root before it.
  [[nodiscard]] Words command(const Contestant &contestant, const Words &words) const;

 private:
  Stage() = default;
  [[nodiscard]] Status write_bundle(const std::string &bundle, const std::string &cgroup, const Words &args) const;
  void remove_cgroups() const;

  std::string directory_;  // empty: moved from
  std::optional<Streams> streams_;
  std::vector<Contestant> contestants_;
};

// The ids of the two containers that a contestant has.
inline constexpr const char *passing_id = "passing";
inline constexpr const char *resident_id = "resident";

// A program of that name on $PATH, or empty.
[[nodiscard]] std::string find_on_path(std::string_view name);

}  // namespace skiff::bench
