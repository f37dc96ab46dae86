#include "imgtool/layer_writer.h"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <vector>

namespace skiff::image {
namespace {

constexpr std::size_t buffer_size = std::size_t{1} << 18U;
constexpr int gzip_level = 6;
constexpr int zstd_level = 3;
// deflateInit2: 32 KiB of window, and gzip's frame, whose header has neither name nor time.
constexpr int gzip_window = 15 + 16;

std::span<const char> bytes_of(const std::vector<char> &buffer, std::size_t size) {
  return std::span(buffer).first(size);
}

// Compresses what it is given and hands it on.
class Compressor {
 public:
  Compressor(spec::Compression kind, WriteBytes out) : kind_(kind), out_(std::move(out)), buffer_(buffer_size) {}
  Compressor(const Compressor &) = delete;
  Compressor &operator=(const Compressor &) = delete;
  ~Compressor() {
    if (kind_ == spec::Compression::gzip) ::deflateEnd(&gzip_);
    if (zstd_ != nullptr) ::ZSTD_freeCCtx(zstd_);
  }

  Status begin() {
    if (kind_ == spec::Compression::gzip &&
        ::deflateInit2(&gzip_, gzip_level, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
      return fail(ENOMEM, "deflateInit2");
    }
    if (kind_ != spec::Compression::zstd) return {};
    zstd_ = ::ZSTD_createCCtx();
    if (zstd_ == nullptr) return fail(ENOMEM, "ZSTD_createCCtx");
    (void)::ZSTD_CCtx_setParameter(zstd_, ZSTD_c_compressionLevel, zstd_level);
    (void)::ZSTD_CCtx_setParameter(zstd_, ZSTD_c_checksumFlag, 1);
    return {};
  }

  Status write(std::span<const char> bytes, bool end) {
    if (kind_ == spec::Compression::gzip) return write_gzip(bytes, end);
    if (kind_ == spec::Compression::zstd) return write_zstd(bytes, end);
    return bytes.empty() ? Status() : out_(bytes);
  }

 private:
  Status write_gzip(std::span<const char> bytes, bool end) {
    gzip_.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(bytes.data()));
    gzip_.avail_in = static_cast<uInt>(bytes.size());
    int code = Z_OK;
    do {
      gzip_.next_out = reinterpret_cast<Bytef *>(buffer_.data());
      gzip_.avail_out = static_cast<uInt>(buffer_.size());
      code = ::deflate(&gzip_, end ? Z_FINISH : Z_NO_FLUSH);
      if (code == Z_STREAM_ERROR) return fail(EINVAL, "deflate");
      TRY(out_(bytes_of(buffer_, buffer_.size() - gzip_.avail_out)));
    } while (gzip_.avail_out == 0 || (end && code != Z_STREAM_END));
    return {};
  }

  Status write_zstd(std::span<const char> bytes, bool end) {
    ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
    for (bool more = true; more;) {
      ZSTD_outBuffer output{buffer_.data(), buffer_.size(), 0};
      const std::size_t left = ::ZSTD_compressStream2(zstd_, &output, &input, end ? ZSTD_e_end : ZSTD_e_continue);
      if (::ZSTD_isError(left) != 0)
        return fail(EINVAL, fmt::format("ZSTD_compressStream2: {}", ::ZSTD_getErrorName(left)));
      TRY(out_(bytes_of(buffer_, output.pos)));
      more = end ? left > 0 : input.pos < input.size;
    }
    return {};
  }

  spec::Compression kind_;
  WriteBytes out_;
  std::vector<char> buffer_;
  z_stream gzip_{};
  ZSTD_CCtx *zstd_ = nullptr;
};

std::string_view media_type_of(spec::Compression compression) {
  if (compression == spec::Compression::gzip) return spec::oci_layer_gzip_type;
  return compression == spec::Compression::zstd ? spec::oci_layer_zstd_type : spec::oci_layer_type;
}

}  // namespace

struct LayerWriter::State {
  State(const Layout &where, Incoming file, spec::Compression kind)
      : layout(&where), incoming(std::move(file)), compression(kind), compressor(kind, [this](auto bytes) {
          blob.update(bytes);
          size += bytes.size();
          return kernel::write_all(incoming.file, {bytes.data(), bytes.size()});
        }) {}

  const Layout *layout;
  Incoming incoming;
  spec::Compression compression;
  Hasher diff;
  Hasher blob;
  std::uint64_t size = 0;
  std::uint64_t entries = 0;
  Compressor compressor;
  TarWriter tar{[this](std::span<const char> bytes) { return write(bytes); }};
  bool copied = false;

  Status write(std::span<const char> bytes) {
    diff.update(bytes);
    return compressor.write(bytes, false);
  }
};

LayerWriter::LayerWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
LayerWriter::LayerWriter(LayerWriter &&) noexcept = default;
LayerWriter::~LayerWriter() {
  if (state_ && state_->incoming.file.valid()) state_->layout->discard_blob(state_->incoming);
}

Result<LayerWriter> LayerWriter::open(const Layout &layout, spec::Compression compression) {
  auto state = std::make_unique<State>(layout, TRY(layout.begin_unknown_blob()), compression);
  TRY(state->compressor.begin());
  return LayerWriter(std::move(state));
}

Status LayerWriter::add(const TarEntry &entry, const ReadBytes &data) {
  ++state_->entries;
  return state_->tar.add(entry, data);
}

Status LayerWriter::copy(const ReadBytes &archive) {
  state_->copied = true;
  std::vector<char> buffer(buffer_size);
  for (;;) {
    const std::size_t count = TRY(archive(buffer));
    if (count == 0) return {};
    TRY(state_->write(bytes_of(buffer, count)));
  }
}

Result<WrittenLayer> LayerWriter::finish() {
  if (!state_->copied) TRY(state_->tar.finish());
  TRY(state_->compressor.write({}, true));
  WrittenLayer layer;
  layer.diff_id = state_->diff.finish();
  layer.entries = state_->entries;
  const Digest digest = state_->blob.finish();
  layer.descriptor.media_type = media_type_of(state_->compression);
  layer.descriptor.digest = digest.text();
  layer.descriptor.size = static_cast<std::int64_t>(state_->size);
  TRY(state_->layout->commit_blob(std::move(state_->incoming), digest));
  return layer;
}

}  // namespace skiff::image
