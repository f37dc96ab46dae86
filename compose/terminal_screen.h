// Pictures on a terminal, by ncurses: the only file that knows it. One at a time: ncurses keeps its state for itself.
#pragma once

#include <termios.h>

#include "compose/dashboard_model.h"
#include "compose/picture.h"
#include "spec/error.h"

namespace skiff::compose {

struct ScreenOptions {
  bool colour = true;
};

class TerminalScreen {
 public:
  // Takes the terminal on stdin and stdout; ENOTTY where there is none. A terminal that no terminfo entry of this host
  // describes is taken for one that understands what all understand (ECMA-48).
  [[nodiscard]] static Result<TerminalScreen> open(const ScreenOptions &options);
  TerminalScreen(TerminalScreen &&other) noexcept;
  TerminalScreen &operator=(TerminalScreen &&) = delete;
  TerminalScreen(const TerminalScreen &) = delete;
  TerminalScreen &operator=(const TerminalScreen &) = delete;
  // The terminal is as it was.
  ~TerminalScreen();

  // Its size now, after SIGWINCH.
  [[nodiscard]] Canvas canvas();
  void show(const Picture &picture) const;
  // What was typed; Key::none with no more to come.
  [[nodiscard]] KeyPress read_key() const;

  // The terminal for another program, with these words first, and back.
  void leave(const char *words) const;
  void come_back() const;

 private:
  TerminalScreen(void *screen, const termios &before, bool colour, bool utf8)
      : screen_(screen), before_(before), colour_(colour), utf8_(utf8) {}
  [[nodiscard]] unsigned long attributes_of(Tone tone) const;

  void *screen_;  // ncurses' SCREEN, which only that header can name
  termios before_;
  bool colour_;
  bool utf8_;
};

}  // namespace skiff::compose
