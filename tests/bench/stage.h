// Where the commands are measured: a mount namespace with a tmpfs that holds a rootfs of busybox, bundles and a state
// directory for each contestant, and unless told otherwise a cgroup2 mount over /sys/fs/cgroup. All of it goes with the
// stage.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/bench/bundles.h"
#include "tests/bench/spawn.h"

namespace skiff::bench {

struct Contestant {
  std::string name;
  std::string program;  // absolute
  std::string version;  // its own words
  bool is_floor = false;
  Words options = {};  // of the floor, where it makes a container
};

class Stage {
 public:
  // With `host_cgroups` the hierarchies stay as they are. Errors: EPERM without root, no static busybox, what mount(2)
  // and the disk say.
  [[nodiscard]] static Result<Stage> make(bool host_cgroups);
  Stage(Stage &&other) noexcept;
  Stage &operator=(Stage &&) = delete;
  ~Stage();

  // Makes room for the contestant, whose containers are removed with the stage.
  [[nodiscard]] Status add(const Contestant &contestant);
  // Writes a bundle of the contestant, with a cgroup of its own.
  [[nodiscard]] Status write(const Contestant &contestant, Bundle bundle, int resident,
                             std::uint64_t memory_limit = 0) const;
  // The same as one of many.
  [[nodiscard]] Status write_member(const Contestant &contestant, Bundle bundle, int number) const;
  // Compiles the seccomp profile for the floor. Errors: those of libseccomp and of the file.
  [[nodiscard]] Status write_filter() const;

  [[nodiscard]] const Streams &streams() const { return *streams_; }
  [[nodiscard]] std::string rootfs() const { return directory_ + "/rootfs"; }
  [[nodiscard]] std::string busybox() const { return rootfs() + "/bin/busybox"; }
  [[nodiscard]] std::string volumes() const { return directory_ + "/volumes"; }
  [[nodiscard]] std::string filter() const { return directory_ + "/filter"; }
  [[nodiscard]] std::string bundle(const Contestant &contestant, Bundle bundle) const;
  [[nodiscard]] std::string member_bundle(const Contestant &contestant, int number) const;
  // Where a memory hierarchy of v1 can be mounted.
  [[nodiscard]] std::string memory_hierarchy() const { return directory_ + "/memory"; }
  // The contestant's state directory, its --root.
  [[nodiscard]] std::string root(const Contestant &contestant) const;
  [[nodiscard]] std::string pid_file(const Contestant &contestant) const;
  // The command with the contestant's own --root before it.
  [[nodiscard]] Words command(const Contestant &contestant, const Words &words) const;
  // The empty ones of this run, which a killed command left.
  void remove_cgroups() const;

 private:
  Stage() = default;
  [[nodiscard]] Status write_config(const std::string &bundle, Bundle which, Surroundings where) const;

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
