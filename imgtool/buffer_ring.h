// One thread fills buffers in turn, several read all of them, each at its own pace: the pipeline of a layer.
//
// The buffers are few and used again and again, so that the memory stays in the cache and its amount is known. Who is
// too fast waits.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "spec/error.h"

namespace skiff::image {

class BufferRing {
 public:
  static constexpr unsigned readers = 2;

  BufferRing(std::size_t buffers, std::size_t bytes);

  // ---- the filling side ----
  // The next buffer, once all readers are through with it; empty when nobody reads any more.
  [[nodiscard]] std::span<char> begin_fill();
  void end_fill(std::size_t bytes);
  // Nothing follows; with an error the readers get that after the last buffer.
  void finish(std::optional<Error> failure);

  // ---- a reading side, 0 or 1 ----
  // Gives the buffer of the last call back and takes the next one; empty at the end.
  [[nodiscard]] Result<std::span<const char>> next(unsigned reader);
  // This one reads no more.
  void leave(unsigned reader);

 private:
  struct Reader {
    std::uint64_t position = 0;  // buffers that it gave back
    bool holds = false;
    bool left = false;
  };
  [[nodiscard]] bool has_room() const;
  [[nodiscard]] bool all_left() const;

  std::size_t size_;
  std::vector<std::unique_ptr<char[]>> buffers_;
  std::vector<std::size_t> filled_bytes_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::array<Reader, readers> reader_;
  std::uint64_t filled_ = 0;
  bool finished_ = false;
  std::optional<Error> failure_;
};

}  // namespace skiff::image
