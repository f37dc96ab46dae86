#include "compose/joined_namespaces.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "compose/rootfs_mount.h"
#include "compose/user_network.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {
namespace {

constexpr std::string_view prefix = "container:";

struct Joined {
  const std::string &mode;
  spec::NamespaceType type;
  const char *file;  // of /proc/PID/ns
};

Status join(const Places &places, const Joined &joined, spec::Config &config) {
  const auto &[mode, type, file] = joined;
  const std::string name = shared_with(mode);
  if (name.empty() || config.linux_.find(type) == nullptr) return {};
  const Container other = TRY(find_container(places, name));
  std::string path = network_namespace(places, other.id());
  if (type != spec::NamespaceType::network || is_rootless() || !kernel::faccessat(kernel::cwd, path, F_OK)) {
    if (!other.state.is_running()) {
      return fail(fmt::format("{}: {} does not run, so it has no namespace to share", mode, name), "start it first");
    }
    path = fmt::format("/proc/{}/ns/{}", other.state.run.pid, file);
  }
  for (spec::Namespace &space : config.linux_.namespaces) {
    if (space.type == type) space.path = path;
  }
  return {};
}

}  // namespace

std::string network_namespace(const Places &places, const std::string &id) {
  return fmt::format("{}/networks/namespaces/{}", places.run, id);
}

bool is_in_user_network(const ContainerRecord &record) {
  return is_rootless() && (record.network_mode.empty() || !shared_with(record.network_mode).empty());
}

std::string shared_with(const std::string &mode) { return mode.starts_with(prefix) ? mode.substr(prefix.size()) : ""; }

Status join_namespaces(const Places &places, const ContainerRecord &record) {
  using Type = spec::NamespaceType;
  const auto modes = std::to_array<Joined>({{record.network_mode, Type::network, "net"},
                                            {record.pid_mode, Type::pid, "pid"},
                                            {record.ipc_mode, Type::ipc, "ipc"},
                                            {record.uts_mode, Type::uts, "uts"},
                                            {record.cgroup_mode, Type::cgroup, "cgroup"},
                                            {record.userns_mode, Type::user, "user"}});
  if (std::ranges::none_of(modes, [](const Joined &one) { return !shared_with(one.mode).empty(); })) return {};
  const std::string path = bundle_of(places, record.id) + "/config.json";
  spec::Parsed parsed = spec::parse_config(TRY(read_if_there(path)));
  if (!parsed.findings.empty()) return std::unexpected(spec::findings_error(path, parsed.findings));
  for (const Joined &one : modes) TRY(join(places, one, parsed.config));
  return replace_file(path, spec::print_config(parsed.config, true) + "\n");
}

}  // namespace skiff::compose
