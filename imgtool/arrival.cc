#include "imgtool/arrival.h"

#include <unistd.h>

#include <algorithm>

namespace skiff::image {

void Arrival::reached(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  reached_ = std::max(reached_, bytes);
  changed_.notify_all();
}

void Arrival::restart() {
  const std::lock_guard lock(mutex_);
  reached_ = 0;
}

void Arrival::end() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

void Arrival::fail(Error error) {
  const std::lock_guard lock(mutex_);
  if (!ended_ && !failure_) failure_ = std::move(error);
  changed_.notify_all();
}

Result<std::size_t> Arrival::read(std::span<char> into) {
  std::uint64_t there = 0;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return reached_ > read_ || ended_ || failure_; });
    there = reached_ - read_;
    if (there == 0 && failure_) return std::unexpected(*failure_);
  }
  if (there == 0) return 0;
  const std::size_t wanted = std::min<std::uint64_t>(into.size(), there);
  const ssize_t count = ::pread(file_.get(), into.data(), wanted, static_cast<off_t>(read_));
  if (count < 0) return skiff::fail(errno, "pread of the blob");
  if (count == 0) return skiff::fail(EIO, "the blob's file is shorter than what came in");
  read_ += static_cast<std::uint64_t>(count);
  return static_cast<std::size_t>(count);
}

ReadBytes Arrival::reader() {
  return [this](std::span<char> into) { return read(into); };
}

Status Arrival::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return ended_ || failure_; });
  if (failure_) return std::unexpected(*failure_);
  return {};
}

}  // namespace skiff::image
