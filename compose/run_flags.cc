#include "compose/run_flags.h"

#include <algorithm>

#include "compose/env_file.h"
#include "compose/mount_form.h"
#include "compose/run_flags_parts.h"
#include "compose/split.h"
#include "runtime/cli/value.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {
namespace {

std::string text_of(const cli::Flags &flags, std::string_view name) { return std::string(flags.string(name)); }

Status take_environment(const cli::Flags &flags, Service &service) {
  for (const std::string_view path : flags.strings("env-file")) {
    for (auto &variable : TRY(in("--env-file", load_env_file(std::string(path))))) {
      set_variable(service.environment, std::move(variable));
    }
  }
  return each_value(flags, "env", [&](std::string_view value) -> Status {
    set_variable(service.environment, TRY(parse_variable(value)));
    return {};
  });
}

// KEY alone is KEY=.
Status take_label(Labels &labels, std::string_view text) {
  const auto [key, value] = split_once(text, '=');
  if (key.empty()) return fail("it has no key", "write KEY=VALUE");
  labels.insert_or_assign(std::string(key), std::string(value.value_or("")));
  return {};
}

Status take_labels(const cli::Flags &flags, Service &service) {
  for (const std::string_view path : flags.strings("label-file")) {
    for (auto &[key, value] : TRY(in("--label-file", load_env_file(std::string(path))))) {
      service.labels.insert_or_assign(key, value.value_or(""));
    }
  }
  TRY(each_value(flags, "label", [&](std::string_view value) { return take_label(service.labels, value); }));
  return each_value(flags, "annotation", [&](std::string_view value) -> Status {
    if (value.find('=') == std::string_view::npos) return fail("it has no value", "write KEY=VALUE");
    return take_label(service.annotations, value);
  });
}

Status take_process(const cli::Flags &flags, Service &service) {
  // docker: an empty one takes the image's away.
  if (flags.given("entrypoint")) {
    service.entrypoint.emplace();
    if (!flags.string("entrypoint").empty()) service.entrypoint->emplace_back(flags.string("entrypoint"));
  }
  service.working_dir = text_of(flags, "workdir");
  service.user = text_of(flags, "user");
  for (const std::string_view group : flags.strings("group-add")) service.group_add.emplace_back(group);
  service.tty = flags.boolean("tty");
  service.stdin_open = flags.boolean("interactive");
  if (flags.given("init")) service.init = flags.boolean("init");
  TRY(take_environment(flags, service));
  return take_labels(flags, service);
}

Status take_restart(const cli::Flags &flags, Restart &restart) {
  const auto [policy, times] = split_once(flags.string("restart"), ':');
  if (policy == "always") restart.policy = Restart::Policy::always;
  if (policy == "unless-stopped") restart.policy = Restart::Policy::unless_stopped;
  if (policy == "on-failure") restart.policy = Restart::Policy::on_failure;
  const bool known = restart.policy != Restart::Policy::no || policy == "no" || policy.empty();
  if (times) restart.max_retries = cli::parse_number<std::uint32_t>(*times);
  if (!known || (times && (!restart.max_retries || policy != "on-failure"))) {
    return fail(fmt::format("--restart: {} is no policy", spec::quote(flags.string("restart"))),
                "use no, always, unless-stopped or on-failure[:TIMES]");
  }
  if (restart.policy != Restart::Policy::no && flags.boolean("rm")) {
    return fail("--restart and --rm contradict each other", "leave one of them out");
  }
  return {};
}

Status take_health(const cli::Flags &flags, Service &service) {
  HealthCheck check;
  check.disable = flags.boolean("no-healthcheck");
  if (const std::string_view command = flags.string("health-cmd"); command == "none") {
    check.disable = true;
  } else if (!command.empty()) {
    check.test = {"CMD-SHELL", std::string(command)};
  }
  check.interval = flags.duration("health-interval");
  check.timeout = flags.duration("health-timeout");
  check.start_period = flags.duration("health-start-period");
  check.start_interval = flags.duration("health-start-interval");
  check.retries = flags.uint32("health-retries");
  const bool said = !check.test.empty() || check.interval || check.timeout || check.start_period ||
                    check.start_interval || check.retries;
  if (check.disable && said) return fail("--no-healthcheck and --health-* contradict each other");
  if (check.disable || said) service.health_check = check;
  return {};
}

Status take_end(const cli::Flags &flags, Service &service) {
  service.stop_signal = text_of(flags, "stop-signal");
  if (const auto seconds = flags.unsigned64("stop-timeout")) service.stop_grace_period = std::chrono::seconds(*seconds);
  TRY(take_restart(flags, service.restart));
  TRY(take_health(flags, service));
  service.logging.driver = text_of(flags, "log-driver");
  return each_value(flags, "log-opt", [&](std::string_view value) -> Status {
    const auto [key, option] = split_once(value, '=');
    if (key.empty() || !option) return fail("it is not KEY=VALUE", "as max-size=10m");
    service.logging.options.insert_or_assign(std::string(key), std::string(*option));
    return {};
  });
}

Status take_mounts(const cli::Flags &flags, const std::string &directory, Service &service) {
  const auto add = [&](Result<Mount> mount) -> Status {
    service.mounts.push_back(TRY(std::move(mount)));
    const auto same = std::ranges::count(service.mounts, service.mounts.back().target, &Mount::target);
    if (same > 1) return fail(fmt::format("{} is mounted twice", service.mounts.back().target));
    return {};
  };
  TRY(each_value(flags, "volume", [&](std::string_view value) { return add(parse_volume(value, directory)); }));
  TRY(each_value(flags, "mount", [&](std::string_view value) { return add(parse_mount(value, directory)); }));
  TRY(each_value(flags, "tmpfs", [&](std::string_view value) { return add(parse_tmpfs(value)); }));
  for (const std::string_view from : flags.strings("volumes-from")) {
    service.volumes_from.push_back(fmt::format("container:{}", from));
  }
  service.read_only = flags.boolean("read-only");
  if (const auto size = flags.size("shm-size")) {
    if (*size < 0) return fail("--shm-size: it has to have a limit", "write 64m or 1g");
    service.shm_size = static_cast<std::uint64_t>(*size);
  }
  return {};
}

}  // namespace

Result<Service> service_of_flags(const cli::Flags &flags, std::string_view image,
                                 std::span<const std::string_view> arguments) {
  const std::string directory = TRY(kernel::getcwd());
  Service service;
  service.name = service.container_name = text_of(flags, "name");
  if (flags.boolean("rootfs")) {
    service.rootfs = image.starts_with('/') ? std::string(image) : fmt::format("{}/{}", directory, image);
  } else {
    service.image = image;
  }
  if (!arguments.empty()) service.command.emplace(arguments.begin(), arguments.end());
  service.platform = text_of(flags, "platform");
  service.pull_policy = text_of(flags, "pull");
  service.runtime = text_of(flags, "runtime");
  TRY(take_process(flags, service));
  TRY(take_end(flags, service));
  TRY(take_mounts(flags, directory, service));
  TRY(take_network_flags(flags, service));
  TRY(take_resource_flags(flags, service));
  TRY(take_device_flags(flags, service));
  TRY(take_security_flags(flags, directory, service));
  return service;
}

}  // namespace skiff::compose
