#include "compose/health.h"

#include <algorithm>

#include "compose/record_fields.h"

namespace skiff::compose {
namespace {

std::string word_path(const Places &places, const std::string &id) { return places.sockets(id) + "/health"; }

bool in_start_period(const HealthCheck &check, const HealthReport &report, Duration since_start) {
  return report.status == "starting" && since_start < check.start_period.value_or(Duration(0));
}

}  // namespace

void fields(auto &v, spec::Like<HealthResult> auto &result) {
  v.optional("Start", result.start);
  v.optional("End", result.end);
  v.always("ExitCode", result.exit_code);
  v.free_text("Output", result.output);
}

void fields(auto &v, spec::Like<HealthReport> auto &report) {
  v.always("Status", report.status);
  v.always("FailingStreak", report.failing_streak);
  v.always("Log", report.log);
}

bool HealthReport::take(const HealthCheck &check, Duration since_start, HealthResult result) {
  const std::string before = status;
  if (result.exit_code == 0) {
    failing_streak = 0;
    status = "healthy";
  } else if (!in_start_period(check, *this, since_start)) {
    ++failing_streak;
    if (failing_streak >= std::max(check.retries.value_or(0) == 0 ? default_retries : *check.retries, 1U)) {
      status = "unhealthy";
    }
  }
  log.push_back(std::move(result));
  if (log.size() > kept_results) log.erase(log.begin());
  return status != before;
}

bool has_health_check(const ContainerRecord &record) {
  return record.health_check && !record.health_check->disable && !health_command(*record.health_check).empty();
}

std::vector<std::string> health_command(const HealthCheck &check) {
  if (check.test.size() < 2) return {};
  if (check.test.front() == "CMD-SHELL") return {"/bin/sh", "-c", check.test[1]};
  if (check.test.front() != "CMD") return {};
  return {check.test.begin() + 1, check.test.end()};
}

Duration health_wait(const HealthCheck &check, const HealthReport &report, Duration since_start) {
  const auto given = [](const std::optional<Duration> &value, Duration otherwise) {
    return value && value->count() > 0 ? *value : otherwise;
  };
  const Duration interval = given(check.interval, default_interval);
  if (!in_start_period(check, report, since_start)) return interval;
  return given(check.start_interval, std::min(default_start_interval, interval));
}

Result<HealthReport> load_health(const Places &places, const std::string &id) {
  const std::string path = word_path(places, id) + ".json";
  const std::string text = TRY(read_if_there(path));
  return text.empty() ? HealthReport() : parse_document<HealthReport>(path, text);
}

Status save_health(const Places &places, const std::string &id, const HealthReport &report) {
  TRY(replace_file(word_path(places, id) + ".json", spec::Writer("").document(report) + "\n"));
  return replace_file(word_path(places, id), report.status);
}

}  // namespace skiff::compose
