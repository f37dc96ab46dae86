#include <algorithm>

#include "compose/env_file.h"
#include "compose/lower.h"

namespace skiff::compose {
namespace {

using Words = std::vector<std::string>;

// Docker: an entrypoint of one's own drops the image's command; a command of one's own keeps the image's entrypoint.
void take_arguments(Service &service, const spec::ImageDefaults &image) {
  if (!service.command) service.command = service.entrypoint ? Words() : image.cmd.value_or(Words());
  if (!service.entrypoint) service.entrypoint = image.entrypoint.value_or(Words());
}

void take_environment(Service &service, const spec::ImageDefaults &image) {
  Environment all;
  for (const std::string &text : image.env) {
    // What is not NAME=VALUE is no variable, and never the caller's own.
    if (text.find('=') == std::string::npos || text.front() == '=') continue;
    if (Result<Environment::value_type> variable = parse_variable(text)) set_variable(all, *std::move(variable));
  }
  for (Environment::value_type &variable : service.environment) set_variable(all, std::move(variable));
  service.environment = std::move(all);
}

std::optional<Duration> time_of(std::int64_t nanoseconds) {
  return nanoseconds > 0 ? std::optional<Duration>(nanoseconds) : std::nullopt;
}

void take_health_check(Service &service, const spec::ImageDefaults &image) {
  if (!image.healthcheck || image.healthcheck->test.empty()) return;
  const spec::Healthcheck &own = *image.healthcheck;
  HealthCheck &check = service.health_check ? *service.health_check : service.health_check.emplace();
  if (check.disable || !check.test.empty()) return;
  check.test = own.test;
  if (!check.interval) check.interval = time_of(own.interval);
  if (!check.timeout) check.timeout = time_of(own.timeout);
  if (!check.start_period) check.start_period = time_of(own.start_period);
  if (!check.start_interval) check.start_interval = time_of(own.start_interval);
  if (!check.retries && own.retries > 0) check.retries = static_cast<std::uint32_t>(own.retries);
}

}  // namespace

Service with_image_defaults(Service service, const spec::ImageDefaults &image) {
  take_arguments(service, image);
  take_environment(service, image);
  take_health_check(service, image);
  if (service.user.empty()) service.user = image.user;
  if (service.working_dir.empty()) service.working_dir = image.working_dir;
  if (service.stop_signal.empty()) service.stop_signal = image.stop_signal;
  for (const auto &[key, value] : image.labels) service.labels.emplace(key, value);
  for (const auto &[port, nothing] : image.exposed_ports) {
    const std::string text = port.find('/') == std::string::npos ? port + "/tcp" : port;
    if (std::ranges::find(service.expose, text) == service.expose.end()) service.expose.push_back(text);
  }
  return service;
}

}  // namespace skiff::compose
