// How far a pull or a push is, by what `skiff-image --progress json` says.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "compose/engine.h"
#include "compose/parallel.h"

namespace skiff::compose {

class ImageProgress {
 public:
  // What came on its stderr, in any pieces.
  void take(std::string_view bytes);
  // "12MB / 30MB" of all that is known of; empty where nothing is.
  [[nodiscard]] std::string text() const;
  // What was no progress: why it failed.
  [[nodiscard]] const std::string &words() const { return words_; }

 private:
  struct Item {
    std::uint64_t current = 0;
    std::uint64_t total = 0;
  };
  void take_line(std::string_view line);

  std::map<std::string, Item> items_;
  std::string rest_;
  std::string words_;
};

// Runs skiff-image with these words and tells how far it is, several times a second at most.
[[nodiscard]] Status call_image_telling(const Engine &engine, const Words &words, const Tell &tell);

}  // namespace skiff::compose
