// What a person or a program sees of work that takes time: one item a layer, and the total.
//
// Every function may be called by any thread. Nothing here fails: a progress that cannot be shown is no reason to stop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/kernel/fd.h"

namespace skiff::image {

enum class ProgressMode : std::uint8_t {
  automatic,  // bars where stderr is a terminal, else plain
  bars,       // one a item, and the total with its speed; redrawn at most ten times a second
  plain,      // a line when an item starts and one when it ends
  json,       // an object a line: {"id","status","current","total"}, at most ten a second and item
  quiet,
};

class Progress;

// One blob, layer or file. Ends as failed where it is dropped before done().
class ProgressItem {
 public:
  ProgressItem() = default;  // shows nothing
  ProgressItem(ProgressItem &&other) noexcept;
  ProgressItem &operator=(ProgressItem &&other) noexcept;
  ProgressItem(const ProgressItem &) = delete;
  ProgressItem &operator=(const ProgressItem &) = delete;
  ~ProgressItem();

  void advance(std::uint64_t bytes);
  // "Downloading", "Unpacking", "Retrying in 2s"
  void status(std::string_view words);
  // Its last words: "Pull complete", "Already exists"
  void done(std::string_view words);

 private:
  friend class Progress;
  ProgressItem(Progress *progress, std::size_t index) : progress_(progress), index_(index) {}
  Progress *progress_ = nullptr;
  std::size_t index_ = 0;
};

class Progress {
 public:
  // Written to stderr, unless another descriptor is given; it must outlive this.
  explicit Progress(ProgressMode mode, kernel::FdView out = kernel::FdView(2));
  ~Progress();  // ends the bars' lines
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;

  // `total` in bytes, 0 for unknown.
  [[nodiscard]] ProgressItem begin(std::string_view id, std::string_view status, std::uint64_t total);
  // A line of its own, above the bars: a warning of the registry, "Digest: sha256:...".
  void say(std::string_view line);

 private:
  friend class ProgressItem;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace skiff::image
