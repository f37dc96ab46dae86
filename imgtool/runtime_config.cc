#include "imgtool/runtime_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "imgtool/image_user.h"
#include "imgtool/volumes.h"
#include "spec/names.h"

namespace skiff::image {
namespace {

using spec::quote;

constexpr std::string_view default_path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// Annotations that a runtime or an engine takes for an order: a unit's properties, CRIU's configuration, a handler, a
// hypervisor's path. An image may not give any (CVE-2022-23648 and its like).
constexpr std::array<std::string_view, 15> steering = {"org.systemd.property.",
                                                       "org.criu.",
                                                       "run.oci.",
                                                       "module.wasm.image/",
                                                       "krun.",
                                                       "io.katacontainers.",
                                                       "dev.gvisor.",
                                                       "io.kubernetes.",
                                                       "io.containerd.",
                                                       "containerd.io/",
                                                       "io.podman.",
                                                       "cdi.k8s.io/",
                                                       "io.crio.",
                                                       "org.opencontainers.runc.",
                                                       "org.opencontainers.skiff."};

std::string_view name_of(std::string_view variable) { return variable.substr(0, variable.find('=')); }

bool has_variable(const std::vector<std::string> &env, std::string_view name) {
  return std::ranges::any_of(env, [&](const std::string &variable) { return name_of(variable) == name; });
}

// conversion.md, "Verbatim Fields": the image's as they are; what is added has no name that they have.
std::vector<std::string> make_env(const spec::ImageConfig &image, const RuntimeOptions &options,
                                  const spec::Account &user, std::vector<std::string> &warnings) {
  std::vector<std::string> env;
  for (const std::string &variable : image.config.env) {
    if (has_variable(options.env, name_of(variable))) continue;
    if (variable.find('=') == std::string::npos || variable.front() == '=') {
      warnings.push_back(fmt::format("Env {}: it is not NAME=VALUE; left out", quote(variable)));
    } else {
      env.push_back(variable);
    }
  }
  std::ranges::copy(options.env, std::back_inserter(env));
  if (!has_variable(env, "PATH")) env.insert(env.begin(), std::string(default_path));
  if (options.terminal && !has_variable(env, "TERM")) env.emplace_back("TERM=xterm");
  if (!has_variable(env, "HOME") && user.home.starts_with('/')) env.push_back("HOME=" + user.home);
  return env;
}

std::vector<std::string> make_args(const spec::ImageConfig &image, const RuntimeOptions &options,
                                   std::vector<std::string> &warnings) {
  const auto &own = image.config.entrypoint;
  std::vector<std::string> args = options.entrypoint ? *options.entrypoint : own.value_or(std::vector<std::string>());
  if (!options.args.empty()) {
    std::ranges::copy(options.args, std::back_inserter(args));
  } else if (!options.entrypoint && image.config.cmd) {
    std::ranges::copy(*image.config.cmd, std::back_inserter(args));
  }
  if (args.empty()) {
    warnings.emplace_back("the image has neither Entrypoint nor Cmd; the container will run sh");
    args = {"sh"};
  }
  return args;
}

// Docker takes a relative one from the root.
std::string make_cwd(const spec::ImageConfig &image, const RuntimeOptions &options) {
  const std::string &wanted = options.working_dir.empty() ? image.config.working_dir : options.working_dir;
  return wanted.starts_with('/') ? wanted : "/" + wanted;
}

void add_implicit(spec::StringMap &annotations, std::string_view name, std::string value) {
  if (!value.empty()) annotations.emplace(fmt::format("org.opencontainers.image.{}", name), std::move(value));
}

bool steers(std::string_view label) {
  return std::ranges::any_of(steering, [&](std::string_view prefix) { return label.starts_with(prefix); });
}

// conversion.md, "Annotation Fields": labels go before what is implied by other fields.
spec::StringMap make_annotations(const spec::ImageConfig &image, std::vector<std::string> &warnings) {
  spec::StringMap annotations;
  for (const auto &[name, value] : image.config.labels) {
    if (name.empty()) continue;  // config.md of the runtime-spec: keys MUST NOT be empty
    if (!steers(name)) {
      annotations.emplace(name, value);
    } else {
      warnings.push_back(fmt::format("label {}: it would steer a runtime; left out", quote(name)));
    }
  }
  std::vector<std::string_view> ports;
  for (const auto &[port, nothing] : image.config.exposed_ports) ports.push_back(port);
  add_implicit(annotations, "os", image.os);
  add_implicit(annotations, "architecture", image.architecture);
  add_implicit(annotations, "variant", image.variant);
  add_implicit(annotations, "os.version", image.os_version);
  add_implicit(annotations, "os.features", fmt::format("{}", fmt::join(image.os_features, ",")));
  add_implicit(annotations, "author", image.author);
  add_implicit(annotations, "created", image.created);
  add_implicit(annotations, "stopSignal", image.config.stop_signal);
  add_implicit(annotations, "exposedPorts", fmt::format("{}", fmt::join(ports, ",")));
  return annotations;
}

bool is_mapped(const std::vector<spec::IdMapping> &mappings, std::uint32_t id) {
  return mappings.empty() || std::ranges::any_of(mappings, [&](const spec::IdMapping &each) {
           return id >= each.container_id && id - each.container_id < each.size;
         });
}

spec::Config make_start(const RuntimeOptions &options) {
  spec::Config config = spec::make_container_config();
  if (options.rootless) config = spec::make_rootless(std::move(config), ::geteuid(), ::getegid());
  spec::Linux &linux_ = config.linux_;
  if (!options.uid_mappings.empty()) {
    if (linux_.find(spec::NamespaceType::user) == nullptr) {
      linux_.namespaces.push_back({.type = spec::NamespaceType::user, .path = {}});
    }
    linux_.uid_mappings = options.uid_mappings;
    linux_.gid_mappings = options.gid_mappings;
  }
  if (options.host_network) {
    std::erase_if(linux_.namespaces, [](const auto &each) { return each.type == spec::NamespaceType::network; });
  }
  return config;
}

// Ids that the user namespace does not have cannot be taken.
void fit_user(spec::Account &user, const spec::Linux &linux_, std::vector<std::string> &warnings) {
  if (!is_mapped(linux_.uid_mappings, user.uid) || !is_mapped(linux_.gid_mappings, user.gid)) {
    warnings.push_back(
        fmt::format("user {}:{}: the user namespace does not map it; the container will run as its root, which is you",
                    user.uid, user.gid));
    user = spec::Account{.uid = 0, .gid = 0, .groups = {0}, .home = user.home};
  }
  std::erase_if(user.groups, [&](std::uint32_t gid) { return !is_mapped(linux_.gid_mappings, gid); });
}

void fill_process(spec::Process &process, const spec::ImageConfig &image, const RuntimeOptions &options,
                  const spec::Account &user, std::vector<std::string> &warnings) {
  process.terminal = options.terminal;
  process.args = make_args(image, options, warnings);
  process.env = make_env(image, options, user, warnings);
  process.cwd = make_cwd(image, options);
  process.user.uid = user.uid;
  process.user.gid = user.gid;
  process.user.additional_gids = user.groups;
  process.no_new_privileges = !options.new_privileges;
}

}  // namespace

Result<RuntimeConfig> make_runtime_config(const spec::ImageConfig &image, kernel::FdView rootfs,
                                          const RuntimeOptions &options) {
  RuntimeConfig out;
  out.config = make_start(options);
  const std::string &wanted = options.user.empty() ? image.config.user : options.user;
  spec::Account user = TRY(find_image_user(rootfs, wanted, out.warnings));
  fit_user(user, out.config.linux_, out.warnings);
  // setgroups(2) is denied to a user who maps himself (user_namespaces(7)).
  if (options.rootless && options.uid_mappings.empty()) user.groups.clear();
  fill_process(*out.config.process, image, options, user, out.warnings);
  out.config.root = spec::Root{.path = options.root_path, .readonly = options.readonly_root};
  if (!options.hostname.empty()) out.config.hostname = options.hostname;
  out.config.annotations = make_annotations(image, out.warnings);
  TRY(add_volumes(out, image, rootfs, options));
  return out;
}

}  // namespace skiff::image
