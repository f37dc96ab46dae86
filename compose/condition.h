// Waiting until a container is as another one needs it, or as `up --wait` does.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "compose/container.h"
#include "compose/engine.h"

namespace skiff::compose {

enum class Wanted : std::uint8_t {
  running,    // and waiting for its work, no more starting; or healthy, where it has a health check
  healthy,    // an error for one without a health check
  completed,  // it has ended with exit code 0
};

using Moment = std::chrono::steady_clock::time_point;

// Returns when it is so. The error says what it is instead, with the last lines it has written where it has ended;
// ETIMEDOUT at `until`.
[[nodiscard]] Status wait_until(const Engine &engine, const std::string &id, Wanted wanted,
                                std::optional<Moment> until = {});
// The same error where it has ended, or is unhealthy, by what the caller has just loaded.
[[nodiscard]] Status check_runs(const Engine &engine, const Container &container);

}  // namespace skiff::compose
