// Which services start before which: the graph of a project's dependencies (compose-spec, "depends_on").
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "compose/project.h"
#include "spec/error.h"

namespace skiff::compose {

// One service and what has to be true of others before it starts. Beside depends_on: whose namespaces or volumes it
// takes has to be started.
struct OrderStep {
  const Service *service = nullptr;
  std::vector<Dependency> waits;  // on services of the same order
  std::size_t level = 0;          // 0 waits for nobody, n for one of level n - 1 at least
};

struct StartOrder {
  std::vector<OrderStep> steps;  // whoever is waited for comes first; within a level in the order of the files

  [[nodiscard]] const OrderStep *find(std::string_view service) const;
  // What may start at the same time, one level after the other.
  [[nodiscard]] std::vector<std::vector<const Service *>> levels() const;
  // The same backwards: who is stopped first.
  [[nodiscard]] std::vector<std::vector<const Service *>> stop_levels() const;
  // Those that `is_begun` is false of and all of whose waits `is_met`: what to start now, without waiting for a level.
  [[nodiscard]] std::vector<const OrderStep *> ready(const std::function<bool(const Service &)> &is_begun,
                                                     const std::function<bool(const Dependency &)> &is_met) const;
};

enum class Dependencies : std::uint8_t { included, left_out };

// Of the `wanted` services, or all where it is empty. Errors: ENOENT for a name that the project does not have, with
// the near one; a required dependency that is missing or has no active profile; a cycle, printed.
[[nodiscard]] Result<StartOrder> make_start_order(const Project &project, const std::vector<std::string> &wanted,
                                                  Dependencies dependencies = Dependencies::included);

}  // namespace skiff::compose
