// A new image out of layers and a configuration: for import and repack.
#pragma once

#include <string>
#include <vector>

#include "imgtool/layout.h"
#include "imgtool/progress.h"

namespace skiff::image {

// The time that goes into what is made now: $SOURCE_DATE_EPOCH, else the clock. An error where that variable is no
// number.
[[nodiscard]] Result<std::int64_t> creation_time();
// RFC 3339, as image-spec wants it: "2026-01-02T03:04:05Z".
[[nodiscard]] std::string time_text(std::int64_t seconds);

// Writes configuration and manifest; the layers are in the layout. Returns the manifest with its platform.
[[nodiscard]] Result<spec::Descriptor> write_image(const Layout &layout, const spec::ImageConfig &config,
                                                   std::vector<spec::Descriptor> layers,
                                                   const spec::StringMap &annotations = {});

// A root filesystem's tar, plain, gzip or zstd, as an image with this one layer. It comes in as it is; one by xz or
// bzip2, which layers do not have, comes in by gzip.
[[nodiscard]] Result<spec::Descriptor> import_rootfs_tar(const Layout &into, kernel::FdView file,
                                                         const std::string &place, spec::ImageConfig config,
                                                         const std::string &comment, Progress &progress);

}  // namespace skiff::image
