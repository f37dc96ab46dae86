// Parts of volumes (volume.subpath). Containers that have the volume write to it while another one is started: a part
// is opened without following a link, and what was opened is mounted where no container comes, so that the runtime,
// which takes paths, finds nothing else there.
#pragma once

#include "compose/container.h"

namespace skiff::compose {

// What the runtime is to bind: the volume's directory, or where its part will be mounted. `index` is the mount's in the
// container's record. An error where there is no such part now.
[[nodiscard]] Result<std::string> volume_source(const Places &places, const std::string &id, const MountRecord &mount,
                                                std::size_t index);

// Before each start. An ordinary user mounts nothing on the host: his parts are looked at once more, and what a link
// could lead to in between is his own.
[[nodiscard]] Status mount_parts(const Places &places, const ContainerRecord &record);
[[nodiscard]] Status unmount_parts(const Places &places, const ContainerRecord &record);

}  // namespace skiff::compose
