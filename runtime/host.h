// What this host is, as far as deciding needs it: read once by the command, then a value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace skiff {

// One mounted cgroup hierarchy.
struct CgroupHierarchy {
  std::string mount;                     // where it is mounted: /sys/fs/cgroup/memory
  std::vector<std::string> controllers;  // cgroup v1: cpu, cpuacct, "name=systemd"; v2: empty
  std::string own;                       // the runtime's own cgroup in it, as a path below `mount`: "/" or "/a/b"
  bool unified = false;                  // cgroup v2
};

struct Host {
  enum class Cgroups : std::uint8_t {
    none,     // nothing mounted
    v1,       // v1 controllers only
    hybrid,   // v1 controllers and a cgroup2 mount beside them
    unified,  // cgroup v2 at /sys/fs/cgroup
  };
  Cgroups cgroups = Cgroups::none;
  std::vector<CgroupHierarchy> hierarchies;
  // The cgroup of the user's systemd, below the hierarchies' mounts: /user.slice/user-1000.slice/user@1000.service.
  // Known where the systemd driver of an unprivileged runtime needs it.
  std::string user_manager;
  std::uint32_t uid = 0;  // effective
  std::uint32_t gid = 0;
  bool privileged = true;  // effective uid 0 in the initial user namespace
  int last_capability = 40;
  // Bit n: capability n can be given to a container that gets no user namespace of its own (this process's bounding
  // and permitted sets).
  std::uint64_t capabilities = ~std::uint64_t{0};
  std::string notify_socket;     // $NOTIFY_SOCKET, or empty
  std::uint32_t listen_fds = 0;  // $LISTEN_FDS where $LISTEN_PID is this process, else 0
};

}  // namespace skiff
