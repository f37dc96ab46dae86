// A service of a project as its container is made of it: with the names that networks, volumes and other containers
// have on this host.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "compose/project.h"
#include "compose/project_labels.h"
#include "spec/error.h"

namespace skiff::compose {

// The id of a service's first container.
using FindContainer = std::function<Result<std::string>(std::string_view service)>;

struct HostServiceOptions {
  ContainerPlace place = {};
  bool service_alias = true;  // the service's name resolves to it; not for one-off containers
};

// service:NAME becomes container:ID, networks and volumes their names, the labels those of a project's container.
[[nodiscard]] Result<Service> host_service(const Project &project, Service service, const FindContainer &find,
                                           const HostServiceOptions &options);

}  // namespace skiff::compose
