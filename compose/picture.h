// A screen of text as a value: what is to be seen, apart from how a terminal is made to show it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace skiff::compose {

enum class Tone : std::uint8_t { plain, title, faint, good, warning, bad, key };

struct Span {
  std::string text;
  Tone tone = Tone::plain;
};

struct PictureLine {
  std::vector<Span> spans;
  bool reversed = false;  // the whole line, up to the edge
};

struct Picture {
  std::vector<PictureLine> lines;  // as many as the screen has, none wider
};

// What a picture is drawn for.
struct Canvas {
  std::size_t rows = 24;
  std::size_t columns = 80;
  bool utf8 = true;  // else ASCII alone
};

[[nodiscard]] PictureLine line_of(std::string text, Tone tone = Tone::plain);
// Without the tones.
[[nodiscard]] std::string text_of(const PictureLine &line);
// Cuts what does not fit; a reversed line is filled up.
void fit_line(PictureLine &line, const Canvas &canvas);

// What stands for "cut here" and for "goes on".
[[nodiscard]] std::string_view ellipsis(const Canvas &canvas);
// "── Logs ─────"
[[nodiscard]] PictureLine rule_line(std::string_view title, const Canvas &canvas);

// What a program has written, as it may stand on a screen: without escape sequences and control characters, tabs as
// blanks, what is no UTF-8 (or, on a canvas without it, no ASCII) as '?'.
[[nodiscard]] std::string screen_text(std::string_view raw, const Canvas &canvas);
// In pieces no wider than the canvas; one empty piece of an empty text.
[[nodiscard]] std::vector<std::string> wrap_text(std::string_view text, std::size_t columns);

// The last values, one column each, the highest as high as a letter.
[[nodiscard]] std::string spark_line(const std::vector<double> &values, std::size_t columns, const Canvas &canvas);

}  // namespace skiff::compose
