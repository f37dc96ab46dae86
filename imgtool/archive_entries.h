// A local archive, unpacked by ADD: its entries, below a directory of the image, as entries of a layer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "imgtool/layer_writer.h"
#include "runtime/kernel/fd.h"

namespace skiff::image {

// tar in any of its forms, plain or compressed by gzip, zstd, xz or bzip2.
[[nodiscard]] Result<bool> can_read_archive(kernel::FdView file);

// Names stay below `directory`: ".." in one is an error that names the entry. A hard link's target is below it as well.
[[nodiscard]] Status write_archive_entries(LayerWriter &layer, kernel::FdView file, const std::string &directory,
                                           std::optional<std::int64_t> newest);

}  // namespace skiff::image
