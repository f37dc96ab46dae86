#include "tests/bench/bundles.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "tests/bench/documents.h"

namespace skiff::bench {
namespace {

constexpr std::uint32_t first_host_id = 100000;
constexpr std::uint32_t id_count = 65536;

void give_user_namespace(spec::Linux &linux_) {
  linux_.namespaces.push_back({.type = spec::NamespaceType::user, .path = {}});
  linux_.uid_mappings = {{.container_id = 0, .host_id = first_host_id, .size = id_count}};
  linux_.gid_mappings = linux_.uid_mappings;
}

void add_bind_mounts(spec::Config &config, const std::string &volumes) {
  for (int i = 0; i < bind_mount_count; ++i) {
    spec::Mount mount;
    mount.destination = fmt::format("/mnt/{}", i);
    mount.type = "bind";
    mount.source = fmt::format("{}/{}", volumes, i);
    mount.options = {"rbind", "rprivate", "ro"};
    config.mounts.push_back(mount);
  }
}

// The hostname belongs to the pod, whose first container has set it.
void join_namespaces(spec::Config &config, int resident) {
  constexpr std::array<std::pair<spec::NamespaceType, std::string_view>, 3> shared = {
      {{spec::NamespaceType::network, "net"}, {spec::NamespaceType::ipc, "ipc"}, {spec::NamespaceType::uts, "uts"}}};
  for (spec::Namespace &entry : config.linux_.namespaces) {
    for (const auto &[type, name] : shared) {
      if (entry.type == type) entry.path = fmt::format("/proc/{}/ns/{}", resident, name);
    }
  }
  config.hostname.clear();
}

}  // namespace

std::string_view name_of(Bundle bundle) {
  constexpr std::array<std::string_view, 6> names = {"passing",        "resident",    "seccomp",
                                                     "user-namespace", "bind-mounts", "joining"};
  return names[static_cast<std::size_t>(bundle)];
}

spec::Config make_config(Bundle bundle, const Surroundings &where) {
  spec::Config config = default_config();
  config.oci_version = "1.0.2";  // older releases of crun refuse what they have not heard of
  config.root->path = where.rootfs;
  config.linux_.cgroups_path = where.cgroup;
  if (where.memory_limit > 0) config.linux_.resources->memory.emplace().limit = where.memory_limit;
  if (bundle == Bundle::resident) config.process->args = {"/bin/sleep", "1000000"};
  if (bundle == Bundle::seccomp) config.linux_.seccomp = engine_seccomp();
  if (bundle == Bundle::user_namespace) give_user_namespace(config.linux_);
  if (bundle == Bundle::bind_mounts) add_bind_mounts(config, where.volumes);
  if (bundle == Bundle::joining) join_namespaces(config, where.resident);
  return config;
}

}  // namespace skiff::bench
