#include <array>

#include "compose/cdi_name.h"
#include "compose/run_flags_parts.h"
#include "compose/split.h"
#include "runtime/cli/value.h"

namespace skiff::compose {
namespace {

using spec::quote;

bool is_access(std::string_view text) {
  return !text.empty() && text.size() <= 3 && text.find_first_not_of("rwm") == std::string_view::npos;
}

// "PATH[:TARGET][:rwm]", or a CDI name.
Result<Device> parse_device(std::string_view text) {
  Device device;
  if (is_cdi_name(text)) {
    device.source = text;
    return device;
  }
  std::vector<std::string_view> parts = split_at(text, ':');
  if (parts.size() > 1 && is_access(parts.back())) {
    device.permissions = parts.back();
    parts.pop_back();
  }
  if (parts.size() > 2) return fail("it is not PATH[:TARGET][:rwm]", "as /dev/fuse:/dev/fuse:rw");
  device.source = parts[0];
  device.target = parts.back();
  for (const std::string *path : {&device.source, &device.target}) {
    if (!path->starts_with('/')) {
      return fail(fmt::format("{} is neither an absolute path nor the CDI name of a device", quote(*path)),
                  "as /dev/fuse, or vendor.com/class=name");
    }
  }
  return device;
}

// docker's --gpus: all, a number of them, "device=0,1", or the CSV of those; a CDI name as it is.
Status take_gpus(Service &service, std::string_view text) {
  const auto fields = split_csv(text);
  if (!fields) return fail("a quote is not closed");
  bool ids = false;  // what follows device= without a key of its own is a further id
  for (const std::string &field : *fields) {
    const auto [key, value] = split_once(field, '=');
    const std::string_view what = value && !is_cdi_name(field) ? *value : std::string_view(field);
    if (key == "driver" || key == "capabilities") continue;
    if (value && key != "device" && key != "count" && !is_cdi_name(field)) {
      return fail(fmt::format("{} is unknown", quote(key)), "use all, a count, or device=ID,ID");
    }
    ids = ids || key == "device";
    const auto count = cli::parse_number<std::uint16_t>(what);
    if (ids || !count) {
      for (const std::string_view id : split_at(what, ',')) service.gpus.emplace_back(what == "-1" ? "all" : id);
    } else {
      for (std::uint16_t i = 0; i < *count; ++i) service.gpus.push_back(fmt::to_string(i));
    }
  }
  return {};
}

// A profile's path, which `start` may read from elsewhere.
std::string profile_of(std::string_view text, const std::string &directory) {
  constexpr std::array<std::string_view, 6> names = {"default",  "strict",     "minimal",
                                                     "disabled", "unconfined", "builtin"};
  if (text.empty() || text.starts_with('/') || spec::find_name(names, text)) return std::string(text);
  return fmt::format("{}/{}", directory, text);
}

void take_strings(const cli::Flags &flags, std::string_view name, std::vector<std::string> &into) {
  for (const std::string_view value : flags.strings(name)) into.emplace_back(value);
}

}  // namespace

Status take_device_flags(const cli::Flags &flags, Service &service) {
  TRY(each_value(flags, "device", [&](std::string_view value) -> Status {
    service.devices.push_back(TRY(parse_device(value)));
    return {};
  }));
  take_strings(flags, "device-cgroup-rule", service.device_cgroup_rules);
  return each_value(flags, "gpus", [&](std::string_view value) { return take_gpus(service, value); });
}

Status take_security_flags(const cli::Flags &flags, const std::string &directory, Service &service) {
  take_strings(flags, "cap-add", service.cap_add);
  take_strings(flags, "cap-drop", service.cap_drop);
  service.privileged = flags.boolean("privileged");
  for (const std::string_view option : flags.strings("security-opt")) {
    const auto [key, value] = split_once(option, '=');
    service.security_opt.push_back(key == "seccomp" && value ? fmt::format("seccomp={}", profile_of(*value, directory))
                                                             : std::string(option));
  }
  service.seccomp = profile_of(flags.string("seccomp"), directory);
  service.userns_mode = flags.string("userns");
  for (const char *name : {"uid-map", "uidmap"}) take_strings(flags, name, service.uid_maps);
  for (const char *name : {"gid-map", "gidmap"}) take_strings(flags, name, service.gid_maps);
  service.pid_mode = flags.string("pid");
  service.ipc_mode = flags.string("ipc");
  service.uts_mode = flags.string("uts");
  service.cgroup_mode = flags.string("cgroupns");
  return {};
}

}  // namespace skiff::compose
