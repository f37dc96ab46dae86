#include "imgtool/unpack.h"

#include <fmt/format.h>

#include <memory>

#include "imgtool/take_in.h"

namespace skiff::image {

OpenLayer layers_of(const Layout &layout, const LoadedImage &image) {
  return [&layout, &image](std::size_t index) -> Result<LayerSource> {
    const auto file = std::make_shared<kernel::Fd>(TRY(open_content(layout, image.manifest.layers[index])));
    return LayerSource{
        .bytes = [file](std::span<char> into) { return kernel::read_some(*file, into); },
        .wait = [] { return Status{}; },
        .give_up = {},
    };
  };
}

Result<AppliedLayer> apply_one(const LoadedImage &image, std::size_t index, const OpenLayer &open, kernel::FdView root,
                               const ApplyOptions &options, Progress &progress) {
  const spec::Descriptor &layer = image.manifest.layers[index];
  const std::string place = fmt::format("layer {} of {} ({})", index + 1, image.manifest.layers.size(), layer.digest);
  const Digest diff_id = TRY(in(place, Digest::parse(image.config.rootfs.diff_ids[index])));
  if (diff_id.algorithm() != "sha256") {
    return fail(fmt::format("{}: its diff id is of {}; sha256 alone is computed", place, diff_id.algorithm()));
  }
  ProgressItem item = progress.begin(TRY(in(place, Digest::parse(layer.digest))).short_hex(), "Unpacking",
                                     static_cast<std::uint64_t>(layer.size));
  const LayerSource source = TRY(in(place, open(index)));
  const ReadBytes counted = [&](std::span<char> into) -> Result<std::size_t> {
    const std::size_t count = TRY(source.bytes(into));
    item.advance(count);
    return count;
  };
  Result<AppliedLayer> applied = in(place, apply_layer(counted, root, options, source.give_up));
  // What was unpacked counts only if the compressed bytes were the right ones; and that they were not is the better
  // explanation, where it is known already.
  const Status arrived = in(place, source.wait());
  if (!arrived && (applied || arrived.error().number != ECANCELED)) return std::unexpected(arrived.error());
  if (!applied) return applied;
  if (applied->diff_id != diff_id) {
    if (source.give_up) source.give_up();
    return fail(EBADMSG, fmt::format("{}: uncompressed its digest is {}, but the configuration says {}", place,
                                     applied->diff_id.text(), diff_id.text()));
  }
  item.done("Unpacked");
  return applied;
}

Status apply_image(const LoadedImage &image, const OpenLayer &open, kernel::FdView root, const ApplyOptions &options,
                   Progress &progress) {
  for (std::size_t i = 0; i < image.manifest.layers.size(); ++i) {
    TRY(apply_one(image, i, open, root, options, progress));
  }
  return {};
}

}  // namespace skiff::image
