#include "compose/decode_service.h"

#include <fmt/format.h>

#include <limits>

#include "compose/scalars.h"
#include "compose/schema.h"
#include "runtime/cli/value.h"

namespace skiff::compose {
namespace {

constexpr std::int64_t most_count = 1000000;

std::optional<Build> decode_build(const Fields &service) {
  if (service.find("build") == nullptr) return std::nullopt;
  const Fields fields = service.sub("build");
  Build build;
  build.context = fields.text("context");
  build.dockerfile = fields.text("dockerfile");
  build.dockerfile_inline = fields.text("dockerfile_inline");
  if (!build.dockerfile_inline.empty() && !build.dockerfile.empty()) {
    fields.error(fields.find("dockerfile")->at, "build",
                 fmt::format("{}: dockerfile and dockerfile_inline exclude each other", fields.path()));
  }
  build.args = fields.environment("args");
  build.target = fields.text("target");
  build.tags = fields.texts("tags");
  build.no_cache = fields.boolean("no_cache");
  build.pull = fields.boolean("pull");
  return build;
}

std::vector<Dependency> decode_dependencies(const Fields &service) {
  std::vector<Dependency> dependencies;
  const Value *all = service.find("depends_on");
  if (all == nullptr) return dependencies;
  for (const Member &member : all->members) {
    const Fields fields = service.sub("depends_on").sub(member.key);
    Dependency one{.service = member.key};
    const std::string condition = fields.text("condition");
    if (condition == "service_healthy") one.condition = Dependency::Condition::healthy;
    if (condition == "service_completed_successfully") one.condition = Dependency::Condition::completed;
    one.restart = fields.boolean("restart");
    one.required = fields.boolean("required", true);
    dependencies.push_back(std::move(one));
  }
  return dependencies;
}

std::optional<HealthCheck> decode_health(const Fields &service) {
  if (service.find("healthcheck") == nullptr) return std::nullopt;
  const Fields fields = service.sub("healthcheck");
  HealthCheck check;
  check.disable = fields.boolean("disable");
  check.test = fields.texts("test");
  if (!check.test.empty() && check.test[0] == "NONE") check.disable = true;
  const bool known =
      check.test.empty() || check.test[0] == "NONE" || check.test[0] == "CMD" || check.test[0] == "CMD-SHELL";
  if (!known) {
    fields.error(fields.find("test")->at, "healthcheck",
                 fmt::format("{}.test: it begins with \"{}\"", fields.path(), check.test[0]),
                 "a list begins with NONE, CMD or CMD-SHELL");
  }
  check.interval = fields.duration("interval");
  check.timeout = fields.duration("timeout");
  check.start_period = fields.duration("start_period");
  check.start_interval = fields.duration("start_interval");
  if (const std::optional<std::int64_t> retries = fields.integer("retries", 0, most_count)) {
    check.retries = static_cast<std::uint32_t>(*retries);
  }
  return check;
}

void restart_word(const Fields &service, Restart &restart) {
  const std::string text = service.text("restart");
  const std::size_t colon = text.find(':');
  const std::string word = text.substr(0, colon);
  if (word == "always") restart.policy = Restart::Policy::always;
  if (word == "unless-stopped") restart.policy = Restart::Policy::unless_stopped;
  if (word == "on-failure") restart.policy = Restart::Policy::on_failure;
  const bool known = word.empty() || word == "no" || restart.policy != Restart::Policy::no;
  if (colon != std::string::npos) {
    restart.max_retries = cli::parse_number<std::uint32_t>(std::string_view(text).substr(colon + 1));
  }
  const bool count = colon == std::string::npos || (word == "on-failure" && restart.max_retries);
  if (!known || !count)
    service.refuse("restart", *service.find("restart"), "no, always, unless-stopped or on-failure[:N]");
}

// `deploy.restart_policy` where `restart` is not said.
Restart decode_restart(const Fields &service) {
  Restart restart;
  if (service.find("restart") != nullptr) {
    restart_word(service, restart);
    return restart;
  }
  const Fields deploy = service.sub("deploy");
  if (deploy.find("restart_policy") == nullptr) return restart;
  const Fields fields = deploy.sub("restart_policy");
  const std::string condition = fields.text("condition");
  restart.policy = condition == "none"         ? Restart::Policy::no
                   : condition == "on-failure" ? Restart::Policy::on_failure
                                               : Restart::Policy::always;
  if (const std::optional<std::int64_t> attempts = fields.integer("max_attempts", 0, most_count)) {
    restart.max_retries = static_cast<std::uint32_t>(*attempts);
  }
  restart.delay = fields.duration("delay");
  restart.window = fields.duration("window");
  return restart;
}

Hook decode_hook(const Fields &fields) {
  Hook hook;
  hook.command = fields.texts("command");
  if (hook.command.empty()) fields.error(fields.at(), "hook", fmt::format("{}: command is missing", fields.path()));
  hook.user = fields.text("user");
  hook.working_dir = fields.text("working_dir");
  hook.environment = fields.environment("environment");
  hook.privileged = fields.boolean("privileged");
  return hook;
}

std::vector<Hook> decode_hooks(const Fields &service, std::string_view key) {
  std::vector<Hook> hooks;
  const Value *list = service.find(key);
  if (list == nullptr) return hooks;
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    hooks.push_back(decode_hook(service.entry(list->items[i], key, i)));
  }
  return hooks;
}

std::vector<WatchRule> decode_watch(const Fields &service) {
  std::vector<WatchRule> rules;
  const Fields develop = service.sub("develop");
  const Value *list = develop.find("watch");
  if (list == nullptr) return rules;
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const Fields fields = develop.entry(list->items[i], "watch", i);
    WatchRule rule;
    rule.path = fields.text("path");
    rule.action = fields.text("action");
    rule.target = fields.text("target");
    rule.ignore = fields.texts("ignore");
    rule.include = fields.texts("include");
    if (rule.action == "sync+exec") rule.exec = decode_hook(fields.sub("exec"));
    rule.initial_sync = fields.boolean("initial_sync");
    if (rule.path.empty() || rule.action.empty()) {
      fields.error(fields.at(), "watch", fmt::format("{}: it needs a path and an action", fields.path()));
    } else if (rule.action.starts_with("sync") && rule.target.empty()) {
      fields.error(fields.at(), "watch", fmt::format("{}: {} needs a target", fields.path(), rule.action));
    }
    rules.push_back(std::move(rule));
  }
  return rules;
}

bool is_pull_policy(std::string_view text) {
  for (const std::string_view word : {"", "always", "never", "missing", "if_not_present", "build", "daily", "weekly"}) {
    if (text == word) return true;
  }
  constexpr std::string_view every = "every_";
  return text.starts_with(every) && parse_duration(text.substr(every.size())).has_value();
}

void decode_image(const Fields &service, Service &into) {
  into.image = service.text("image");
  into.rootfs = service.sub("x-skiff").text("rootfs");
  into.build = decode_build(service);
  into.platform = service.text("platform");
  into.pull_policy = service.text("pull_policy");
  if (!is_pull_policy(into.pull_policy)) {
    service.refuse("pull_policy", *service.find("pull_policy"),
                   "always, never, missing, build, daily, weekly or every_DURATION");
  }
  if (into.pull_policy == "if_not_present") into.pull_policy = "missing";
}

void decode_process(const Fields &service, Service &into) {
  into.command = service.maybe_texts("command");
  into.entrypoint = service.maybe_texts("entrypoint");
  into.environment = service.environment("environment");
  into.user = service.text("user");
  into.group_add = service.texts("group_add");
  into.working_dir = service.text("working_dir");
  into.tty = service.boolean("tty");
  into.stdin_open = service.boolean("stdin_open");
  into.init = service.maybe_boolean("init");
  into.stop_signal = service.text("stop_signal");
  into.stop_grace_period = service.duration("stop_grace_period");
}

void decode_names(const Fields &service, Service &into) {
  into.container_name = service.text("container_name");
  into.hostname = service.text("hostname");
  into.domainname = service.text("domainname");
  into.labels = service.text_map("labels");
  into.annotations = service.text_map("annotations");
  into.network_mode = service.text("network_mode");
  if (into.network_mode == "bridge" || into.network_mode == "default") into.network_mode.clear();
  into.pid_mode = service.text("pid");
  into.ipc_mode = service.text("ipc");
  into.uts_mode = service.text("uts");
  into.userns_mode = service.text("userns_mode");
  into.cgroup_mode = service.text("cgroup");
  into.cgroup_parent = service.text("cgroup_parent");
  into.dns = service.texts("dns");
  into.dns_search = service.texts("dns_search");
  into.dns_options = service.texts("dns_opt");
  into.mac_address = service.text("mac_address");
  into.expose = service.texts("expose");
  into.volumes_from = service.texts("volumes_from");
  into.profiles = service.texts("profiles");
  into.attach = service.boolean("attach", true);
}

// `security_opt: ["seccomp:FILE"]`, as docker writes it too.
std::string seccomp_of(const Service &service, const Fields &own) {
  std::string profile = own.text("seccomp");
  for (const std::string &option : service.security_opt) {
    if (option.starts_with("seccomp=") || option.starts_with("seccomp:")) profile = option.substr(8);
  }
  if (profile == "unconfined") return "disabled";
  return profile == "builtin" ? "default" : profile;
}

void decode_rights(const Fields &service, Service &into) {
  const Fields own = service.sub("x-skiff");
  into.cap_add = service.texts("cap_add");
  into.cap_drop = service.texts("cap_drop");
  into.privileged = service.boolean("privileged");
  into.read_only = service.boolean("read_only");
  into.security_opt = service.texts("security_opt");
  into.seccomp = seccomp_of(into, own);
  into.uid_maps = own.texts("uid_maps");
  into.gid_maps = own.texts("gid_maps");
  into.drops_all_capabilities = own.boolean("drop_all_capabilities");
  into.secret_references = own.texts("secret_references");
  into.device_cgroup_rules = service.texts("device_cgroup_rules");
  into.sysctls = service.text_map("sysctls");
  into.runtime = service.text("runtime");
}

void decode_life(const Fields &service, Service &into) {
  into.depends_on = decode_dependencies(service);
  into.health_check = decode_health(service);
  into.restart = decode_restart(service);
  into.post_start = decode_hooks(service, "post_start");
  into.pre_stop = decode_hooks(service, "pre_stop");
  std::optional<std::int64_t> count = service.integer("scale", 0, most_count);
  if (!count) count = service.sub("deploy").integer("replicas", 0, most_count);
  into.replicas = static_cast<std::uint32_t>(count.value_or(1));
  into.logging.driver = service.sub("logging").text("driver");
  into.logging.options = service.sub("logging").text_map("options");
  into.watch = decode_watch(service);
}

}  // namespace

Service decode_service(const Member &member, Findings &findings) {
  const Fields fields(&member.value, join_path("services", member.key), findings);
  Service service;
  service.name = member.key;
  service.at = member.at;
  decode_image(fields, service);
  decode_process(fields, service);
  decode_names(fields, service);
  decode_rights(fields, service);
  decode_life(fields, service);
  decode_attachments(fields, service);
  decode_resources(fields, service);
  return service;
}

}  // namespace skiff::compose
