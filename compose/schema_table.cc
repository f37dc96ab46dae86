#include <array>

#include "compose/schema.h"

namespace skiff::compose {
namespace {

using enum Form;
using Keys = std::span<const Key>;

constexpr Key no_effect(std::string_view name, Form form, Keys keys = {}) {
  return {.name = name, .form = form, .keys = keys, .effect = Effect::none};
}

constexpr std::array limit_keys = {Key{"path"}, Key{"rate", bytes}};
constexpr std::array weight_keys = {Key{"path"}, Key{"weight", integer}};
constexpr std::array blkio_keys = {
    Key{"weight", integer},
    Key{"weight_device", objects, weight_keys},
    Key{"device_read_bps", objects, limit_keys},
    Key{"device_read_iops", objects, limit_keys},
    Key{"device_write_bps", objects, limit_keys},
    Key{"device_write_iops", objects, limit_keys},
};

constexpr std::array ulimit_keys = {Key{"soft", integer}, Key{"hard", integer}};
constexpr std::array file_mount_keys = {Key{"source"}, Key{"target"}, Key{"uid"}, Key{"gid"}, Key{"mode"}};

constexpr std::array build_keys = {
    Key{"context"},
    Key{"dockerfile"},
    Key{"dockerfile_inline"},
    no_effect("entitlements", texts),
    Key{"args", text_map},
    no_effect("provenance", text),
    no_effect("sbom", text),
    no_effect("ssh", texts),
    no_effect("labels", text_map),
    no_effect("cache_from", texts),
    no_effect("cache_to", texts),
    Key{"no_cache", boolean},
    no_effect("additional_contexts", text_map),
    Key{"pull", boolean},
    no_effect("extra_hosts", texts),
    no_effect("isolation", text),
    no_effect("network", text),
    Key{"target"},
    no_effect("secrets", objects, file_mount_keys),
    no_effect("shm_size", bytes),
    Key{"tags", texts, {}, Join::unique},
    no_effect("ulimits", any),
    no_effect("platforms", texts),
    no_effect("privileged", boolean),
};

constexpr std::array hook_keys = {
    Key{"command", texts, {}, Join::replace},
    Key{"user"},
    Key{"privileged", boolean},
    Key{"working_dir"},
    Key{"environment", text_map},
};

constexpr std::array watch_keys = {
    Key{"path"},
    Key{.name = "action", .choices = "rebuild|restart|sync|sync+restart|sync+exec"},
    Key{"target"},
    Key{"exec", object, hook_keys},
    Key{"include", texts},
    Key{"ignore", texts},
    Key{"initial_sync", boolean},
};
constexpr std::array develop_keys = {Key{"watch", objects, watch_keys}};

constexpr std::array dependency_keys = {
    Key{.name = "condition", .choices = "service_started|service_healthy|service_completed_successfully"},
    Key{"restart", boolean},
    Key{"required", boolean},
};

constexpr std::array update_keys = {
    Key{"parallelism", integer}, Key{"delay", duration},           Key{"failure_action"},
    Key{"monitor", duration},    Key{"max_failure_ratio", number}, Key{"order"},
};
constexpr std::array device_request_keys = {
    Key{"capabilities", texts}, Key{"driver"}, Key{"count", integer}, Key{"device_ids", texts},
    Key{"options", text_map},
};
constexpr std::array discrete_keys = {Key{"kind"}, Key{"value", integer}};
constexpr std::array generic_keys = {Key{"discrete_resource_spec", object, discrete_keys}};
constexpr std::array limits_keys = {Key{"cpus", number}, Key{"memory", bytes}, Key{"pids", integer}};
constexpr std::array reservation_keys = {
    Key{"cpus", number},
    Key{"memory", bytes},
    Key{"devices", objects, device_request_keys},
    no_effect("generic_resources", objects, generic_keys),
};
constexpr std::array resources_keys = {Key{"limits", object, limits_keys},
                                       Key{"reservations", object, reservation_keys}};
constexpr std::array restart_policy_keys = {
    Key{.name = "condition", .choices = "none|on-failure|any"},
    Key{"delay", duration},
    Key{"max_attempts", integer},
    Key{"window", duration},
};
constexpr std::array preference_keys = {Key{"spread"}};
constexpr std::array placement_keys = {Key{"constraints", texts}, Key{"preferences", objects, preference_keys},
                                       Key{"max_replicas_per_node", integer}};
constexpr std::array deploy_keys = {
    Key{.name = "mode", .choices = "global|replicated|replicated-job|global-job"},
    Key{"replicas", integer},
    no_effect("labels", text_map),
    no_effect("update_config", object, update_keys),
    no_effect("rollback_config", object, update_keys),
    Key{"resources", object, resources_keys},
    Key{"restart_policy", object, restart_policy_keys},
    no_effect("placement", object, placement_keys),
    no_effect("endpoint_mode", text),
};

constexpr std::array device_keys = {Key{"source"}, Key{"target"}, Key{"permissions"}};
constexpr std::array credential_keys = {Key{"config"}, Key{"file"}, Key{"registry"}};
constexpr std::array provider_keys = {Key{"type"}, Key{"options", any}};
constexpr std::array env_file_keys = {Key{"path"}, Key{"required", boolean}, Key{.name = "format", .choices = "raw"}};
constexpr std::array extends_keys = {Key{"file"}, Key{"service"}};

constexpr std::array health_keys = {
    Key{"test", texts, {}, Join::replace},
    Key{"timeout", duration},
    Key{"interval", duration},
    Key{"retries", integer},
    Key{"start_period", duration},
    Key{"start_interval", duration},
    Key{"disable", boolean},
};

constexpr std::array logging_keys = {Key{"driver"}, Key{"options", text_map}};
constexpr std::array model_use_keys = {Key{"endpoint_var"}, Key{"model_var"}};

constexpr std::array attachment_keys = {
    Key{"aliases", texts, {}, Join::unique},
    no_effect("driver_opts", text_map),
    no_effect("gw_priority", integer),
    Key{"interface_name"},
    Key{"ipv4_address"},
    Key{"ipv6_address"},
    no_effect("link_local_ips", texts),
    Key{"mac_address"},
    Key{"priority", integer},
};

constexpr std::array port_keys = {
    Key{.name = "name", .effect = Effect::remark},
    Key{.name = "mode", .effect = Effect::remark, .choices = "host|ingress"},
    Key{"host_ip"},
    Key{"target", integer},
    Key{"published"},
    Key{.name = "protocol", .choices = "tcp|udp|sctp"},
    Key{.name = "app_protocol", .effect = Effect::remark},
};

constexpr std::array mount_bind_keys = {
    Key{.name = "selinux", .effect = Effect::remark},
    Key{.name = "propagation", .choices = "private|rprivate|shared|rshared|slave|rslave"},
    Key{"create_host_path", boolean},
    Key{.name = "recursive", .choices = "enabled|disabled|writable|readonly"},
};
constexpr std::array mount_volume_keys = {no_effect("labels", text_map), Key{"nocopy", boolean}, Key{"subpath"}};
constexpr std::array mount_tmpfs_keys = {Key{"size", bytes}, Key{"mode", integer}};
constexpr std::array mount_image_keys = {Key{"subpath"}};
constexpr std::array mount_keys = {
    Key{.name = "type", .choices = "bind|volume|tmpfs|cluster|npipe|image"},
    Key{"source"},
    Key{"target"},
    Key{"read_only", boolean},
    Key{.name = "consistency", .effect = Effect::remark},
    Key{"bind", object, mount_bind_keys},
    Key{"volume", object, mount_volume_keys},
    Key{"tmpfs", object, mount_tmpfs_keys},
    Key{"image", object, mount_image_keys},
};

// What .ctst and `run` can say and the compose-spec cannot.
constexpr std::array own_keys = {
    Key{"rootfs"},
    Key{"seccomp"},
    Key{"cpu_weight", integer},
    Key{"drop_all_capabilities", boolean},
    Key{"uid_maps", texts},
    Key{"gid_maps", texts},
    Key{"secret_references", texts},
};

constexpr std::array service_keys = {
    Key{"profiles", texts, {}, Join::unique},
    Key{"annotations", text_map},
    Key{"attach", boolean},
    Key{"build", object, build_keys},
    Key{"develop", object, develop_keys},
    Key{"blkio_config", object, blkio_keys},
    Key{"cap_add", texts, {}, Join::unique},
    Key{"cap_drop", texts, {}, Join::unique},
    Key{"cgroup_parent"},
    Key{.name = "cgroup", .choices = "host|private"},
    no_effect("cpu_count", integer),
    no_effect("cpu_percent", number),
    Key{"cpu_period", integer},
    Key{"cpu_quota", integer},
    no_effect("cpu_rt_period", text),
    no_effect("cpu_rt_runtime", text),
    Key{"cpus", number},
    Key{"cpuset"},
    Key{"cpu_shares", integer},
    Key{"command", texts, {}, Join::replace},
    Key{"configs", objects, file_mount_keys, Join::by_file},
    Key{"container_name"},
    no_effect("credential_spec", object, credential_keys),
    Key{"depends_on", named, dependency_keys},
    Key{"deploy", object, deploy_keys},
    Key{"device_cgroup_rules", texts},
    Key{"devices", objects, device_keys, Join::by_target},
    Key{"dns", texts, {}, Join::unique},
    Key{"dns_opt", texts, {}, Join::unique},
    Key{"dns_search", texts, {}, Join::unique},
    Key{"domainname"},
    Key{"entrypoint", texts, {}, Join::replace},
    no_effect("provider", object, provider_keys),
    Key{"environment", text_map},
    Key{"env_file", objects, env_file_keys, Join::by_path},
    Key{"expose", texts, {}, Join::unique},
    Key{"extends", object, extends_keys},
    no_effect("external_links", texts),
    Key{"extra_hosts", texts, {}, Join::by_name},
    Key{"group_add", texts, {}, Join::unique},
    Key{"gpus", objects, device_request_keys},
    Key{"hostname"},
    Key{"healthcheck", object, health_keys},
    Key{"image"},
    Key{"init", boolean},
    Key{"ipc"},
    no_effect("isolation", text),
    Key{"labels", text_map},
    Key{"label_file", texts},
    no_effect("links", texts),
    Key{"logging", object, logging_keys, Join::with_driver},
    Key{"mem_limit", bytes},
    Key{"mem_reservation", bytes},
    Key{"memswap_limit", bytes},
    Key{"mem_swappiness", integer},
    Key{"mac_address"},
    no_effect("models", named, model_use_keys),
    Key{"network_mode"},
    Key{"networks", named, attachment_keys},
    Key{"oom_kill_disable", boolean},
    Key{"oom_score_adj", integer},
    Key{"pid"},
    Key{"pids_limit", integer},
    Key{"platform"},
    Key{"ports", objects, port_keys, Join::by_port},
    Key{"privileged", boolean},
    Key{"pull_policy"},
    no_effect("pull_refresh_after", text),
    Key{"read_only", boolean},
    Key{"restart"},
    Key{"runtime"},
    Key{"scale", integer},
    Key{"secrets", objects, file_mount_keys, Join::by_file},
    Key{"security_opt", texts, {}, Join::unique},
    Key{"shm_size", bytes},
    Key{"stdin_open", boolean},
    Key{"stop_grace_period", duration},
    Key{"stop_signal"},
    no_effect("storage_opt", text_map),
    Key{"sysctls", text_map},
    Key{"tmpfs", texts, {}, Join::unique},
    Key{"tty", boolean},
    Key{"ulimits", named, ulimit_keys},
    no_effect("use_api_socket", boolean),
    Key{"user"},
    Key{"userns_mode"},
    Key{"uts"},
    Key{"volumes", objects, mount_keys, Join::by_target},
    Key{"volumes_from", texts, {}, Join::unique},
    Key{"working_dir"},
    no_effect("pre_start", objects, hook_keys),
    Key{"post_start", objects, hook_keys},
    Key{"pre_stop", objects, hook_keys},
    Key{"x-skiff", object, own_keys},
};

constexpr std::array pool_keys = {Key{"subnet"}, Key{"gateway"}, Key{"ip_range"}, Key{"aux_addresses", text_map}};
constexpr std::array ipam_keys = {Key{"driver"}, Key{"config", objects, pool_keys, Join::by_subnet},
                                  no_effect("options", text_map)};
constexpr std::array network_keys = {
    Key{"name"},
    Key{"driver"},
    Key{"driver_opts", text_map},
    Key{"ipam", object, ipam_keys},
    Key{"external", boolean},
    Key{"internal", boolean},
    Key{"attachable", boolean},
    Key{"labels", text_map},
    Key{"enable_ipv4", boolean},
    Key{"enable_ipv6", boolean},
};
constexpr std::array volume_keys = {Key{"name"}, Key{"driver"}, Key{"driver_opts", text_map}, Key{"external", boolean},
                                    Key{"labels", text_map}};
constexpr std::array source_keys = {
    Key{"name"},
    Key{"file"},
    Key{"environment"},
    Key{"content"},
    Key{"external", boolean},
    Key{.name = "labels", .form = text_map, .effect = Effect::remark},
    no_effect("driver", text),
    no_effect("driver_opts", text_map),
    no_effect("template_driver", text),
};
constexpr std::array model_keys = {Key{"name"}, Key{"model"}, Key{"context_size", integer},
                                   Key{"runtime_flags", texts}};
constexpr std::array include_keys = {Key{"path", texts}, Key{"project_directory"}, Key{"env_file", texts}};

constexpr std::array all_keys = {
    Key{.name = "version", .effect = Effect::remark},
    Key{"name"},
    Key{"include", objects, include_keys},
    Key{"services", named, service_keys},
    Key{"networks", named, network_keys},
    Key{"volumes", named, volume_keys},
    Key{"secrets", named, source_keys},
    Key{"configs", named, source_keys},
    no_effect("models", named, model_keys),
};

}  // namespace

std::span<const Key> file_keys() { return all_keys; }

}  // namespace skiff::compose
