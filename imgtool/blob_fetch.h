// Blobs from a registry into their files: several at once, a large one in ranges, each range with its own tries.
#pragma once

#include <span>
#include <vector>

#include "imgtool/endpoint.h"
#include "imgtool/registry.h"

namespace skiff::image {

// What Registry::get_blobs promises. The endpoints are asked in their order, mirrors first; a layer's own addresses
// (descriptor.md, "urls") last, without credentials.
[[nodiscard]] Status fetch_blobs(std::span<const std::unique_ptr<Endpoint>> endpoints, const RegistryOptions &options,
                                 std::vector<BlobFetch> &blobs, const std::stop_token &stop);

}  // namespace skiff::image
