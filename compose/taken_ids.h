// Which of the host's ids containers have as theirs alone, so that `--userns auto` gives them to nobody else.
#pragma once

#include <vector>

#include "compose/container.h"
#include "compose/lower.h"

namespace skiff::compose {

// The maps of a container's user namespace: its own by make_id_maps, or those of the container that it shares one with;
// they are in its record, and saved with it, before another container can choose.
[[nodiscard]] Result<IdMaps> choose_id_maps(const Places &places, const Service &service, const HostFacts &host,
                                            ContainerRecord &record);

}  // namespace skiff::compose
