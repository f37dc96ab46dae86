#include "runtime/criu_plan.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <array>

#include "runtime/plan_annotations.h"

// Linux 5.6; glibc hides it.
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

namespace skiff {
namespace {

static_assert(emptied_namespaces == CLONE_NEWNET);

bool has_cgroup_namespace(const Plan &plan) {
  return std::ranges::any_of(plan.steps,
                             [](const Step &step) { return std::holds_alternative<UnshareCgroup>(step.action); });
}

std::string_view last_component(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// Each hierarchy but the unified one of a hybrid host, which is mounted anew.
void add_cgroups(const MountStep &mount, const std::vector<CgroupDirectory> &cgroups, std::vector<ExternalMount> &out) {
  for (const CgroupDirectory &each : cgroups) {
    if (each.unified || each.controllers.empty()) continue;
    out.push_back({fmt::format("{}/{}", mount.destination, last_component(each.mount)), each.path});
  }
}

struct NamespaceName {
  std::uint64_t flag;
  std::string_view name;
};
constexpr std::array<NamespaceName, 7> namespace_names = {{{CLONE_NEWNET, "net"},
                                                           {CLONE_NEWPID, "pid"},
                                                           {CLONE_NEWIPC, "ipc"},
                                                           {CLONE_NEWUTS, "uts"},
                                                           {CLONE_NEWNS, "mnt"},
                                                           {CLONE_NEWUSER, "user"},
                                                           {CLONE_NEWTIME, "time"}}};

std::string_view namespace_name(std::uint64_t flag) {
  const auto *const found = std::ranges::find(namespace_names, flag, &NamespaceName::flag);
  return found == namespace_names.end() ? std::string_view() : found->name;
}

}  // namespace

std::vector<ExternalMount> find_external_mounts(const Plan &plan, const std::vector<CgroupDirectory> &cgroups) {
  std::vector<ExternalMount> out;
  for (const Step &step : plan.steps) {
    if (const auto *mount = std::get_if<MountStep>(&step.action)) {
      if (mount->kind == MountStep::Kind::bind) out.push_back({mount->destination, mount->source});
      if (mount->kind == MountStep::Kind::cgroup && !has_cgroup_namespace(plan)) add_cgroups(*mount, cgroups, out);
    }
    // runc names every device, bound or not.
    if (const auto *device = std::get_if<MakeDevice>(&step.action)) out.push_back({device->path, device->path});
  }
  return out;
}

std::vector<std::string> find_masked_paths(const Plan &plan) {
  std::vector<std::string> out;
  for (const Step &step : plan.steps) {
    if (const auto *mask = std::get_if<MaskPath>(&step.action)) out.push_back(mask->path);
  }
  return out;
}

bool is_external_namespace(const Join &join) { return join.flag == CLONE_NEWNET || join.flag == CLONE_NEWPID; }

std::string external_namespace_key(const Join &join) {
  return join.flag == CLONE_NEWNET ? "extRootNetNS" : "extRootPidNS";
}

std::string external_namespace(const Join &join, std::uint64_t inode) {
  return fmt::format("{}[{}]:{}", namespace_name(join.flag), inode, external_namespace_key(join));
}

Result<std::vector<CriuNamespace>> find_joined_namespaces(const Plan &plan) {
  std::vector<CriuNamespace> out;
  for (const Join &join : plan.launch.joins) {
    if (is_external_namespace(join)) continue;
    const std::string_view name = namespace_name(join.flag);
    if (name.empty()) return fail(join.field + ": CRIU cannot restore into a cgroup namespace that is there already");
    out.push_back({std::string(name), join.path});
  }
  return out;
}

std::optional<std::uint32_t> find_reading_group(const Plan &plan) {
  if (!plan.launch.id_maps) return std::nullopt;
  for (const spec::IdMapping &map : plan.launch.id_maps->gids) {
    if (map.container_id == 0 && map.size > 0) return map.host_id;
  }
  return std::nullopt;
}

std::string choose_criu_config(const spec::StringMap &annotations, bool has_own) {
  const auto found = annotations.find(std::string(annotation::criu_config));
  if (found != annotations.end()) return found->second;
  return has_own ? own_criu_config : "/etc/criu/runc.conf";
}

std::vector<CriuCgroupRoot> parse_cgroup_roots(std::string_view text) {
  std::vector<CriuCgroupRoot> out;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t controllers = line.find(':');
    const std::size_t path = controllers == std::string_view::npos ? controllers : line.find(':', controllers + 1);
    if (path == std::string_view::npos) continue;
    std::string_view names = line.substr(controllers + 1, path - controllers - 1);
    // Each controller of a hierarchy that has more than one.
    do {
      const std::string_view name = names.substr(0, names.find(','));
      names.remove_prefix(std::min(name.size() + 1, names.size()));
      out.push_back({std::string(name), std::string(line.substr(path + 1))});
    } while (!names.empty());
  }
  return out;
}

}  // namespace skiff
