// What a container's health checks have shown: RUN/ID/health is the word that ContainerState has, RUN/ID/health.json
// the last checks with what they printed, for `inspect`. Both are of one run.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "compose/container.h"

namespace skiff::compose {

// Docker's, where neither the image nor the service says.
inline constexpr Duration default_interval = std::chrono::seconds(30);
inline constexpr Duration default_timeout = std::chrono::seconds(30);
inline constexpr Duration default_start_interval = std::chrono::seconds(5);
inline constexpr std::uint32_t default_retries = 3;
inline constexpr std::size_t kept_results = 5;
inline constexpr std::size_t longest_health_output = 4096;

struct HealthResult {
  std::string start;  // time_text
  std::string end;
  int exit_code = 0;   // -1: it took too long, or could not be run
  std::string output;  // of both streams, its beginning
};

struct HealthReport {
  std::string status = "starting";
  std::uint32_t failing_streak = 0;
  std::vector<HealthResult> log;  // the newest last

  // One more check, so long after the container's start. True where the status is another one now.
  bool take(const HealthCheck &check, Duration since_start, HealthResult result);
};

[[nodiscard]] bool has_health_check(const ContainerRecord &record);
// What runs in the container: CMD and CMD-SHELL taken apart.
[[nodiscard]] std::vector<std::string> health_command(const HealthCheck &check);
// From the end of one check, or the container's start, to the next.
[[nodiscard]] Duration health_wait(const HealthCheck &check, const HealthReport &report, Duration since_start);

// Starting, where no check has ended yet.
[[nodiscard]] Result<HealthReport> load_health(const Places &places, const std::string &id);
[[nodiscard]] Status save_health(const Places &places, const std::string &id, const HealthReport &report);

}  // namespace skiff::compose
