// The volumes of a container: its service's, its image's, and those of other containers.
#pragma once

#include <vector>

#include "compose/container.h"
#include "compose/lower.h"
#include "spec/image.h"

namespace skiff::compose {

struct ContainerVolumes {
  std::vector<SourcePath> paths;     // for lowering
  std::vector<MountRecord> records;  // everything that is mounted, binds and tmpfs too
};

// Makes the volumes that are missing; what the image has at the target is copied into one that is empty, with owners
// and modes. An anonymous one has its id's name and is written down in `record`, which is saved before it is made.
[[nodiscard]] Result<ContainerVolumes> make_container_volumes(const Places &places, const Service &service,
                                                              const spec::ImageDefaults *image, kernel::FdView rootfs,
                                                              ContainerRecord &record);

}  // namespace skiff::compose
