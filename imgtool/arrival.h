// A blob that may still be arriving: what fetches it and what unpacks it meet here.
//
// The fetching side writes into the blob's file and says how far the bytes are there without a gap; the reading side
// reads the same file behind it. The page cache is the buffer between them, so that neither holds the blob in memory.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>

#include "imgtool/bytes.h"
#include "runtime/kernel/fd.h"

namespace skiff::image {

class Arrival {
 public:
  // `file` is read with pread(2) at positions of its own; it must outlive the arrival. A blob that is there already is
  // ended from the start.
  explicit Arrival(kernel::FdView file) : file_(file) {}

  // ---- the fetching side ----
  void reached(std::uint64_t bytes);  // everything before this position is in the file
  void restart();                     // the file was cut to nothing: only while nobody has read from it
  void end();                         // that was all, and its digest is right
  void fail(Error error);

  // ---- the reading side ----
  // Blocks until bytes come. The error of fail() once what came before it has been read.
  [[nodiscard]] Result<std::size_t> read(std::span<char> into);
  [[nodiscard]] ReadBytes reader();
  // Blocks until end() or fail(): what was read counts only then, for only then is the digest verified.
  [[nodiscard]] Status wait();

 private:
  kernel::FdView file_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t reached_ = 0;
  std::uint64_t read_ = 0;
  bool ended_ = false;
  std::optional<Error> failure_;
};

}  // namespace skiff::image
