// Namespaces that a container shares with another one: container:NAME as a network, pid, ipc, uts, cgroup or
// user mode.
#pragma once

#include "compose/container.h"
#include "compose/lower.h"

namespace skiff::compose {

// Where the namespace of a network made by attach_networks lies.
[[nodiscard]] std::string network_namespace(const Places &places, const std::string &id);

// "NAME" of "container:NAME"; empty for any other mode.
[[nodiscard]] std::string shared_with(const std::string &mode);

// Whether it lives in its ordinary user's network (user_network.h), and is created from there.
[[nodiscard]] bool is_in_user_network(const ContainerRecord &record);

// Puts the paths as they are now into config.json: the other one may have been started again since. An error where it
// does not run.
[[nodiscard]] Status join_namespaces(const Places &places, const ContainerRecord &record);

}  // namespace skiff::compose
