#include "compose/terminal_screen.h"

#include <fmt/format.h>
#include <langinfo.h>

#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "runtime/kernel/call.h"
#include "runtime/kernel/tty.h"

#define NCURSES_NOMACROS
#include <ncurses.h>

namespace skiff::compose {
namespace {

// What xterm, the console of Linux, screen, tmux and those that follow them have in common, ECMA-48 and the keys of the
// VT100, as `tic` compiles it; `infocmp` with this in $TERMINFO shows it.
constexpr const char *plain_terminal =
    "b64:GgEqAB0ADwBpAeIAc2tpZmYtcGxhaW58d2hhdCB0ZXJtaW5hbHMgaGF2ZSBpbiBjb21tb24AAAEAAAEAAAAAAAAAAAEBAAAAAAAAAAAAAA"
    "AAAAEAUAAIABgA__________________________8IAEAA__8AAAIA_____wQADAAQAP____8UACUAJwArADIA__80ADsA__8_AP__________"
    "________QwBIAP__UQD_______9WAP__________WwBfAP____________________________________9oAP____________9qAP________"
    "____________________________9uAP____9yAP__dgB7AIAA________hACIAI4A____________________________________________"
    "_5QA________nQCmAP__rwD_____________________________________uAD__________7oA__________________________________"
    "___________________________________________7wA________________________________________________________________"
    "______________________________________________________________________________________________________________"
    "_______________________________________________________________________________________________________8AA____"
    "____________________________________________________________________xQD_______________________________________"
    "______________________________________________________________________________________________________________"
    "_____________84A2AAHAA0AG1tIG1sySgAbW0sAG1tKABtbJWklcDElZDslcDIlZEgACgAbW0gAG1s_MjVsAAgAG1s_MjVoABtbQwAbW0EAG1"
    "sxbQAbWz8xMDQ5aAAbWzJtABtbN20AG1ttABtbPzEwNDlsAH8AG09CABtPSAAbT0QAG1s2fgAbWzV-ABtPQwAbT0EAG1s_MWwAG1s_MWgAG1sl"
    "cDElZEIAG1slcDElZEQAG1slcDElZEMAG1slcDElZEEACgAJABtPRgAbWzFLABtbMzk7NDltABtbMyVwMSVkbQAbWzQlcDElZG0A";

std::string variable(const char *name) {
  const char *value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// ncurses and the C library ask the locale which bytes are letters. A static program on a host of another C library
// finds no locale but those built into it.
bool choose_locale() {
  std::setlocale(LC_CTYPE, "");
  const auto is_utf8 = [] { return std::strcmp(::nl_langinfo(CODESET), "UTF-8") == 0; };
  if (is_utf8()) return true;
  for (const char *name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string value = variable(name);
    if (value.empty()) continue;
    if (value.ends_with("UTF-8") || value.ends_with("utf8")) std::setlocale(LC_CTYPE, "C.UTF-8");
    break;
  }
  return is_utf8();
}

// The numbers of our pairs of colours.
constexpr short pair_of(Tone tone) { return static_cast<short>(static_cast<int>(tone) + 1); }

void make_colours() {
  ::start_color();
  ::use_default_colors();
  ::init_pair(pair_of(Tone::good), COLOR_GREEN, -1);
  ::init_pair(pair_of(Tone::warning), COLOR_YELLOW, -1);
  ::init_pair(pair_of(Tone::bad), COLOR_RED, -1);
  ::init_pair(pair_of(Tone::key), COLOR_CYAN, -1);
}

SCREEN *open_screen() {
  SCREEN *screen = ::newterm(nullptr, stdout, stdin);
  if (screen == nullptr && !variable("TERM").empty()) {
    ::setenv("TERMINFO", plain_terminal, 1);
    screen = ::newterm("skiff-plain", stdout, stdin);
    // Not for the programs that we start.
    ::unsetenv("TERMINFO");
  }
  // One that can only go from line to line, as those of editors and build servers.
  if (screen != nullptr && ::tigetstr("cup") == nullptr) {
    ::endwin();
    ::delscreen(screen);
    return nullptr;
  }
  return screen;
}

KeyPress key_of(int code) {
  switch (code) {
    case KEY_UP:
      return {.key = Key::up};
    case KEY_DOWN:
      return {.key = Key::down};
    case KEY_PPAGE:
      return {.key = Key::page_up};
    case KEY_NPAGE:
      return {.key = Key::page_down};
    case KEY_HOME:
      return {.key = Key::home};
    case KEY_END:
      return {.key = Key::end};
    case KEY_ENTER:
    case KEY_RIGHT:
    case '\r':
    case '\n':
      return {.key = Key::enter};
    case KEY_BACKSPACE:
    case '\b':
    case 0x7f:
      return {.key = Key::backspace};
    case KEY_LEFT:
    case 0x1b:
      return {.key = Key::escape};
    default:
      break;
  }
  const bool letter = code >= ' ' && code < 0x7f;
  return letter ? KeyPress{.key = Key::letter, .letter = static_cast<char>(code)} : KeyPress{};
}

}  // namespace

Result<TerminalScreen> TerminalScreen::open(const ScreenOptions &options) {
  for (const int fd : {0, 1}) {
    if (kernel::is_terminal(kernel::FdView(fd))) continue;
    return fail(ENOTTY, fd == 0 ? "stdin" : "stdout",
                "it needs a terminal; `stats --format json` and `events --format json` are for programs");
  }
  termios before{};
  if (::tcgetattr(0, &before) != 0) return kernel::call_failed("tcgetattr", {0});
  const bool utf8 = choose_locale();
  // How long an Escape may be the beginning of another key, in milliseconds.
  ::set_escdelay(25);
  SCREEN *screen = open_screen();
  if (screen == nullptr) {
    return fail(fmt::format("TERM={}: this terminal cannot be drawn on", variable("TERM")),
                "set TERM to what it is, such as xterm");
  }
  ::set_term(screen);
  ::cbreak();
  ::noecho();
  ::nonl();
  ::curs_set(0);
  ::keypad(stdscr, true);
  ::nodelay(stdscr, true);
  const bool colour = options.colour && ::has_colors();
  if (colour) make_colours();
  return TerminalScreen(screen, before, colour, utf8);
}

TerminalScreen::TerminalScreen(TerminalScreen &&other) noexcept
    : screen_(std::exchange(other.screen_, nullptr)),
      before_(other.before_),
      colour_(other.colour_),
      utf8_(other.utf8_) {}

TerminalScreen::~TerminalScreen() {
  if (screen_ == nullptr) return;
  // Twice, it would take the cursor to where it was before the first time.
  if (!::isendwin()) ::endwin();
  ::delscreen(static_cast<SCREEN *>(screen_));
  // Whatever a program did to it that had it in between.
  (void)::tcsetattr(0, TCSANOW, &before_);
}

Canvas TerminalScreen::canvas() {
  const Result<winsize> size = kernel::get_window_size(kernel::FdView(1));
  const bool known = size && size->ws_row > 0 && size->ws_col > 0;
  const int rows = known ? size->ws_row : 24;
  const int columns = known ? size->ws_col : 80;
  if (rows != ::getmaxy(stdscr) || columns != ::getmaxx(stdscr)) ::resizeterm(rows, columns);
  return {.rows = static_cast<std::size_t>(rows), .columns = static_cast<std::size_t>(columns), .utf8 = utf8_};
}

unsigned long TerminalScreen::attributes_of(Tone tone) const {
  switch (tone) {
    case Tone::plain:
      return A_NORMAL;
    case Tone::title:
      return A_BOLD;
    case Tone::faint:
      return A_DIM;
    case Tone::good:
    case Tone::warning:
    case Tone::bad:
    case Tone::key:
      break;
  }
  // Without colours what is good looks like all else, and what is not is told by its words, and is bold.
  if (!colour_) return tone == Tone::good ? A_NORMAL : A_BOLD;
  return static_cast<unsigned long>(COLOR_PAIR(pair_of(tone))) | (tone == Tone::bad ? A_BOLD : A_NORMAL);
}

void TerminalScreen::show(const Picture &picture) const {
  ::erase();
  for (std::size_t row = 0; row < picture.lines.size(); ++row) {
    const PictureLine &line = picture.lines[row];
    ::move(static_cast<int>(row), 0);
    for (const Span &span : line.spans) {
      // Dim letters on a bright ground cannot be read.
      const Tone tone = line.reversed && span.tone == Tone::faint ? Tone::plain : span.tone;
      ::attrset(static_cast<int>(attributes_of(tone) | (line.reversed ? A_REVERSE : A_NORMAL)));
      ::addnstr(span.text.data(), static_cast<int>(span.text.size()));
    }
  }
  ::attrset(A_NORMAL);
  ::refresh();
}

KeyPress TerminalScreen::read_key() const {
  while (true) {
    const int code = ::getch();
    if (code == ERR) return {};
    // A key that means nothing here is not the end of what was typed.
    if (const KeyPress press = key_of(code); press.key != Key::none) return press;
  }
}

void TerminalScreen::leave(const char *words) const {
  ::endwin();
  (void)std::fputs(words, stdout);
  (void)std::fflush(stdout);
}

void TerminalScreen::come_back() const {
  ::clearok(stdscr, true);
  ::refresh();
}

}  // namespace skiff::compose
