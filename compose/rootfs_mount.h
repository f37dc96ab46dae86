// The root filesystem of a container as a tree on the host: an overlay of an image's layers and what the container has
// changed, mounted at BUNDLE/rootfs while it runs and nowhere when it does not.
#pragma once

#include <string>
#include <vector>

#include "compose/container.h"

namespace skiff::compose {

[[nodiscard]] std::string bundle_of(const Places &places, const std::string &id);

// The layers of the overlay that is mounted at this directory, the base first; none where it is no overlay.
[[nodiscard]] Result<std::vector<std::string>> find_layers(const std::string &mounted_at);

// Where it is on the host: BUNDLE/rootfs, or the directory of --rootfs.
[[nodiscard]] std::string rootfs_of(const Places &places, const ContainerRecord &record);
// A mount of it that is attached nowhere.
[[nodiscard]] Result<kernel::Fd> open_rootfs_tree(const Places &places, const ContainerRecord &record);

// Mounts it where it is not mounted. Nothing to do for a container without an overlay.
[[nodiscard]] Status mount_rootfs(const Places &places, const ContainerRecord &record);
[[nodiscard]] Status unmount_rootfs(const Places &places, const ContainerRecord &record);

// "/" of the container: of its first process while it runs, with everything that is mounted there, else the tree alone.
[[nodiscard]] Result<kernel::Fd> open_root(const Places &places, const Container &container);

}  // namespace skiff::compose
