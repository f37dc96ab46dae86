// The members of our own records, for spec's Reader and Writer.
#pragma once

#include "compose/container.h"
#include "spec/fields_linux.h"
#include "spec/reader.h"
#include "spec/writer.h"

namespace skiff::compose {

constexpr std::array<std::string_view, 3> mount_kind_names = {"bind", "volume", "tmpfs"};
constexpr std::array<std::string_view, 4> restart_names = {"no", "always", "on-failure", "unless-stopped"};
constexpr std::span<const std::string_view> names_of(Mount::Kind /*type*/) { return mount_kind_names; }
constexpr std::span<const std::string_view> names_of(Restart::Policy /*type*/) { return restart_names; }

// In nanoseconds, as docker's documents have it.
void duration_field(auto &v, std::string_view key, auto &duration) {
  std::optional<std::int64_t> count;
  if (duration) count = duration->count();
  v.optional(key, count);
  if constexpr (!std::is_const_v<std::remove_reference_t<decltype(duration)>>) {
    if (count) duration = Duration(*count);
  }
}

void fields(auto &v, spec::Like<MountRecord> auto &mount) {
  v.always("kind", mount.kind);
  v.optional("name", mount.name);
  v.optional("source", mount.source);
  v.optional("target", mount.target);
  v.optional("readOnly", mount.read_only);
  v.optional("anonymous", mount.anonymous);
  v.optional("subpath", mount.subpath);
}

void fields(auto &v, spec::Like<ExtraHost> auto &host) {
  v.optional("name", host.name);
  v.optional("address", host.address);
}

void fields(auto &v, spec::Like<Port> auto &port) {
  v.always("container", port.container);
  v.optional("host", port.host);
  v.optional("hostLast", port.host_last);
  v.optional("hostAddress", port.host_address);
  v.optional("protocol", port.protocol);
}

void fields(auto &v, spec::Like<Attachment> auto &attachment) {
  v.optional("network", attachment.network);
  v.optional("aliases", attachment.aliases);
  v.optional("ipv4Address", attachment.ipv4_address);
  v.optional("ipv6Address", attachment.ipv6_address);
  v.optional("macAddress", attachment.mac_address);
  v.optional("interfaceName", attachment.interface_name);
  v.optional("priority", attachment.priority);
}

void fields(auto &v, spec::Like<Restart> auto &restart) {
  v.always("policy", restart.policy);
  v.optional("maxRetries", restart.max_retries);
  duration_field(v, "delay", restart.delay);
  duration_field(v, "window", restart.window);
}

void fields(auto &v, spec::Like<HealthCheck> auto &check) {
  v.optional("disable", check.disable);
  v.optional("test", check.test);
  duration_field(v, "interval", check.interval);
  duration_field(v, "timeout", check.timeout);
  duration_field(v, "startPeriod", check.start_period);
  duration_field(v, "startInterval", check.start_interval);
  v.optional("retries", check.retries);
}

void fields(auto &v, spec::Like<Logging> auto &logging) {
  v.optional("driver", logging.driver);
  v.optional("options", logging.options);
}

// What the hook adds to the container's environment. No more secret than that, which the bundle holds.
void environment_field(auto &v, std::string_view key, auto &environment) {
  std::vector<std::string> words;
  for (const auto &[name, value] : environment) words.push_back(value ? name + "=" + *value : name);
  v.optional(key, words);
  if constexpr (!std::is_const_v<std::remove_reference_t<decltype(environment)>>) {
    for (const std::string &word : words) {
      const std::size_t equals = word.find('=');
      const bool valued = equals != std::string::npos;
      environment.emplace_back(word.substr(0, equals), valued ? std::optional(word.substr(equals + 1)) : std::nullopt);
    }
  }
}

void fields(auto &v, spec::Like<Hook> auto &hook) {
  v.optional("command", hook.command);
  environment_field(v, "environment", hook.environment);
  v.optional("user", hook.user);
  v.optional("workingDir", hook.working_dir);
  v.optional("privileged", hook.privileged);
}

void fields(auto &v, spec::Like<ContainerRecord> auto &record) {
  v.required("id", record.id);
  v.required("name", record.name);
  v.optional("project", record.project);
  v.optional("service", record.service);
  v.optional("number", record.number);
  v.optional("oneOff", record.one_off);
  v.optional("configHash", record.config_hash);
  v.optional("image", record.image);
  v.optional("imageId", record.image_id);
  v.optional("created", record.created);
  v.optional("ready", record.ready);
  v.optional("rootfs", record.rootfs);
  v.optional("layers", record.layers);
  v.optional("entrypoint", record.entrypoint);
  v.optional("command", record.command);
  v.optional("hostname", record.hostname);
  v.optional("domainname", record.domainname);
  v.optional("dns", record.dns);
  v.optional("dnsSearch", record.dns_search);
  v.optional("dnsOptions", record.dns_options);
  v.optional("extraHosts", record.extra_hosts);
  v.optional("user", record.user);
  v.optional("workingDir", record.working_dir);
  v.optional("platform", record.platform);
  v.free_text("labels", record.labels);
  v.optional("restart", record.restart);
  v.optional("healthCheck", record.health_check);
  v.optional("ports", record.ports);
  v.optional("exposed", record.exposed);
  v.optional("networks", record.networks);
  v.optional("networkMode", record.network_mode);
  v.optional("pidMode", record.pid_mode);
  v.optional("ipcMode", record.ipc_mode);
  v.optional("utsMode", record.uts_mode);
  v.optional("usernsMode", record.userns_mode);
  v.optional("cgroupMode", record.cgroup_mode);
  v.optional("uidMappings", record.uid_mappings);
  v.optional("gidMappings", record.gid_mappings);
  v.optional("idsAreReserved", record.ids_are_reserved);
  v.optional("shmSize", record.shm_size);
  v.optional("mounts", record.mounts);
  v.optional("logging", record.logging);
  v.optional("stopSignal", record.stop_signal);
  duration_field(v, "stopTimeout", record.stop_timeout);
  v.optional("postStart", record.post_start);
  v.optional("preStop", record.pre_stop);
  v.optional("tty", record.tty);
  v.optional("stdinOpen", record.stdin_open);
  v.optional("stdinOnce", record.stdin_once);
  v.optional("autoRemove", record.auto_remove);
  v.optional("privileged", record.privileged);
}

void fields(auto &v, spec::Like<RunRecord> auto &run) {
  v.optional("bootId", run.boot_id);
  v.optional("pid", run.pid);
  v.optional("startTime", run.start_time);
  v.optional("monitorPid", run.monitor_pid);
  v.optional("monitorStartTime", run.monitor_start_time);
  v.optional("started", run.started);
  v.optional("finished", run.finished);
  v.optional("exitCode", run.exit_code);
  v.optional("oomKilled", run.oom_killed);
  v.optional("error", run.error);
  v.optional("stoppedByUser", run.stopped_by_user);
  v.optional("settled", run.settled);
  v.optional("restarts", run.restarts);
}

// One document of ours: what it cannot be read as is an error that names the file.
template <class T>
[[nodiscard]] Result<T> parse_document(const std::string &path, std::string_view text) {
  std::vector<spec::Finding> findings;
  T value;
  const auto document = spec::json::Document::parse(text);
  if (!document) {
    findings.push_back(document.error());
  } else {
    spec::Reader(findings).document(document->root(), value);
  }
  if (!findings.empty()) return std::unexpected(spec::findings_error(path, findings));
  return value;
}

}  // namespace skiff::compose
