#include "compose/inspection.h"

#include <fmt/format.h>

#include "compose/health.h"
#include "compose/network.h"
#include "compose/record_fields.h"
#include "compose/rootfs_mount.h"
#include "spec/config.h"

namespace skiff::compose {
namespace {

struct CheckShape {
  const HealthResult *result = nullptr;
};

struct Health {
  const HealthReport *report = nullptr;
};

struct State {
  const Container *container = nullptr;
  const HealthReport *health = nullptr;
};

struct Binding {
  std::string address;
  std::string port;
};

struct RestartShape {
  std::string name;
  std::int64_t retries = 0;
};

struct LogShape {
  std::string type;
  std::map<std::string, std::string> config;
};

using Bindings = std::map<std::string, std::vector<Binding>>;

struct HostShape {
  const ContainerRecord *record = nullptr;
  const spec::Config *config = nullptr;
};

struct ConfigShape {
  const ContainerRecord *record = nullptr;
  const spec::Config *config = nullptr;
};

struct MountShape {
  const MountRecord *mount = nullptr;
};

struct EndpointShape {
  std::vector<std::string> aliases;
  std::string mac;
  std::string gateway;
  std::string address;
  std::int64_t prefix = 0;
  std::string address6;
  std::int64_t prefix6 = 0;
  std::string gateway6;
};

struct NetworkShape {
  std::string sandbox;
  Bindings ports;
  std::map<std::string, EndpointShape> networks;
};

struct Shape {
  const Container *container = nullptr;
  State state;
  std::vector<std::string> args;
  std::string path;
  std::string log_path;
  std::string resolv, hostname, hosts;
  HostShape host;
  ConfigShape config;
  std::vector<MountShape> mounts;
  NetworkShape network;
};

void fields(auto &v, const CheckShape &check) {
  v.always("Start", check.result->start);
  v.always("End", check.result->end);
  v.always("ExitCode", check.result->exit_code);
  v.always("Output", check.result->output);
}

void fields(auto &v, const Health &health) {
  v.always("Status", health.report->status);
  v.always("FailingStreak", health.report->failing_streak);
  std::vector<CheckShape> checks;
  for (const HealthResult &result : health.report->log) checks.push_back({&result});
  v.always("Log", checks);
}

void fields(auto &v, const State &state) {
  using Phase = ContainerState::Phase;
  constexpr std::string_view never = "0001-01-01T00:00:00Z";
  const ContainerState &now = state.container->state;
  const auto time = [&](const std::string &text) { return text.empty() ? std::string(never) : text; };
  v.always("Status", std::string(phase_name(now.phase)));
  v.always("Running", now.is_running());
  v.always("Paused", now.phase == Phase::paused);
  v.always("Restarting", now.phase == Phase::restarting);
  v.always("OOMKilled", now.run.oom_killed);
  v.always("Dead", false);
  v.always("Pid", now.is_running() ? now.run.pid : 0);
  v.always("ExitCode", now.is_running() ? 0 : now.run.exit_code);
  v.always("Error", now.run.error);
  v.always("StartedAt", time(now.run.started));
  v.always("FinishedAt", time(now.run.finished));
  if (state.health != nullptr) v.always("Health", Health{state.health});
}

void fields(auto &v, const Binding &binding) {
  v.always("HostIp", binding.address);
  v.always("HostPort", binding.port);
}

void fields(auto &v, const RestartShape &restart) {
  v.always("Name", restart.name);
  v.always("MaximumRetryCount", restart.retries);
}

void fields(auto &v, const LogShape &log) {
  v.always("Type", log.type);
  v.always("Config", log.config);
}

std::string port_key(const Port &port) { return fmt::format("{}/{}", port.container, port.protocol); }

Bindings bindings_of(const ContainerRecord &record) {
  Bindings bindings;
  for (const Port &port : record.ports) {
    bindings[port_key(port)].push_back(
        {port.host_address.empty() ? "0.0.0.0" : port.host_address, port.host ? std::to_string(*port.host) : ""});
  }
  return bindings;
}

void fields(auto &v, const HostShape &host) {
  const ContainerRecord &record = *host.record;
  const spec::Resources none;
  const spec::Resources &resources = host.config->linux_.resources ? *host.config->linux_.resources : none;
  const spec::Memory memory = resources.memory.value_or(spec::Memory());
  const spec::Cpu cpu = resources.cpu.value_or(spec::Cpu());
  std::vector<std::string> binds;
  for (const MountRecord &mount : record.mounts) {
    if (mount.kind == Mount::Kind::tmpfs) continue;
    binds.push_back(fmt::format("{}:{}{}", mount.kind == Mount::Kind::volume ? mount.name : mount.source, mount.target,
                                mount.read_only ? ":ro" : ""));
  }
  const std::string network = !record.network_mode.empty() ? record.network_mode
                              : record.networks.empty()    ? "none"
                                                           : record.networks.front().network;
  v.always("Binds", binds);
  v.always("LogConfig",
           LogShape{record.logging.driver.empty() ? "json-file" : record.logging.driver, record.logging.options});
  v.always("NetworkMode", network);
  v.always("PortBindings", bindings_of(record));
  v.always("RestartPolicy", RestartShape{std::string(restart_names[static_cast<std::size_t>(record.restart.policy)]),
                                         record.restart.max_retries.value_or(0)});
  v.always("AutoRemove", record.auto_remove);
  v.always("Privileged", record.privileged);
  v.always("ReadonlyRootfs", host.config->root && host.config->root->readonly);
  v.always("Dns", record.dns);
  v.always("DnsSearch", record.dns_search);
  v.always("DnsOptions", record.dns_options);
  v.always("PidMode", record.pid_mode);
  v.always("IpcMode", record.ipc_mode);
  v.always("Memory", memory.limit.value_or(0));
  v.always("MemorySwap", memory.swap.value_or(0));
  v.always("MemoryReservation", memory.reservation.value_or(0));
  v.always("CpuShares", cpu.shares.value_or(0));
  v.always("CpuPeriod", cpu.period.value_or(0));
  v.always("CpuQuota", cpu.quota.value_or(0));
  v.always("CpusetCpus", cpu.cpus);
  v.always("CpusetMems", cpu.mems);
  v.always("PidsLimit", resources.pids ? resources.pids->limit.value_or(0) : 0);
  v.always("CgroupParent", host.config->linux_.cgroups_path);
  v.always("MaskedPaths", host.config->linux_.masked_paths);
  v.always("ReadonlyPaths", host.config->linux_.readonly_paths);
  v.always("Runtime", std::string("skiff"));
}

void fields(auto &v, const ConfigShape &shape) {
  const ContainerRecord &record = *shape.record;
  std::map<std::string, std::map<std::string, std::string>> exposed;
  for (const std::string &port : record.exposed) exposed[port];
  for (const Port &port : record.ports) exposed[port_key(port)];
  v.always("Hostname", record.hostname);
  v.always("Domainname", record.domainname);
  v.always("User", record.user);
  v.always("Tty", record.tty);
  v.always("OpenStdin", record.stdin_open);
  v.always("StdinOnce", record.stdin_once);
  v.always("Env", shape.config->process ? shape.config->process->env : std::vector<std::string>());
  v.always("Cmd", record.command);
  v.always("Entrypoint", record.entrypoint);
  v.always("Image", record.image);
  v.always("WorkingDir", record.working_dir);
  v.always("ExposedPorts", exposed);
  v.always("Labels", record.labels);
  v.always("StopSignal", record.stop_signal.empty() ? std::string("SIGTERM") : record.stop_signal);
  v.always("StopTimeout",
           record.stop_timeout ? std::chrono::duration_cast<std::chrono::seconds>(*record.stop_timeout).count() : 10);
  v.optional("Healthcheck", record.health_check);
}

void fields(auto &v, const MountShape &shape) {
  v.always("Type", std::string(mount_kind_names[static_cast<std::size_t>(shape.mount->kind)]));
  v.optional("Name", shape.mount->name);
  v.always("Source", shape.mount->source);
  v.always("Destination", shape.mount->target);
  v.always("Mode", std::string());
  v.always("RW", !shape.mount->read_only);
}

void fields(auto &v, const EndpointShape &endpoint) {
  v.always("Aliases", endpoint.aliases);
  v.always("MacAddress", endpoint.mac);
  v.always("Gateway", endpoint.gateway);
  v.always("IPAddress", endpoint.address);
  v.always("IPPrefixLen", endpoint.prefix);
  v.always("IPv6Gateway", endpoint.gateway6);
  v.always("GlobalIPv6Address", endpoint.address6);
  v.always("GlobalIPv6PrefixLen", endpoint.prefix6);
}

void fields(auto &v, const NetworkShape &network) {
  v.always("SandboxKey", network.sandbox);
  v.always("Ports", network.ports);
  v.always("Networks", network.networks);
}

void fields(auto &v, const Shape &shape) {
  const ContainerRecord &record = shape.container->record;
  v.always("Id", record.id);
  v.always("Created", record.created);
  v.always("Path", shape.path);
  v.always("Args", shape.args);
  v.always("State", shape.state);
  v.always("Image", record.image_id);
  v.always("ResolvConfPath", shape.resolv);
  v.always("HostnamePath", shape.hostname);
  v.always("HostsPath", shape.hosts);
  v.always("LogPath", shape.log_path);
  v.always("Name", "/" + record.name);
  v.always("RestartCount", shape.container->state.run.restarts);
  v.always("Driver", std::string(record.layers.empty() ? "plain" : "overlay"));
  v.always("Platform", record.platform.empty() ? std::string("linux") : record.platform);
  v.always("HostConfig", shape.host);
  v.always("Mounts", shape.mounts);
  v.always("Config", shape.config);
  v.always("NetworkSettings", shape.network);
}

EndpointShape endpoint_shape(const Endpoint &endpoint) {
  EndpointShape shape;
  shape.aliases = endpoint.aliases;
  shape.mac = endpoint.mac_address;
  for (const std::string &address : endpoint.addresses) {
    const std::size_t slash = std::min(address.find('/'), address.size());
    const bool v6 = address.find(':') != std::string::npos;
    (v6 ? shape.address6 : shape.address) = address.substr(0, slash);
    if (slash < address.size()) (v6 ? shape.prefix6 : shape.prefix) = std::atoi(address.c_str() + slash + 1);
  }
  for (const std::string &gateway : endpoint.gateways) {
    (gateway.find(':') != std::string::npos ? shape.gateway6 : shape.gateway) = gateway;
  }
  return shape;
}

NetworkShape network_shape(const Places &places, const ContainerRecord &record) {
  NetworkShape shape;
  const Result<NetworkState> state = find_attached(places, record.id);
  shape.ports = state ? bindings_of(record) : Bindings();
  for (const Attachment &attachment : record.networks) shape.networks[attachment.network];
  if (!state) return shape;
  shape.sandbox = state->path;
  for (const Endpoint &endpoint : state->endpoints) shape.networks[endpoint.network] = endpoint_shape(endpoint);
  return shape;
}

}  // namespace

Result<std::string> inspection(const Engine &engine, const Container &container) {
  const ContainerRecord &record = container.record;
  const std::string folder = engine.places.directory(record.id);
  // Torn or missing: what is left of the container is still to be seen.
  const spec::Config config =
      spec::parse_config(TRY(read_if_there(bundle_of(engine.places, record.id) + "/config.json"))).config;
  Shape shape;
  shape.container = &container;
  HealthReport health;
  if (has_health_check(record)) health = TRY(load_health(engine.places, record.id));
  shape.state = {.container = &container, .health = has_health_check(record) ? &health : nullptr};
  if (config.process && !config.process->args.empty()) {
    shape.path = config.process->args.front();
    shape.args.assign(config.process->args.begin() + 1, config.process->args.end());
  }
  shape.log_path = record.logging.driver == "none" ? "" : folder + "/log";
  shape.resolv = folder + "/resolv.conf";
  shape.hostname = folder + "/hostname";
  shape.hosts = folder + "/hosts";
  shape.host = {.record = &record, .config = &config};
  shape.config = {.record = &record, .config = &config};
  for (const MountRecord &mount : record.mounts) shape.mounts.push_back({&mount});
  shape.network = network_shape(engine.places, record);
  return spec::Writer("    ").document(shape);
}

}  // namespace skiff::compose
