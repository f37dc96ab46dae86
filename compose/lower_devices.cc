#include <fmt/format.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>

#include "compose/cdi_name.h"
#include "compose/lower_parts.h"
#include "compose/split.h"
#include "runtime/cli/value.h"
#include "runtime/kernel/path.h"
#include "spec/names.h"

namespace skiff::compose {
namespace {

using spec::quote;

spec::Resources &resources_of(spec::Config &config) {
  return config.linux_.resources ? *config.linux_.resources : config.linux_.resources.emplace();
}

// An ordinary user has no device cgroup: who may open a device there, its mode says.
void allow(const LowerContext &context, spec::Config &config, const spec::Device &device, std::string_view access) {
  if (context.host->rootless()) return;
  spec::DeviceCgroup rule;
  rule.allow = true;
  rule.type = device.type;
  rule.major = device.major;
  rule.minor = device.minor;
  rule.access = access;
  resources_of(config).devices.push_back(std::move(rule));
}

// `device` is the host's.
void add_device(const LowerContext &context, spec::Config &config, spec::Device device, const std::string &path,
                std::string_view access) {
  if (is_bound(context, device.path, path)) return bind_device(config, device.path, path);
  device.path = path;
  // The host's ids mean others in a user namespace, where the device is a bind of the host's anyway.
  if (has_user_namespace(context)) {
    device.uid.reset();
    device.gid.reset();
  }
  std::erase_if(config.linux_.devices, [&](const spec::Device &known) { return known.path == device.path; });
  allow(context, config, device, access);
  config.linux_.devices.push_back(std::move(device));
}

// Below /dev what is the container's own: terminals, shared memory, and what runtimes make.
bool is_containers_own(std::string_view name) {
  constexpr std::array<std::string_view, 15> own = {"pts",    "shm",     "mqueue", "fd",     "console",
                                                    "ptmx",   "null",    "zero",   "full",   "tty",
                                                    "random", "urandom", "stdin",  "stdout", "stderr"};
  return spec::find_name(own, name).has_value() || name.starts_with(".");
}

constexpr int deepest = 8;  // directories below /dev

// Every device below the host's directory, at the same place below `target`.
Status add_directory(const LowerContext &context, spec::Config &config, const std::string &source,
                     const std::string &target, std::string_view access, int depth, bool all_of_dev) {
  const kernel::Fd directory = TRY(kernel::open(source, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  for (const std::string &name : TRY(kernel::list_directory(directory))) {
    if (all_of_dev && depth == 0 && is_containers_own(name)) continue;
    const std::string path = fmt::format("{}/{}", source, name);
    // Gone since it was listed: a device that was unplugged.
    const Result<struct stat> found = kernel::fstatat(directory, name, AT_SYMLINK_NOFOLLOW);
    if (!found) continue;
    if (S_ISDIR(found->st_mode) && depth < deepest) {
      TRY(add_directory(context, config, path, fmt::format("{}/{}", target, name), access, depth + 1, all_of_dev));
    }
    if (!S_ISCHR(found->st_mode) && !S_ISBLK(found->st_mode)) continue;
    // An ordinary user gives what he may use himself.
    if (all_of_dev && context.host->rootless() && !kernel::faccessat(kernel::cwd, path, R_OK | W_OK)) continue;
    spec::Device device = TRY(read_device(path));
    add_device(context, config, std::move(device), fmt::format("{}/{}", target, name), access);
  }
  return {};
}

Status lower_device(const Device &wanted, const LowerContext &context, spec::Config &config) {
  const std::string &target = wanted.target.empty() ? wanted.source : wanted.target;
  const std::string access = wanted.permissions.empty() ? "rwm" : wanted.permissions;
  if (access.find_first_not_of("rwm") != std::string::npos) {
    return fail(fmt::format("devices: {}: {} is not made of r, w and m", wanted.source, quote(access)));
  }
  const struct stat found = TRY(in("devices", kernel::fstatat(kernel::cwd, wanted.source)));
  if (S_ISDIR(found.st_mode)) return add_directory(context, config, wanted.source, target, access, 0, false);
  spec::Device device = TRY(in("devices", read_device(wanted.source)));
  add_device(context, config, std::move(device), target, access);
  return {};
}

// A number, or "*" for any: absent.
Result<std::optional<std::int64_t>> parse_part(std::string_view text, std::string_view rule) {
  if (text == "*") return std::optional<std::int64_t>();
  const auto number = cli::parse_number<std::uint32_t>(text);
  if (!number)
    return fail(fmt::format("device_cgroup_rules: {}: {} is neither a number nor *", quote(rule), quote(text)));
  return std::optional<std::int64_t>(*number);
}

// "c 189:* rmw"
Result<spec::DeviceCgroup> parse_rule(const std::string &text) {
  const std::vector<std::string_view> words = split_at(text, ' ');
  const std::vector<std::string_view> numbers = split_at(words.size() == 3 ? words[1] : std::string_view(), ':');
  const bool known = words.size() == 3 && (words[0] == "a" || words[0] == "b" || words[0] == "c");
  if (!known || numbers.size() != 2 || words[2].empty() ||
      words[2].find_first_not_of("rwm") != std::string_view::npos) {
    return fail(fmt::format("device_cgroup_rules: {} is no rule", quote(text)), "write one such as \"c 189:* rmw\"");
  }
  spec::DeviceCgroup rule;
  rule.allow = true;
  rule.type = words[0];
  rule.major = TRY(parse_part(numbers[0], text));
  rule.minor = TRY(parse_part(numbers[1], text));
  rule.access = words[2];
  return rule;
}

Status lower_privileged(const LowerContext &context, spec::Config &config) {
  if (!context.host->rootless()) {
    spec::DeviceCgroup everything;
    everything.allow = true;
    everything.access = "rwm";
    resources_of(config).devices = {everything};
  }
  return add_directory(context, config, "/dev", "/dev", "rwm", 0, true);
}

}  // namespace

void bind_device(spec::Config &config, const std::string &host_path, const std::string &path) {
  spec::Mount mount;
  mount.destination = path;
  mount.type = "bind";
  mount.source = host_path;
  mount.options = {"bind", "nosuid", "noexec", "rprivate"};
  config.mounts.push_back(std::move(mount));
}

Result<spec::Device> read_device(const std::string &path) {
  const struct stat found = TRY(kernel::fstatat(kernel::cwd, path));
  if (!S_ISCHR(found.st_mode) && !S_ISBLK(found.st_mode)) {
    return fail(ENODEV, fmt::format("{}: it is no device", path), "a file or directory is a mount");
  }
  spec::Device device;
  device.path = path;
  device.type = S_ISCHR(found.st_mode) ? "c" : "b";
  device.major = ::major(found.st_rdev);
  device.minor = ::minor(found.st_rdev);
  device.file_mode = found.st_mode & 07777U;
  device.uid = found.st_uid;
  device.gid = found.st_gid;
  return device;
}

Status lower_devices(const Service &service, const LowerContext &context, spec::Config &config) {
  if (service.privileged) TRY(lower_privileged(context, config));
  for (const Device &device : service.devices) {
    if (!is_cdi_name(device.source)) TRY(lower_device(device, context, config));
  }
  if (!service.device_cgroup_rules.empty() && context.host->rootless()) {
    return fail(EPERM, "device_cgroup_rules: an ordinary user has no device cgroup", "leave it out");
  }
  for (const std::string &text : service.device_cgroup_rules) {
    resources_of(config).devices.push_back(TRY(parse_rule(text)));
  }
  return {};
}

}  // namespace skiff::compose
