#include "imgtool/assemble.h"

#include <fmt/format.h>
#include <time.h>

#include <array>
#include <string_view>

#include "imgtool/decompress.h"
#include "imgtool/foreign_compression.h"
#include "imgtool/layer_writer.h"
#include "imgtool/take_in.h"
#include "imgtool/tar_format.h"
#include "imgtool/tree_entry.h"
#include "spec/media_types.h"

namespace skiff::image {
namespace {

constexpr unsigned window_log = 27;

struct Uncompressed {
  Digest diff_id;
  std::string_view media_type;
};

// Reads the blob once more: its diff id is that of the uncompressed bytes.
Result<Uncompressed> look_into(const Layout &layout, const spec::Descriptor &blob) {
  const kernel::Fd file = TRY(layout.open_blob(TRY(Digest::parse(blob.digest)), blob.size));
  Decompressor decompressor(read_stream(file), window_log);
  Hasher hasher;
  std::vector<char> buffer(1U << 20U);
  for (bool first = true;; first = false) {
    const std::size_t count = TRY(decompressor.read(buffer));
    if (first && (count < tar::block_size || !tar::checksum_fits(buffer.data()))) {
      return fail(EBADMSG, "it is no tar archive, plain or compressed by gzip, zstd, xz or bzip2");
    }
    if (count == 0) break;
    hasher.update(std::span(buffer).first(count));
  }
  const bool zstd = decompressor.compression() == Compression::zstd;
  const bool plain = decompressor.compression() == Compression::none;
  return Uncompressed{.diff_id = hasher.finish(),
                      .media_type = plain  ? spec::oci_layer_type
                                    : zstd ? spec::oci_layer_zstd_type
                                           : spec::oci_layer_gzip_type};
}

// As it is; what no layer can be compressed by (layer.md, "Layer Media Types") becomes gzip.
Result<spec::Descriptor> take_layer(const Layout &into, kernel::FdView file, ProgressItem &item) {
  ReadBytes stream = read_stream(file);
  if (!is_foreign_compression(TRY(peek(stream, compression_magic)))) {
    return take_in(into, stream, spec::Descriptor{}, &item);
  }
  const ReadBytes counted = [&](std::span<char> bytes) -> Result<std::size_t> {
    const std::size_t count = TRY(stream(bytes));
    item.advance(count);
    return count;
  };
  ForeignDecompressor decompressor = TRY(ForeignDecompressor::open(counted));
  LayerWriter writer = TRY(LayerWriter::open(into, spec::Compression::gzip));
  TRY(writer.copy([&](std::span<char> bytes) { return decompressor.read(bytes); }));
  spec::Descriptor layer = TRY(writer.finish()).descriptor;
  item.done("Copied");
  return layer;
}

}  // namespace

Result<std::int64_t> creation_time() { return TRY(source_date_epoch()).value_or(::time(nullptr)); }

std::string time_text(std::int64_t seconds) {
  const time_t time = seconds;
  tm parts{};
  ::gmtime_r(&time, &parts);
  std::array<char, 64> text{};
  const std::size_t size = ::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), size};
}

Result<spec::Descriptor> write_image(const Layout &layout, const spec::ImageConfig &config,
                                     std::vector<spec::Descriptor> layers, const spec::StringMap &annotations) {
  const std::string config_text = spec::print_image_config(config);
  spec::ImageManifest manifest;
  manifest.media_type = spec::oci_manifest_type;
  manifest.config.media_type = spec::oci_config_type;
  manifest.config.digest = TRY(layout.write_blob(config_text)).text();
  manifest.config.size = static_cast<std::int64_t>(config_text.size());
  manifest.layers = std::move(layers);
  manifest.annotations = annotations;
  const std::string text = spec::print_image_manifest(manifest);
  spec::Descriptor root;
  root.media_type = spec::oci_manifest_type;
  root.digest = TRY(layout.write_blob(text)).text();
  root.size = static_cast<std::int64_t>(text.size());
  spec::Platform platform;
  platform.os = config.os;
  platform.architecture = config.architecture;
  platform.variant = config.variant;
  root.platform = std::move(platform);
  return root;
}

Result<spec::Descriptor> import_rootfs_tar(const Layout &into, kernel::FdView file, const std::string &place,
                                           spec::ImageConfig config, const std::string &comment, Progress &progress) {
  const kernel::Fd writing = TRY(into.lock_shared());
  ProgressItem item = progress.begin(place, "Copying", static_cast<std::uint64_t>(TRY(kernel::fstat(file)).st_size));
  spec::Descriptor layer = TRY(in(place, take_layer(into, file, item)));
  const Uncompressed uncompressed = TRY(in(place, look_into(into, layer)));
  layer.media_type = uncompressed.media_type;
  config.rootfs.type = "layers";
  config.rootfs.diff_ids = {uncompressed.diff_id.text()};
  config.created = time_text(TRY(creation_time()));
  config.history = {
      {.created = config.created, .author = {}, .created_by = "skiff-image import " + place, .comment = comment}};
  return write_image(into, config, {std::move(layer)});
}

}  // namespace skiff::image
