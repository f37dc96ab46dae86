// An image's volumes as mounts of a container (conversion.md, "Optional Fields").
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "imgtool/runtime_config.h"

namespace skiff::image {

// Adds a mount for each volume. One over "/" or over what the runtime itself mounts is left out with a warning.
[[nodiscard]] Status add_volumes(RuntimeConfig &out, const spec::ImageConfig &image, kernel::FdView rootfs,
                                 const RuntimeOptions &options);

}  // namespace skiff::image
