// The known name that a mistyped one was meant to be.
#pragma once

#include <cstddef>
#include <string_view>

namespace skiff::cli {

// Letters to change, add, drop or swap with their neighbour to get from one word to the other; names only, so at most
// 64 letters of each are looked at.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

// Collects candidates and keeps the nearest. A candidate further than a third of the word's length is no candidate.
class Nearest {
 public:
  explicit Nearest(std::string_view wanted) : wanted_(wanted), best_(wanted.size() / 3 + 2) {}
  void offer(std::string_view candidate);
  [[nodiscard]] std::string_view found() const { return found_; }  // empty: nothing is near

 private:
  std::string_view wanted_;
  std::string_view found_;
  std::size_t best_;
};

}  // namespace skiff::cli
