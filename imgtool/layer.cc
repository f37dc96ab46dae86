#include "imgtool/layer.h"

#include <fmt/format.h>

#include "imgtool/buffer_ring.h"
#include "imgtool/decompress.h"
#include "imgtool/extractor.h"
#include "imgtool/thread.h"

namespace skiff::image {
namespace {

// Large enough that handing them over costs nothing, small enough that they stay in the second and third level cache.
constexpr std::size_t buffer_size = std::size_t{1} << 20U;
constexpr std::size_t buffers = 4;
// A small layer of zeros is harmless, whatever its ratio.
constexpr std::uint64_t ratio_from = std::uint64_t{64} << 20U;

enum Reading : std::uint8_t { hashing = 0, writing = 1 };

Status check_limits(const Decompressor &decompressor, const LayerLimits &limits) {
  const std::uint64_t bytes = decompressor.uncompressed();
  if (bytes > limits.bytes) {
    return fail(EFBIG, fmt::format("the layer has more than {} bytes uncompressed", limits.bytes),
                "raise --max-layer-size");
  }
  if (bytes < ratio_from || bytes / limits.ratio <= decompressor.compressed()) return {};
  return fail(EFBIG,
              fmt::format("the layer's {} bytes became {}: more than {} times as many", decompressor.compressed(),
                          bytes, limits.ratio),
              "raise --max-ratio");
}

// The first of the three: reads and decompresses.
Status fill(Decompressor &decompressor, BufferRing &ring, const LayerLimits &limits) {
  for (;;) {
    const std::span<char> buffer = ring.begin_fill();
    if (buffer.empty()) return {};
    const std::size_t count = TRY(decompressor.read(buffer));
    if (count == 0) return {};
    TRY(check_limits(decompressor, limits));
    ring.end_fill(count);
  }
}

Digest hash(BufferRing &ring) {
  Hasher hasher;
  for (;;) {
    const Result<std::span<const char>> chunk = ring.next(hashing);
    if (!chunk || chunk->empty()) break;
    hasher.update(*chunk);
  }
  ring.leave(hashing);
  return hasher.finish();
}

Result<AppliedLayer> write_tree(BufferRing &ring, kernel::FdView root, const ApplyOptions &options) {
  Extractor extractor = TRY(Extractor::open(root, options));
  const TarLimits limits{
      .file_bytes = options.limits.bytes, .entries = options.limits.entries, .path_length = options.limits.path_length};
  TarReader reader([&ring] { return ring.next(writing); }, limits);
  AppliedLayer applied;
  while (TRY(reader.next())) {
    TRY(extractor.add(reader));
    ++applied.entries;
  }
  TRY(extractor.finish());
  // The digest is of all bytes.
  TRY(reader.drain());
  applied.implicit_directories = extractor.take_implicit();
  applied.warnings = extractor.take_warnings();
  return applied;
}

}  // namespace

Result<AppliedLayer> apply_layer(const ReadBytes &compressed, kernel::FdView root, const ApplyOptions &options,
                                 const std::function<void()> &give_up) {
  BufferRing ring(buffers, buffer_size);
  Decompressor decompressor(compressed, options.limits.window_log);
  Digest digest;
  Result<AppliedLayer> applied;
  const auto work = [&](Thread &filler, Thread &hasher) -> Result<AppliedLayer> {
    filler = TRY(Thread::start([&] {
      Status filled = fill(decompressor, ring, options.limits);
      ring.finish(filled ? std::nullopt : std::optional(std::move(filled).error()));
    }));
    hasher = TRY(Thread::start([&] { digest = hash(ring); }));
    return write_tree(ring, root, options);
  };
  {
    Thread filler, hasher;
    applied = work(filler, hasher);
    ring.leave(writing);
    if (!applied) ring.leave(hashing);
    if (!applied && give_up) give_up();
  }
  if (!applied) return applied;
  applied->diff_id = std::move(digest);
  applied->bytes = decompressor.uncompressed();
  return applied;
}

}  // namespace skiff::image
