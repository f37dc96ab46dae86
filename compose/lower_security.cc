#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <array>

#include "compose/lower_parts.h"
#include "compose/seccomp_profile.h"
#include "compose/split.h"
#include "runtime/cli/value.h"
#include "spec/names.h"

namespace skiff::compose {
namespace {

// What security_opt comes to.
struct Options {
  std::optional<bool> no_new_privileges;
  std::string seccomp;
  std::string apparmor;
  std::vector<std::string> label;
  std::vector<std::string> mask;
  std::vector<std::string> unmask;
  bool open_system_paths = false;
};

constexpr std::array<std::string_view, 7> option_names = {
    "no-new-privileges", "seccomp", "apparmor", "label", "mask", "unmask", "systempaths"};

void append_paths(std::vector<std::string> &into, std::string_view text) {
  for (const std::string_view path : split_at(text, ':')) into.emplace_back(path);
}

Status take_no_new_privileges(Options &options, std::string_view value) {
  options.no_new_privileges = value.empty() ? true : cli::parse_bool(value);
  if (options.no_new_privileges) return {};
  return fail(fmt::format("security_opt: no-new-privileges: {} is neither true nor false", spec::quote(value)));
}

// "key=value", or Docker's older "key:value".
Status take_option(Options &options, const std::string &text) {
  const std::size_t at = text.find_first_of("=:");
  const std::string_view key = std::string_view(text).substr(0, at);
  const std::string_view value = at == std::string::npos ? std::string_view() : std::string_view(text).substr(at + 1);
  if (!spec::find_name(option_names, key)) {
    return fail(fmt::format("security_opt: {} is unknown", spec::quote(key)), spec::suggest_name(option_names, key));
  }
  if (key == "no-new-privileges") return take_no_new_privileges(options, value);
  if (value.empty()) return fail(fmt::format("security_opt: {} has no value", key), fmt::format("write {}=VALUE", key));
  if (key == "seccomp") options.seccomp = value;
  if (key == "apparmor") options.apparmor = value == "unconfined" ? std::string() : std::string(value);
  if (key == "label") options.label.emplace_back(value);
  if (key == "mask") append_paths(options.mask, value);
  if (key == "unmask") append_paths(options.unmask, value);
  if (key == "systempaths" && value != "unconfined") {
    return fail(fmt::format("security_opt: systempaths={}: it knows unconfined alone", value));
  }
  options.open_system_paths = options.open_system_paths || key == "systempaths";
  return {};
}

// Podman's: ALL, or patterns such as /proc/*.
void unmask(std::vector<std::string> &paths, const std::vector<std::string> &patterns) {
  std::erase_if(paths, [&](const std::string &path) {
    return std::ranges::any_of(patterns, [&](const std::string &pattern) {
      return pattern == "ALL" || ::fnmatch(pattern.c_str(), path.c_str(), 0) == 0;
    });
  });
}

void add_once(std::vector<std::string> &paths, const std::string &path) {
  if (std::ranges::find(paths, path) == paths.end()) paths.push_back(path);
}

void lower_paths(const Service &service, const Options &options, spec::Linux &linux_) {
  if (service.privileged || options.open_system_paths) {
    linux_.masked_paths.clear();
    linux_.readonly_paths.clear();
  } else {
    // What the processors' meters tell of the host's secrets (CVE-2020-8694).
    add_once(linux_.masked_paths, "/sys/devices/virtual/powercap");
  }
  unmask(linux_.masked_paths, options.unmask);
  unmask(linux_.readonly_paths, options.unmask);
  for (const std::string &path : options.mask) add_once(linux_.masked_paths, path);
}

// SELinux's user:role:type:level; what is not said is what policies give to containers.
Status lower_label(const std::vector<std::string> &parts, spec::Config &config) {
  if (parts.empty()) return {};
  constexpr std::array<std::string_view, 4> names = {"user", "role", "type", "level"};
  std::array<std::string, 4> values = {"system_u", "system_r", "container_t", "s0"};
  for (const std::string &part : parts) {
    if (part == "disable") return {};
    const std::size_t colon = part.find(':');
    const auto index = spec::find_name(names, std::string_view(part).substr(0, colon));
    if (!index || colon == std::string::npos) {
      return fail(fmt::format("security_opt: label={}: it is unknown", part),
                  "use label=disable, or label= with user:, role:, type: or level:");
    }
    values[*index] = part.substr(colon + 1);
  }
  config.process->selinux_label = fmt::format("{}:{}:{}:{}", values[0], values[1], values[2], values[3]);
  config.linux_.mount_label = fmt::format("system_u:object_r:container_file_t:{}", values[3]);
  return {};
}

// seccomp: of the service goes before security_opt; who is privileged is confined only where he says so.
Status lower_seccomp(const Service &service, const Options &options, spec::Config &config) {
  std::string name = service.seccomp.empty() ? options.seccomp : service.seccomp;
  if (name.empty()) name = service.privileged ? "disabled" : "default";
  const SeccompContext context = seccomp_context(config.process->capabilities->bounding);
  config.linux_.seccomp = TRY(in("seccomp", make_seccomp(name, context)));
  return {};
}

}  // namespace

Status lower_security(const Service &service, const LowerContext & /*context*/, spec::Config &config) {
  Options options;
  for (const std::string &text : service.security_opt) TRY(take_option(options, text));
  config.process->no_new_privileges = options.no_new_privileges.value_or(!service.privileged);
  config.process->apparmor_profile = options.apparmor;
  lower_paths(service, options, config.linux_);
  TRY(lower_label(options.label, config));
  return lower_seccomp(service, options, config);
}

}  // namespace skiff::compose
