// /dev/shm of a container whose ipc namespace others may join (--ipc shareable): a tmpfs of the host, as a namespace
// has none of its own. An ordinary user, who mounts nothing on the host, has a directory of RUN, without a limit.
#pragma once

#include "compose/container.h"

namespace skiff::compose {

// Where /dev/shm of a container with that ipc mode is bound from; empty: it has its own. An error where the container
// that is joined shares none.
[[nodiscard]] Result<std::string> shared_memory_of(const Places &places, const std::string &id,
                                                   const std::string &ipc_mode);

// Nothing where the container is not shareable.
[[nodiscard]] Status mount_shared_memory(const Places &places, const ContainerRecord &record);
// With the end of its run. What has joined keeps what it has.
[[nodiscard]] Status unmount_shared_memory(const Places &places, const ContainerRecord &record);

}  // namespace skiff::compose
