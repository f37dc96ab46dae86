// Decompression as a stream: gzip, zstd or nothing, told by the first bytes and never by a media type.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "imgtool/bytes.h"

namespace skiff::image {

enum class Compression : std::uint8_t { none, gzip, zstd };
[[nodiscard]] std::string_view compression_name(Compression compression);

// Several gzip members or zstd frames in a row are one stream. NUL bytes after them are read and left out, as gzip(1)
// does it; anything else there is an error (EBADMSG), as are a wrong checksum and a stream that ends too early.
class Decompressor {
 public:
  // `window_log`: a zstd frame that wants a larger window is an error, before its memory is taken.
  Decompressor(ReadBytes read, unsigned window_log);
  ~Decompressor();
  Decompressor(const Decompressor &) = delete;
  Decompressor &operator=(const Decompressor &) = delete;

  // Fills all of the span; less only at the end. Large spans are faster.
  [[nodiscard]] Result<std::size_t> read(std::span<char> into);

  [[nodiscard]] Compression compression() const;     // `none` until the first read
  [[nodiscard]] std::uint64_t compressed() const;    // bytes taken in so far
  [[nodiscard]] std::uint64_t uncompressed() const;  // bytes given out so far

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace skiff::image
