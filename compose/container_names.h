// The files by which a container knows its own name and those of others, made from its record.
#pragma once

#include "compose/container.h"
#include "compose/network.h"

namespace skiff::compose {

// DATA/containers/ID/hostname, hosts and resolv.conf, for these interfaces; in place, so that a running one sees it.
[[nodiscard]] Status write_container_names(const Places &places, const ContainerRecord &record,
                                           const std::vector<Endpoint> &endpoints);

}  // namespace skiff::compose
