// Writes a tar archive as a stream: ustar, with pax records where ustar has no room (long names, large numbers, parts
// of a second, extended attributes). The same entries are the same bytes.
#pragma once

#include "imgtool/bytes.h"
#include "imgtool/tar_entry.h"

namespace skiff::image {

class TarWriter {
 public:
  explicit TarWriter(WriteBytes out) : out_(std::move(out)) {}

  // `data` gives exactly the entry's size; it is not asked where that is 0. What is sparse is written with its holes.
  // A directory's name gets its '/'. Errors name the entry.
  [[nodiscard]] Status add(const TarEntry &entry, const ReadBytes &data = {});
  // The end of the archive.
  [[nodiscard]] Status finish();

 private:
  [[nodiscard]] Status header(const TarEntry &entry, const std::string &name);
  [[nodiscard]] Status copy(std::uint64_t size, const ReadBytes &data);
  [[nodiscard]] Status pad(std::uint64_t size);
  WriteBytes out_;
};

}  // namespace skiff::image
