#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "compose/cdi.h"
#include "compose/cdi_name.h"
#include "compose/lower_parts.h"
#include "spec/names.h"

namespace skiff::compose {
namespace {

void set_env(std::vector<std::string> &env, const std::string &variable) {
  const std::string name = variable.substr(0, variable.find('=') + 1);
  std::erase_if(env, [&](const std::string &known) { return known.starts_with(name); });
  env.push_back(variable);
}

// What the file leaves out is the host's device's.
Result<spec::Device> make_device(const CdiDeviceNode &node, const spec::Process &process, bool own_users) {
  spec::Device device;
  if (node.type.empty() || (node.type != "p" && !(node.major && node.minor))) {
    device = TRY(read_device(node.host_path.empty() ? node.path : node.host_path));
    device.uid.reset();
    device.gid.reset();
  }
  device.path = node.path;
  if (!node.type.empty()) device.type = node.type;
  if (node.major) device.major = *node.major;
  if (node.minor) device.minor = *node.minor;
  if (node.file_mode) device.file_mode = node.file_mode;
  if (own_users) return device;
  // SPEC.md: a device that says no owner belongs to the container's user.
  if (process.user.uid != 0) device.uid = process.user.uid;
  if (process.user.gid != 0) device.gid = process.user.gid;
  if (node.uid) device.uid = node.uid;
  if (node.gid) device.gid = node.gid;
  return device;
}

Status add_nodes(const CdiEdits &edits, const LowerContext &context, spec::Config &config) {
  for (const CdiDeviceNode &node : edits.device_nodes) {
    if (is_bound(context, node.host_path, node.path)) {
      bind_device(config, node.host_path, node.path);
      continue;
    }
    spec::Device device = TRY(make_device(node, *config.process, has_user_namespace(context)));
    std::erase_if(config.linux_.devices, [&](const spec::Device &known) { return known.path == device.path; });
    if (!context.host->rootless() && device.type != "p") {
      spec::DeviceCgroup rule;
      rule.allow = true;
      rule.type = device.type;
      rule.major = device.major;
      rule.minor = device.minor;
      rule.access = node.permissions.empty() ? "rwm" : node.permissions;
      if (!config.linux_.resources) config.linux_.resources.emplace();
      config.linux_.resources->devices.push_back(std::move(rule));
    }
    config.linux_.devices.push_back(std::move(device));
  }
  return {};
}

void add_mounts(const CdiEdits &edits, spec::Config &config) {
  for (const CdiMount &each : edits.mounts) {
    spec::Mount mount;
    mount.destination = each.container_path;
    mount.source = each.host_path;
    mount.type = each.type.empty() ? "bind" : each.type;
    mount.options = each.options;
    const bool binds =
        std::ranges::any_of(mount.options, [](const auto &name) { return name == "bind" || name == "rbind"; });
    if (mount.type == "bind" && !binds) mount.options.insert(mount.options.begin(), "rbind");
    std::erase_if(config.mounts, [&](const spec::Mount &known) { return known.destination == mount.destination; });
    config.mounts.push_back(std::move(mount));
  }
}

Status add_hooks(const CdiEdits &edits, spec::Hooks &hooks) {
  for (const CdiHook &each : edits.hooks) {
    const spec::Hook hook{.path = each.path, .args = each.args, .env = each.env, .timeout = each.timeout};
    if (each.name == "prestart") {
      hooks.prestart.push_back(hook);
    } else if (each.name == "createRuntime") {
      hooks.create_runtime.push_back(hook);
    } else if (each.name == "createContainer") {
      hooks.create_container.push_back(hook);
    } else if (each.name == "startContainer") {
      hooks.start_container.push_back(hook);
    } else if (each.name == "poststart") {
      hooks.poststart.push_back(hook);
    } else if (each.name == "poststop") {
      hooks.poststop.push_back(hook);
    } else {
      return fail(fmt::format("{} is no hook of the runtime specification", spec::quote(each.name)));
    }
  }
  return {};
}

Status add_edits(const CdiEdits &edits, const LowerContext &context, spec::Config &config) {
  for (const std::string &variable : edits.env) set_env(config.process->env, variable);
  TRY(add_nodes(edits, context, config));
  for (const CdiNetDevice &device : edits.net_devices) {
    config.linux_.net_devices.insert_or_assign(device.host_interface_name, spec::NetDevice{.name = device.name});
  }
  add_mounts(edits, config);
  TRY(add_hooks(edits, config.hooks));
  std::vector<std::uint32_t> &groups = config.process->user.additional_gids;
  for (const std::uint32_t gid : edits.additional_gids) {
    if (gid != 0 && std::ranges::find(groups, gid) == groups.end()) groups.push_back(gid);
  }
  if (edits.intel_rdt) config.linux_.intel_rdt = edits.intel_rdt;
  return {};
}

std::vector<std::string> wanted_names(const Service &service) {
  std::vector<std::string> names;
  for (const Device &device : service.devices) {
    if (is_cdi_name(device.source)) names.push_back(device.source);
  }
  names.insert(names.end(), service.gpus.begin(), service.gpus.end());
  return names;
}

}  // namespace

Status lower_cdi(const Service &service, const LowerContext &context, spec::Config &config) {
  const std::vector<std::string> names = wanted_names(service);
  if (names.empty()) return {};
  const CdiRegistry registry = load_cdi(context.cdi_directories);
  std::set<const CdiSpec *> used;
  std::vector<CdiFound> devices;
  for (const std::string &name : names) devices.push_back(TRY(in("devices", find_cdi_device(registry, name))));
  for (const CdiFound &found : devices) {
    const std::string place = fmt::format("devices: {}={}", found.spec->kind, found.device->name);
    if (used.insert(found.spec).second) TRY(in(place, add_edits(found.spec->edits, context, config)));
    TRY(in(place, add_edits(found.device->edits, context, config)));
  }
  return {};
}

}  // namespace skiff::compose
