#include "compose/lower.h"

#include <fmt/format.h>

#include <algorithm>

#include "compose/lower_parts.h"
#include "compose/program.h"

namespace skiff::compose {
namespace {

using spec::NamespaceType;

constexpr std::string_view init_target = "/run/skiff-init";

// One mode of a namespace: "host", "private", or a container's that is joined.
Status lower_mode(std::string_view field, const std::string &mode, NamespaceType type, const std::string &path,
                  spec::Linux &linux_) {
  if (joins(mode)) {
    if (path.empty()) return fail(fmt::format("{}: {} does not run", field, mode), "start it first");
    set_namespace(linux_, type, path);
  } else if (mode == "host") {
    remove_namespace(linux_, type);
  } else if (mode.empty() || mode == "private") {
    if (!mode.empty()) set_namespace(linux_, type, {});
  } else {
    return fail(fmt::format("{}: \"{}\" is unknown", field, mode), "use private, host or container:NAME");
  }
  return {};
}

void lower_network(const Service &service, const LowerContext &context, spec::Linux &linux_) {
  if (service.network_mode == "host") {
    remove_namespace(linux_, NamespaceType::network);
  } else {
    set_namespace(linux_, NamespaceType::network, context.namespaces.network);
  }
}

void lower_user_namespace(const LowerContext &context, spec::Linux &linux_) {
  // Those of a namespace that is joined are made.
  const bool own = context.namespaces.user.empty();
  linux_.uid_mappings = own ? context.id_maps.uids : std::vector<spec::IdMapping>();
  linux_.gid_mappings = own ? context.id_maps.gids : std::vector<spec::IdMapping>();
  if (has_user_namespace(context)) {
    set_namespace(linux_, NamespaceType::user, context.namespaces.user);
  } else {
    remove_namespace(linux_, NamespaceType::user);
  }
}

std::string hostname_of(const Service &service, const LowerContext &context) {
  if (!service.hostname.empty()) return service.hostname;
  return service.network_mode == "host" ? context.host->hostname : context.id.substr(0, 12);
}

Status lower_names(const Service &service, const LowerContext &context, spec::Config &config) {
  const spec::Namespace *uts = config.linux_.find(NamespaceType::uts);
  config.hostname.clear();
  config.domainname.clear();
  if (uts == nullptr || !uts->path.empty()) {
    if (service.hostname.empty() && service.domainname.empty()) return {};
    return fail("hostname: the container shares its uts namespace", "leave out uts, or the name");
  }
  config.hostname = hostname_of(service, context);
  config.domainname = service.domainname;
  if (config.hostname.size() > 64) {
    return fail(fmt::format("hostname: \"{}\" has more than 64 letters", config.hostname),
                "sethostname(2) takes no more");
  }
  return {};
}

std::string cgroups_path(const Service &service, const LowerContext &context) {
  const std::string &parent = service.cgroup_parent.empty() ? context.cgroup_parent : service.cgroup_parent;
  // An ordinary user has a cgroup to make others in where systemd delegates one, or he names one that he may write to.
  const bool none_of_his = context.host->rootless() && service.cgroup_parent.empty() && !context.systemd_cgroup;
  if (none_of_his) return {};
  if (context.systemd_cgroup) return fmt::format("{}:skiff:{}", parent.empty() ? "system.slice" : parent, context.id);
  if (parent.empty()) return fmt::format("/skiff-{}", context.id);
  return fmt::format("{}{}/{}", parent.starts_with('/') ? "" : "/", parent, context.id);
}

// The init is process 1 and runs the rest. It is mounted last: a tmpfs on /run does not hide it.
Status lower_init(const Service &service, const LowerContext &context, spec::Config &config) {
  if (!service.init.value_or(false)) return {};
  const std::string program =
      context.init_program.empty() ? TRY(in("init", find_program("skiff-init"))) : context.init_program;
  spec::Mount mount;
  mount.destination = init_target;
  mount.type = "bind";
  mount.source = program;
  mount.options = {"bind", "ro", "nosuid", "nodev", "rprivate"};
  config.mounts.push_back(std::move(mount));
  std::vector<std::string> &args = config.process->args;
  args.insert(args.begin(), {std::string(init_target), "--"});
  return {};
}

Status check_context(const LowerContext &context, spec::Config &config) {
  if (context.host == nullptr || !context.rootfs.valid()) return fail(EINVAL, "lower_service: no host or no rootfs");
  if (!config.process) config.process.emplace();
  config.has_linux = true;
  return {};
}

}  // namespace

void set_namespace(spec::Linux &linux_, NamespaceType type, std::string path) {
  const auto known = std::ranges::find(linux_.namespaces, type, &spec::Namespace::type);
  if (known != linux_.namespaces.end()) {
    known->path = std::move(path);
  } else {
    linux_.namespaces.push_back({.type = type, .path = std::move(path)});
  }
}

void remove_namespace(spec::Linux &linux_, NamespaceType type) {
  std::erase_if(linux_.namespaces, [&](const spec::Namespace &entry) { return entry.type == type; });
}

Status lower_namespaces(const Service &service, const LowerContext &context, spec::Config &config) {
  spec::Linux &linux_ = config.linux_;
  const JoinedNamespaces &joined = context.namespaces;
  lower_user_namespace(context, linux_);
  lower_network(service, context, linux_);
  TRY(lower_mode("pid", service.pid_mode, NamespaceType::pid, joined.pid, linux_));
  TRY(lower_mode("uts", service.uts_mode, NamespaceType::uts, joined.uts, linux_));
  TRY(lower_mode("cgroup", service.cgroup_mode, NamespaceType::cgroup, joined.cgroup, linux_));
  const bool own_ipc = service.ipc_mode == "shareable" || service.ipc_mode == "none";
  TRY(lower_mode("ipc", own_ipc ? "private" : service.ipc_mode, NamespaceType::ipc, joined.ipc, linux_));
  linux_.cgroups_path = cgroups_path(service, context);
  return lower_names(service, context, config);
}

Status lower_service(const Service &service, const LowerContext &context, spec::Config &config) {
  TRY(check_context(context, config));
  const Service whole = context.image == nullptr ? service : with_image_defaults(service, *context.image);
  TRY(lower_namespaces(whole, context, config));
  TRY(lower_process(whole, context, config));
  TRY(lower_resources(whole, context, config));
  TRY(lower_devices(whole, context, config));
  TRY(lower_mounts(whole, context, config));
  TRY(lower_cdi(whole, context, config));
  TRY(lower_capabilities(whole, context, config));
  TRY(lower_security(whole, context, config));
  TRY(lower_init(whole, context, config));
  for (const auto &[key, value] : whole.annotations) config.annotations.insert_or_assign(key, value);
  return {};
}

}  // namespace skiff::compose
