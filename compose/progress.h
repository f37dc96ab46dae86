// What a command of a project is doing, on stderr: lines that are redrawn on a terminal, else one for each change.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "spec/error.h"

namespace skiff::compose {

enum class ProgressStyle : std::uint8_t { terminal, plain, json, quiet };
// --progress auto|tty|plain|json|quiet
[[nodiscard]] ProgressStyle progress_style(std::string_view flag);

enum class Mark : std::uint8_t { working, done, warning, failed };

class Progress {
 public:
  explicit Progress(ProgressStyle style, bool colour = true) : style_(style), colour_(colour) {}
  [[nodiscard]] ProgressStyle style() const { return style_; }

  // `what` as "Container shop-db-1", `text` as "Starting".
  void set(const std::string &what, std::string_view text, Mark mark);

 private:
  struct Line {
    std::string what;
    std::string text;
    Mark mark;
  };
  [[nodiscard]] std::string draw(const Line &line, std::size_t width, std::size_t columns) const;
  void redraw();

  ProgressStyle style_;
  bool colour_;
  std::vector<Line> lines_;
  std::size_t drawn_ = 0;
};

}  // namespace skiff::compose
