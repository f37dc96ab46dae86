// What there is of a project on this host, by what its containers' records say.
#pragma once

#include <string>
#include <vector>

#include "compose/changes.h"
#include "compose/container.h"
#include "compose/order.h"
#include "compose/project.h"

namespace skiff::compose {

// One-off containers too; by service and number.
[[nodiscard]] Result<std::vector<Container>> containers_of_project(const Places &places, const std::string &project);

[[nodiscard]] Result<Running> running_of_project(const Places &places, const std::string &project);

// The services of these containers with their dependencies, as far as labels tell: enough for an order.
[[nodiscard]] Project project_of_containers(const std::string &name, const std::vector<Container> &containers);

// Those of the wanted services, of all where it is empty; without one-off containers. ENOENT for a service that has
// none, with the near one.
[[nodiscard]] Result<std::vector<Container>> choose_containers(const std::vector<Container> &all,
                                                               const std::vector<std::string> &wanted);

}  // namespace skiff::compose
