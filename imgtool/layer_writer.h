// A new layer on its way into a layout: archive, compression and both digests in one pass.
#pragma once

#include <memory>

#include "imgtool/layout.h"
#include "imgtool/tar_writer.h"
#include "spec/media_types.h"

namespace skiff::image {

struct WrittenLayer {
  spec::Descriptor descriptor;
  Digest diff_id;
  std::uint64_t entries = 0;
};

class LayerWriter {
 public:
  // The layout outlives it. Dropped before finish() it leaves nothing.
  [[nodiscard]] static Result<LayerWriter> open(const Layout &layout, spec::Compression compression);
  LayerWriter(LayerWriter &&) noexcept;
  LayerWriter &operator=(LayerWriter &&) = delete;
  ~LayerWriter();

  [[nodiscard]] Status add(const TarEntry &entry, const ReadBytes &data = {});
  // A whole archive, byte for byte, in place of entries.
  [[nodiscard]] Status copy(const ReadBytes &archive);
  [[nodiscard]] Result<WrittenLayer> finish();

 private:
  struct State;
  explicit LayerWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace skiff::image
