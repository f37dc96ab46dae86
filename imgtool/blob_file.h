// One blob on its way into its file: ranges that come in any order, hashed as the part without a gap grows.
#pragma once

#include <map>
#include <mutex>
#include <optional>

#include "imgtool/arrival.h"
#include "imgtool/digest.h"
#include "runtime/kernel/fd.h"

namespace skiff::image {

// Bytes are written by several threads; whichever finds the next bytes there and nobody hashing does the hashing, from
// its own buffer where it can. So a blob needs no thread of its own, and what comes faster than it is hashed waits.
class BlobFile {
 public:
  // `size` is the descriptor's. The file's first `there` bytes are of an earlier try.
  BlobFile(kernel::FdView file, std::uint64_t size, const Digest &digest, std::uint64_t there, Arrival *arrival);

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] kernel::FdView file() const { return file_; }

  [[nodiscard]] Status write(std::uint64_t offset, std::span<const char> bytes);
  // Hashes what is there and not hashed yet; after write() only needed for the bytes of an earlier try.
  [[nodiscard]] Status hash_what_is_there();
  // Everything before this position is in the file.
  [[nodiscard]] std::uint64_t reached();
  [[nodiscard]] bool complete() { return reached() == size_; }
  // Once everything is there: EBADMSG where the bytes have another digest than the descriptor's.
  [[nodiscard]] Status verify();

 private:
  void add(std::uint64_t begin, std::uint64_t end);

  kernel::FdView file_;
  std::uint64_t size_;
  Digest digest_;
  Arrival *arrival_;
  std::mutex mutex_;
  std::uint64_t reached_ = 0;
  std::map<std::uint64_t, std::uint64_t> ahead_;  // begin to end, behind the gap
  bool hashing_ = false;
  std::uint64_t hashed_ = 0;
  Hasher hasher_;  // of the thread that hashes
  std::optional<Digest> computed_;
};

// How many bytes at the start of a file that was left by a killed process can be counted on: up to its first hole,
// where a range that had not come would have been, and not beyond `size`. The result is a multiple of 1 MiB, or the
// whole.
[[nodiscard]] Result<std::uint64_t> count_usable_bytes(kernel::FdView file, std::uint64_t size);

}  // namespace skiff::image
