#include "imgtool/buffer_ring.h"

#include <algorithm>

namespace skiff::image {

BufferRing::BufferRing(std::size_t buffers, std::size_t bytes) : size_(bytes), filled_bytes_(buffers) {
  buffers_.reserve(buffers);
  // Not zeroed: a page that a small layer does not reach is never touched.
  for (std::size_t i = 0; i < buffers; ++i) buffers_.emplace_back(new char[bytes]);
}

bool BufferRing::has_room() const {
  return std::ranges::all_of(
      reader_, [&](const Reader &reader) { return reader.left || filled_ - reader.position < buffers_.size(); });
}

bool BufferRing::all_left() const { return std::ranges::all_of(reader_, &Reader::left); }

std::span<char> BufferRing::begin_fill() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return has_room(); });
  if (all_left()) return {};
  return {buffers_[filled_ % buffers_.size()].get(), size_};
}

void BufferRing::end_fill(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  filled_bytes_[filled_ % buffers_.size()] = bytes;
  ++filled_;
  changed_.notify_all();
}

void BufferRing::finish(std::optional<Error> failure) {
  const std::lock_guard lock(mutex_);
  finished_ = true;
  failure_ = std::move(failure);
  changed_.notify_all();
}

Result<std::span<const char>> BufferRing::next(unsigned reader) {
  std::unique_lock lock(mutex_);
  Reader &self = reader_[reader];
  if (self.holds) {
    self.holds = false;
    ++self.position;
    changed_.notify_all();
  }
  changed_.wait(lock, [&] { return self.position < filled_ || finished_; });
  if (self.position < filled_) {
    self.holds = true;
    const std::size_t slot = self.position % buffers_.size();
    return std::span<const char>(buffers_[slot].get(), filled_bytes_[slot]);
  }
  if (failure_) return std::unexpected(*failure_);
  return std::span<const char>();
}

void BufferRing::leave(unsigned reader) {
  const std::lock_guard lock(mutex_);
  reader_[reader].left = true;
  changed_.notify_all();
}

}  // namespace skiff::image
