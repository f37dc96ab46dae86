// The blobs of an image out of a layout into a repository: what is there is not sent, what another repository of the
// registry has is mounted, the rest goes up several at a time.
#pragma once

#include <string>
#include <vector>

#include "imgtool/layout.h"
#include "imgtool/registry.h"

namespace skiff::image {

struct PushOptions {
  std::uint32_t parallel = 4;           // uploads at a time
  std::vector<std::string> mount_from;  // repositories of the same registry that may have a blob (end-11)
};

// In the order given, each digest once; the first error, after what was under way has ended. A layer with `urls` is to
// be had there and is not sent, whoever has it (layer.md, "Non-Distributable Layers"). Manifests come after this: a
// registry refuses one whose blobs it lacks (MANIFEST_BLOB_UNKNOWN).
[[nodiscard]] Status push_blobs(Registry &registry, const Layout &from, const std::vector<spec::Descriptor> &blobs,
                                const PushOptions &options, Progress &progress);

}  // namespace skiff::image
