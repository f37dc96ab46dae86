#include "runtime/cgroup_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <string_view>

#include "runtime/device_filter.h"
#include "runtime/unit_plan.h"
#include "runtime/unit_properties.h"
#include "spec/path.h"

namespace skiff {
namespace {

// The v1 hierarchies a container joins, limits or not, as its callers (and `ps`, `kill`, `pause`) count on it.
constexpr std::array<std::string_view, 15> joined = {"freezer",  "devices",    "memory", "cpu",     "cpuacct",
                                                     "cpuset",   "pids",       "blkio",  "hugetlb", "net_cls",
                                                     "net_prio", "perf_event", "rdma",   "misc",    "name=systemd"};

bool has(const CgroupHierarchy &hierarchy, std::string_view controller) {
  return std::ranges::find(hierarchy.controllers, controller) != hierarchy.controllers.end();
}

// No path leads out of the mount; "" is the mount itself.
std::string clean(std::string_view path) {
  std::string out = spec::clean_path(path);
  return out == "/" ? std::string() : out;
}

// Where relative paths start. On v2 a cgroup with processes cannot have limited children ("no internal processes"), and
// the runtime's own has at least the runtime in it: its parent is the place.
std::string relative_start(const CgroupHierarchy &hierarchy) {
  std::string own = clean(hierarchy.own);
  if (hierarchy.unified && !own.empty()) own.resize(own.rfind('/'));
  return own;
}

// The cgroup below the hierarchy's mount: config-linux.md, "Cgroups Path".
std::string location(const std::string &cgroups_path, const CgroupHierarchy &hierarchy, const Host &host,
                     const std::string &id) {
  if (cgroups_path.starts_with('/')) return clean(cgroups_path);
  if (!cgroups_path.empty()) return relative_start(hierarchy) + clean(cgroups_path);
  // The name that it has with systemd's driver too.
  return fmt::format("{}/skiff-{}.scope", host.privileged ? "" : relative_start(hierarchy), id);
}

// The freezer's first, then the unified one, then the rest in the host's order.
int rank(const CgroupHierarchy &hierarchy) {
  if (has(hierarchy, "freezer")) return 0;
  return hierarchy.unified ? 1 : 2;
}

std::vector<const CgroupHierarchy *> joined_hierarchies(const Host &host) {
  std::vector<const CgroupHierarchy *> out;
  for (const CgroupHierarchy &hierarchy : host.hierarchies) {
    const bool wanted = hierarchy.unified || std::ranges::any_of(joined, [&](std::string_view controller) {
                          return has(hierarchy, controller);
                        });
    if (wanted) out.push_back(&hierarchy);
  }
  std::ranges::stable_sort(out, {}, [](const CgroupHierarchy *hierarchy) { return rank(*hierarchy); });
  return out;
}

CgroupDirectory make_directory(const CgroupHierarchy &hierarchy, const std::string &path, const Host &host) {
  return {.mount = hierarchy.mount,
          .path = hierarchy.mount + path,
          .controllers = hierarchy.controllers,
          .unified = hierarchy.unified,
          .optional = hierarchy.unified && host.cgroups == Host::Cgroups::hybrid};
}

Result<std::vector<CgroupDirectory>> make_directories(const std::string &cgroups_path, const Host &host,
                                                      const std::string &id) {
  std::vector<CgroupDirectory> out;
  for (const CgroupHierarchy *hierarchy : joined_hierarchies(host)) {
    const std::string path = location(cgroups_path, *hierarchy, host, id);
    if (path.empty()) {
      return fail(
          fmt::format("linux.cgroupsPath: \"{}\" is the root of the hierarchy, and no container's own", cgroups_path),
          "name a cgroup below it");
    }
    out.push_back(make_directory(*hierarchy, path, host));
  }
  return out;
}

// Where systemd will put the unit.
Status place_unit(const spec::Config &config, const Host &host, const std::string &id, CgroupPlan &plan) {
  const bool user = !host.privileged;
  if (user && !plan.unified) {
    return fail("--systemd-cgroup: the user's systemd has no cgroups to give on a host with cgroup v1",
                "boot with cgroup v2 (systemd.unified_cgroup_hierarchy=1), or use --cgroup-manager cgroupfs");
  }
  const UnitPlace place = TRY(parse_unit_place(config.linux_.cgroups_path, id, user));
  plan.unit = TRY(make_unit(place, config.annotations, id, user, plan.unified));
  std::string path = host.user_manager;
  // A slice's place follows from its own name.
  path += plan.unit.slice ? TRY(expand_slice(place.unit)) : TRY(expand_slice(place.slice)) + "/" + place.unit;
  for (const CgroupHierarchy *hierarchy : joined_hierarchies(host)) {
    plan.directories.push_back(make_directory(*hierarchy, path, host));
  }
  return {};
}

Status place_directories(const spec::Config &config, const Host &host, const std::string &id, CgroupPlan &plan) {
  const std::string &path = config.linux_.cgroups_path;
  if (plan.driver == CgroupPlan::Driver::systemd) return place_unit(config, host, id, plan);
  if (names_unit(path)) {
    return fail(fmt::format("linux.cgroupsPath: \"{}\" has systemd's form, slice:prefix:name", path),
                "use --systemd-cgroup, or give a path and let the caller use the cgroupfs driver");
  }
  plan.directories = TRY(make_directories(path, host, id));
  return {};
}

void add_limits_to_unit(CgroupPlan &plan) {
  if (plan.unit.name.empty()) return;
  std::vector<UnitProperty> &out = plan.unit.properties;
  if (plan.has_device_rules)
    std::ranges::move(make_device_properties(plan.device_rules, plan.unified), std::back_inserter(out));
  UnitLimits limits = make_unit_limits(plan.writes, {}, UnitMoment::start);
  std::ranges::move(limits.properties, std::back_inserter(out));
  plan.warnings = std::move(limits.warnings);
}

DeviceRule make_rule(const spec::DeviceCgroup &rule) {
  auto allows = [&](char access) { return rule.access.find(access) != std::string::npos; };
  const bool every = rule.type.empty() || rule.type == "a";
  return {.allow = rule.allow,
          .type = every ? 'a' : rule.type.front(),
          .major = rule.major.value_or(-1),
          .minor = rule.minor.value_or(-1),
          .read = every || allows('r'),
          .write = every || allows('w'),
          .mknod = every || allows('m')};
}

Status check_rule(const spec::DeviceCgroup &rule, std::size_t index) {
  const std::string place = fmt::format("linux.resources.devices[{}]", index);
  if (rule.access.empty()) {
    return fail(place + ".access: it is empty", "use a composition of r, w and m");
  }
  return {};
}

std::vector<std::string> controllers_of(const std::vector<CgroupWrite> &writes) {
  std::vector<std::string> out;
  for (const CgroupWrite &write : writes) {
    std::string name = write.file.substr(0, write.file.find('.'));
    // "cgroup." files are there without a controller.
    if (name != "cgroup" && std::ranges::find(out, name) == out.end()) out.push_back(std::move(name));
  }
  return out;
}

// The id on the host, or empty where the namespace does not map it.
std::optional<std::uint32_t> host_id(std::uint32_t id, const std::vector<spec::IdMapping> &mappings) {
  if (mappings.empty()) return id;
  for (const spec::IdMapping &mapping : mappings) {
    if (id >= mapping.container_id && id - mapping.container_id < mapping.size) {
      return mapping.host_id + (id - mapping.container_id);
    }
  }
  return std::nullopt;
}

// config-linux.md, "Cgroup ownership": v2, a new cgroup namespace, and /sys/fs/cgroup mounted read-write.
bool wants_ownership(const spec::Linux &linux_) {
  return linux_.find(spec::NamespaceType::cgroup) != nullptr && linux_.find(spec::NamespaceType::cgroup)->path.empty();
}

void decide_ownership(const spec::Config &config, const Host &host, CgroupPlan &plan) {
  if (!plan.unified || !config.process || !wants_ownership(config.linux_)) return;
  const spec::Namespace *user = config.linux_.find(spec::NamespaceType::user);
  if (user != nullptr && !user->path.empty()) return;  // its mappings are not ours to know
  const bool writable = std::ranges::any_of(config.mounts, [](const spec::Mount &mount) {
    return mount.source == "cgroup" && mount.destination == "/sys/fs/cgroup" &&
           std::ranges::find(mount.options, "ro") == mount.options.end();
  });
  const std::optional<std::uint32_t> uid = host_id(config.process->user.uid, config.linux_.uid_mappings);
  const std::optional<std::uint32_t> gid = host_id(config.process->user.gid, config.linux_.gid_mappings);
  if (!writable || !uid || !gid || *uid == host.uid) return;
  plan.delegate = true;
  plan.owner_uid = *uid;
  plan.owner_gid = *gid;
}

Status decide_devices(const spec::Linux &linux_, CgroupPlan &plan) {
  std::vector<DeviceRule> rules;
  if (linux_.resources) {
    for (std::size_t i = 0; i < linux_.resources->devices.size(); ++i) {
      if (Status status = check_rule(linux_.resources->devices[i], i); !status) return status;
      rules.push_back(make_rule(linux_.resources->devices[i]));
    }
  }
  plan.device_rules = with_default_device_rules(std::move(rules));
  plan.has_device_rules = true;
  return {};
}

}  // namespace

bool names_unit(std::string_view cgroups_path) {
  return std::ranges::count(cgroups_path, ':') == 2 && !cgroups_path.starts_with('/');
}

Result<CgroupPlan> make_cgroup_plan(const spec::Config &config, const Host &host, const std::string &id,
                                    CgroupPlan::Driver driver) {
  CgroupPlan plan{};
  plan.driver = driver;
  if (driver == CgroupPlan::Driver::disabled) return plan;
  const spec::Linux &linux_ = config.linux_;
  plan.unified = host.cgroups == Host::Cgroups::unified;
  plan.may_go_without = !host.privileged;
  plan.path_given = !linux_.cgroups_path.empty();
  TRY(place_directories(config, host, id, plan));
  if (linux_.resources) {
    plan.writes = TRY(make_cgroup_writes(*linux_.resources, plan.directories, plan.unified));
  }
  if (plan.unified) plan.needed_controllers = controllers_of(plan.writes);
  // Without privileges over the first user namespace the kernel takes neither a program nor a line.
  if (host.privileged) {
    if (Status status = decide_devices(linux_, plan); !status) return std::unexpected(std::move(status).error());
  }
  add_limits_to_unit(plan);
  decide_ownership(config, host, plan);
  return plan;
}

std::vector<CgroupDirectory> match_cgroup_directories(const std::vector<std::string> &paths, const Host &host) {
  std::vector<CgroupDirectory> out;
  for (const std::string &path : paths) {
    CgroupDirectory directory{.mount = {}, .path = path, .controllers = {}, .unified = false, .optional = false};
    for (const CgroupHierarchy &hierarchy : host.hierarchies) {
      // The longest mount wins: a hybrid host has one mount inside the tree of others.
      const bool below = path.starts_with(hierarchy.mount) && path.size() > hierarchy.mount.size() &&
                         path[hierarchy.mount.size()] == '/';
      if (!below || hierarchy.mount.size() < directory.mount.size()) continue;
      directory.mount = hierarchy.mount;
      directory.controllers = hierarchy.controllers;
      directory.unified = hierarchy.unified;
      directory.optional = hierarchy.unified && host.cgroups == Host::Cgroups::hybrid;
    }
    out.push_back(std::move(directory));
  }
  return out;
}

}  // namespace skiff
