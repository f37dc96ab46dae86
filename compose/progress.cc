#include "compose/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "runtime/cli/width.h"
#include "runtime/kernel/fd.h"
#include "runtime/kernel/tty.h"
#include "spec/writer.h"

namespace skiff::compose {
namespace {

constexpr kernel::FdView err{2};

struct Sign {
  std::string_view letter;
  std::string_view colour;
  std::string_view word;
};
constexpr std::array<Sign, 4> signs = {{{"•", "\x1b[34m", "Working"},
                                        {"✔", "\x1b[32m", "Done"},
                                        {"!", "\x1b[33m", "Warning"},
                                        {"✘", "\x1b[31m", "Error"}}};

const Sign &sign_of(Mark mark) { return signs[static_cast<std::size_t>(mark)]; }

struct Event {
  std::string id;
  std::string status;
  std::string text;
};
void fields(auto &v, const Event &event) {
  v.always("id", event.id);
  v.always("status", event.status);
  v.always("text", event.text);
}

void tell(std::string_view text) { (void)kernel::write_all(err, text); }

}  // namespace

ProgressStyle progress_style(std::string_view flag) {
  if (flag == "plain") return ProgressStyle::plain;
  if (flag == "json") return ProgressStyle::json;
  if (flag == "quiet") return ProgressStyle::quiet;
  if (flag == "tty") return ProgressStyle::terminal;
  return kernel::is_terminal(err) ? ProgressStyle::terminal : ProgressStyle::plain;
}

// A line that is wider than the terminal could not be drawn over.
std::string Progress::draw(const Line &line, std::size_t width, std::size_t columns) const {
  const Sign &sign = sign_of(line.mark);
  const std::string text =
      fmt::format("{}  {}", cli::pad_to_width(cli::cut_to_width(line.what, width), width), line.text);
  const std::size_t room = columns > 4 ? columns - 4 : 1;
  return fmt::format("\x1b[2K {}{}{} {}\n", colour_ ? sign.colour : "", sign.letter, colour_ ? "\x1b[0m" : "",
                     cli::cut_to_width(text, room));
}

void Progress::redraw() {
  const Result<winsize> size = kernel::get_window_size(err);
  const std::size_t rows = size && size->ws_row > 2 ? size->ws_row - 1U : 24U;
  const std::size_t columns = size && size->ws_col > 0 ? size->ws_col : 80U;
  std::size_t width = 0;
  for (const Line &line : lines_) width = std::max(width, cli::width_of(line.what));
  // On a narrow terminal a long name must leave room for what becomes of it.
  width = std::min(width, columns > 24 ? columns - 16 : 8);
  // Of more lines than the terminal has the last ones are shown.
  const std::size_t first = lines_.size() > rows ? lines_.size() - rows : 0;
  std::string text = drawn_ > 0 ? fmt::format("\x1b[{}A\r", drawn_) : "";
  for (std::size_t i = first; i < lines_.size(); ++i) text += draw(lines_[i], width, columns);
  drawn_ = lines_.size() - first;
  tell(text);
}

void Progress::set(const std::string &what, std::string_view text, Mark mark) {
  const auto found = std::ranges::find(lines_, what, &Line::what);
  if (found != lines_.end() && found->text == text && found->mark == mark) return;
  if (found != lines_.end()) {
    *found = {what, std::string(text.substr(0, text.find('\n'))), mark};
  } else {
    lines_.push_back({what, std::string(text.substr(0, text.find('\n'))), mark});
  }
  switch (style_) {
    case ProgressStyle::terminal:
      redraw();
      break;
    case ProgressStyle::plain:
      tell(fmt::format(" {}  {}\n", what, text));
      break;
    case ProgressStyle::json:
      tell(spec::Writer("").document(Event{what, std::string(sign_of(mark).word), std::string(text)}) + "\n");
      break;
    case ProgressStyle::quiet:
      break;
  }
}

}  // namespace skiff::compose
