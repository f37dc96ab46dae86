// A bundle of an image that a registry has: layers are unpacked while they are downloaded.
#pragma once

#include "imgtool/bundle.h"
#include "imgtool/platform.h"
#include "imgtool/registry.h"

namespace skiff::image {

struct ArrivingImage {
  Registry &registry;
  const ImageName &name;
  PlatformRequest platform;
};

// As make_bundle. What has arrived stays in the store, whatever becomes of the bundle; where unpacking fails the rest
// of the download is given up, for the next try to resume, and the error is the one of unpacking.
[[nodiscard]] Result<std::vector<std::string>> make_arriving_bundle(const BundleRequest &request,
                                                                    const ArrivingImage &image, const Layout &store,
                                                                    Progress &progress, Interrupts &interrupts);

}  // namespace skiff::image
