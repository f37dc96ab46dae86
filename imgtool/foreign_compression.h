// Compressions that layers do not have and archives do: xz and bzip2, by libarchive.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "imgtool/bytes.h"

namespace skiff::image {

inline constexpr std::size_t compression_magic = 6;  // bytes that tell
[[nodiscard]] bool is_foreign_compression(std::string_view start);

// The first bytes of a stream, fewer only at its end; it begins with them again.
[[nodiscard]] Result<std::string> peek(ReadBytes &stream, std::size_t count);

class ForeignDecompressor {
 public:
  [[nodiscard]] static Result<ForeignDecompressor> open(ReadBytes compressed);
  ForeignDecompressor(ForeignDecompressor &&) noexcept;
  ForeignDecompressor &operator=(ForeignDecompressor &&) = delete;
  ~ForeignDecompressor();

  // As Decompressor::read; EBADMSG where the stream is damaged or ends too early.
  [[nodiscard]] Result<std::size_t> read(std::span<char> into);

 private:
  struct State;
  explicit ForeignDecompressor(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace skiff::image
