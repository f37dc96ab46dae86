// Which cgroup directories a container gets and what is written into them: decided from linux.resources and the host's
// layout, touching nothing. Field by field after config-linux.md, "Control groups"; the v1 to v2 conversions are those
// the field has agreed on (cpu shares to weight, memory+swap to swap, blkio weight to io.weight or io.bfq.weight).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/host.h"
#include "runtime/plan_unit.h"
#include "spec/config.h"

namespace skiff {

// One value for one file of one hierarchy.
struct CgroupWrite {
  std::string field;          // linux.resources.memory.limit
  std::size_t hierarchy = 0;  // index into CgroupPlan::directories
  std::string file;           // memory.max
  std::string value;          // one write(2)
  struct Fallback {
    std::string file;
    std::string value;
  };
  std::vector<Fallback> fallbacks;  // tried in order where `file` does not exist (io.bfq.weight, then io.weight)
  bool ignore_missing = false;      // the file is missing on some kernels and the value asks for nothing more
  bool interdependent = false;      // the kernel checks it against another file's value: refused (EINVAL, EBUSY), it is
                                    // tried again after the writes that follow
  bool keep_first_word = false;     // cpu.max with a period alone: the quota stays as the file has it
  bool instead_of_weight = false;   // cpu.idle with shares beside it: an idle group takes no weight
  struct Usage {
    std::string file;
    std::uint64_t limit = 0;
    std::string name;  // of the limit, in runc's words
  };
  std::optional<Usage> usage;  // memory.checkBeforeUpdate: refused where this file's number is above the limit
};

struct CgroupDirectory {
  std::string mount;                     // /sys/fs/cgroup/memory
  std::string path;                      // /sys/fs/cgroup/memory/a/ID, absolute
  std::vector<std::string> controllers;  // v1
  bool unified = false;
  bool optional = false;  // the unified one of a hybrid host: used where it is writable, and never missed
};

struct DeviceRule {
  bool allow = false;
  char type = 'a';          // a, b, c
  std::int64_t major = -1;  // -1: any
  std::int64_t minor = -1;
  bool read = false, write = false, mknod = false;
};

struct CgroupPlan {
  enum class Driver : std::uint8_t { disabled, cgroupfs, systemd };
  Driver driver = Driver::disabled;
  bool unified = false;                         // cgroup v2 only: init is cloned into its cgroup
  std::vector<CgroupDirectory> directories;     // v1: the freezer's first; hybrid: then the unified one
  std::vector<CgroupWrite> writes;              // in the order to be written
  std::vector<std::string> needed_controllers;  // v2: enabled in cgroup.subtree_control from the root down
  std::vector<DeviceRule> device_rules;         // in order, the runtime's own defaults included; the last match decides
  bool has_device_rules = false;                // false in a user namespace, where no filter is installed
  std::uint32_t owner_uid = 0;  // delegation: the directory and the files of /sys/kernel/cgroup/delegate
  std::uint32_t owner_gid = 0;  //   belong to the container's root, where the cgroup namespace is new
  bool delegate = false;
  std::vector<std::string> warnings;
  Unit unit;                    // the systemd driver's; without a name for the others
  bool may_go_without = false;  // an unprivileged runtime that is refused a directory runs the container without it,
  bool path_given = false;      //   unless the configuration has asked for that one
};

// Errors: a limit whose controller this host does not have; cgroupsPath of a form the driver does not take.
[[nodiscard]] Result<CgroupPlan> make_cgroup_plan(const spec::Config &config, const Host &host, const std::string &id,
                                                  CgroupPlan::Driver driver);

// The directories of a container that exists, from its record: each path under the hierarchy it belongs to, in the same
// order. A path of no hierarchy keeps its place, without controllers.
[[nodiscard]] std::vector<CgroupDirectory> match_cgroup_directories(const std::vector<std::string> &paths,
                                                                    const Host &host);

// Whether a linux.cgroupsPath has the form that systemd's driver reads: slice:prefix:name.
[[nodiscard]] bool names_unit(std::string_view cgroups_path);

// The settings that make_cgroup_writes passes over, a sentence each, for debug lines: this kernel has nothing for them.
[[nodiscard]] std::vector<std::string> list_resources_left_out(const spec::Resources &resources);

// The writes alone, for `update`: `directories` are those of the running container.
[[nodiscard]] Result<std::vector<CgroupWrite>> make_cgroup_writes(const spec::Resources &resources,
                                                                  const std::vector<CgroupDirectory> &directories,
                                                                  bool unified);

}  // namespace skiff
