// The layers of an image in a directory, in order: read from a layout, or while they still arrive from a registry.
#pragma once

#include "imgtool/arrival.h"
#include "imgtool/layer.h"
#include "imgtool/progress.h"
#include "imgtool/stored_image.h"

namespace skiff::image {

// Where a layer's bytes come from: `wait` blocks until they are verified. `give_up` is told when unpacking has failed:
// neither they nor those of the other layers are waited for any longer.
struct LayerSource {
  ReadBytes bytes;
  std::function<Status()> wait;
  std::function<void()> give_up;  // may be none
};
using OpenLayer = std::function<Result<LayerSource>(std::size_t index)>;
// Of a layout that has all of them; one at a time.
[[nodiscard]] OpenLayer layers_of(const Layout &layout, const LoadedImage &image);

// Every layer on top of the one before. Its diff id has to be the one that the configuration says (EBADMSG names both);
// errors name the layer. On an error the tree is half made.
[[nodiscard]] Status apply_image(const LoadedImage &image, const OpenLayer &open, kernel::FdView root,
                                 const ApplyOptions &options, Progress &progress);
// One of them, as apply_image does it.
[[nodiscard]] Result<AppliedLayer> apply_one(const LoadedImage &image, std::size_t index, const OpenLayer &open,
                                             kernel::FdView root, const ApplyOptions &options, Progress &progress);

}  // namespace skiff::image
