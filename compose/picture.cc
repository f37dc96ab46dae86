#include "compose/picture.h"

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/cli/width.h"

namespace skiff::compose {
namespace {

constexpr std::size_t tab_stop = 8;

// ECMA-48: "\x1b[" parameters and a final letter, "\x1b]" up to BEL or ST, else two bytes.
void skip_escape(std::string_view &text) {
  text.remove_prefix(1);
  if (text.empty()) return;
  const char kind = text.front();
  text.remove_prefix(1);
  if (kind == '[') {
    while (!text.empty() && (text.front() < '@' || text.front() > '~')) text.remove_prefix(1);
    if (!text.empty()) text.remove_prefix(1);
  } else if (kind == ']') {
    while (!text.empty() && text.front() != '\a' && text.front() != '\x1b') text.remove_prefix(1);
    if (!text.empty()) text.remove_prefix(text.starts_with("\x1b\\") ? 2 : 1);
  }
}

bool is_control(std::string_view letter) {
  const auto first = static_cast<unsigned char>(letter.front());
  // The C1 controls are two bytes in UTF-8.
  return first < ' ' || first == 0x7f || (first == 0xc2 && static_cast<unsigned char>(letter.back()) < 0xa0);
}

}  // namespace

PictureLine line_of(std::string text, Tone tone) {
  return {.spans = {{.text = std::move(text), .tone = tone}}, .reversed = false};
}

std::string text_of(const PictureLine &line) {
  std::string text;
  for (const Span &span : line.spans) text += span.text;
  return text;
}

std::string_view ellipsis(const Canvas &canvas) { return canvas.utf8 ? "…" : "~"; }

void fit_line(PictureLine &line, const Canvas &canvas) {
  std::size_t left = canvas.columns;
  for (Span &span : line.spans) {
    span.text = cli::cut_to_width(span.text, left, ellipsis(canvas));
    left -= std::min(cli::width_of(span.text), left);
  }
  std::erase_if(line.spans, [](const Span &span) { return span.text.empty(); });
  if (line.reversed && left > 0) line.spans.push_back({.text = std::string(left, ' '), .tone = Tone::plain});
}

PictureLine rule_line(std::string_view title, const Canvas &canvas) {
  const std::string_view stroke = canvas.utf8 ? "─" : "-";
  PictureLine line;
  line.spans.push_back({.text = std::string(stroke) + std::string(stroke) + " ", .tone = Tone::faint});
  line.spans.push_back({.text = std::string(title), .tone = Tone::title});
  const std::size_t used = cli::width_of(title) + 4;
  std::string rest = " ";
  for (std::size_t i = used; i < canvas.columns; ++i) rest += stroke;
  line.spans.push_back({.text = std::move(rest), .tone = Tone::faint});
  fit_line(line, canvas);
  return line;
}

std::string screen_text(std::string_view raw, const Canvas &canvas) {
  std::string text;
  std::size_t column = 0;
  while (!raw.empty()) {
    if (raw.front() == '\x1b') {
      skip_escape(raw);
      continue;
    }
    const std::string_view letter = cli::take_letter(raw);
    const bool foreign = static_cast<unsigned char>(letter.front()) >= 0x80;
    if (letter == "\t") {
      const std::size_t blanks = tab_stop - column % tab_stop;
      text.append(blanks, ' ');
      column += blanks;
    } else if (foreign && (letter.size() == 1 || !canvas.utf8)) {
      text += '?';
      ++column;
    } else if (!is_control(letter)) {
      text += letter;
      column += cli::width_of(letter);
    }
  }
  return text;
}

std::vector<std::string> wrap_text(std::string_view text, std::size_t columns) {
  std::vector<std::string> pieces(1);
  std::size_t width = 0;
  while (!text.empty()) {
    const std::string_view letter = cli::take_letter(text);
    const std::size_t more = cli::width_of(letter);
    if (width > 0 && width + more > columns) {
      pieces.emplace_back();
      width = 0;
    }
    pieces.back() += letter;
    width += more;
  }
  return pieces;
}

std::string spark_line(const std::vector<double> &values, std::size_t columns, const Canvas &canvas) {
  static constexpr std::array<std::string_view, 8> blocks = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  static constexpr std::array<std::string_view, 8> letters = {" ", ".", ":", "-", "=", "+", "*", "#"};
  const std::size_t count = std::min(values.size(), columns);
  const auto begin = values.end() - static_cast<std::ptrdiff_t>(count);
  const double highest = count > 0 ? *std::max_element(begin, values.end()) : 0;
  std::string text;
  for (auto value = begin; value != values.end(); ++value) {
    const double share = highest > 0 ? *value / highest : 0;
    const auto level = std::min<std::size_t>(static_cast<std::size_t>(share * 7.999), 7);
    text += canvas.utf8 ? blocks[level] : letters[level];
  }
  return text;
}

}  // namespace skiff::compose
