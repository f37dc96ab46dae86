// Reads a tar archive as a stream: ustar, pax, GNU and star, sparse files of all four kinds.
//
// Strict: what is not what it has to be is an error (EBADMSG) that names the entry, for two programs that repair the
// same archive differently see two trees. File data is never copied: it is handed out where it came in.
#pragma once

#include <array>
#include <functional>

#include "imgtool/tar_entry.h"
#include "imgtool/tar_format.h"
#include "spec/error.h"

namespace skiff::image {

// The next bytes of the archive, valid until the next call; empty at the end.
using NextChunk = std::function<Result<std::span<const char>>()>;

struct TarLimits {
  std::uint64_t file_bytes = std::uint64_t{64} << 30U;
  std::uint64_t entries = 4'000'000;
  std::uint32_t path_length = 4096;
};

// Bytes of a file and where they belong in it.
struct TarPiece {
  std::uint64_t offset = 0;
  std::span<const char> bytes;  // valid until the reader's next call
};

class TarReader {
 public:
  TarReader(NextChunk next_chunk, TarLimits limits) : next_chunk_(std::move(next_chunk)), limits_(limits) {}

  // False at the end: two blocks of zeros, or no further block. What was not read of the entry before is passed over.
  // An error names the entry.
  [[nodiscard]] Result<bool> next();
  [[nodiscard]] const TarEntry &entry() const { return entry_; }
  // The next piece of the entry's data; an empty one after the last.
  [[nodiscard]] Result<TarPiece> read();
  // Everything that stands behind the archive's end: it belongs to the layer's digest.
  [[nodiscard]] Status drain();

 private:
  [[nodiscard]] Result<bool> fill();
  [[nodiscard]] Result<const char *> block();
  [[nodiscard]] Status skip();
  [[nodiscard]] Result<bool> next_header();
  [[nodiscard]] Status read_metadata(const char *header, char type);
  [[nodiscard]] Result<std::string> read_text(const char *header, std::uint64_t most, std::string_view what);
  [[nodiscard]] Status make_entry(const char *header);
  [[nodiscard]] Status set_names(const char *header);
  [[nodiscard]] Status set_numbers(const char *header);
  [[nodiscard]] Status set_data(const char *header, char type);
  [[nodiscard]] Status set_sparse(const char *header, char type);
  [[nodiscard]] Status read_gnu_map(const char *header);
  [[nodiscard]] Status read_pax_map();
  [[nodiscard]] Result<std::uint64_t> number(const char *header, tar::Field field, std::string_view what) const;
  [[nodiscard]] std::unexpected<Error> damaged(std::string text) const;

  NextChunk next_chunk_;
  TarLimits limits_;
  std::span<const char> chunk_;
  std::array<char, tar::block_size> block_{};  // one that lies in two chunks
  bool ended_ = false;
  TarEntry entry_;
  tar::PaxFields global_;
  bool has_global_ = false;
  tar::PaxFields local_;
  bool has_local_ = false;
  std::string gnu_name_;
  std::string gnu_link_;
  std::uint64_t stored_ = 0;    // bytes of the entry that are not read yet
  std::uint64_t padding_ = 0;   // after them
  std::uint64_t position_ = 0;  // in the file, or within the range
  std::size_t range_ = 0;
};

}  // namespace skiff::image
