// A terminal as a user has one, and what stands on its screen.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/kernel/process.h"
#include "runtime/kernel/tty.h"

namespace skiff::rig {

// What is typed goes into `master`, the program gets `slave`.
struct Pty {
  kernel::Fd master;
  kernel::Fd slave;
};
[[nodiscard]] Pty open_pty(unsigned short rows, unsigned short columns);

// The words as the leader of a session whose terminal is the pty, as below a terminal emulator.
[[nodiscard]] kernel::Child start_on(const Pty &pty, const std::vector<std::string> &words);

[[nodiscard]] termios settings_of(const Pty &pty);
// Whether lines, echo and signals are as they were.
[[nodiscard]] bool same_settings(const termios &one, const termios &other);

// What a program has drawn, as far as ECMA-48's moves, erasures and texts go.
class Screen {
 public:
  Screen(std::size_t rows, std::size_t columns) : lines_(rows, std::u32string(columns, U' ')) {}

  void take(std::string_view bytes);
  void resize(std::size_t rows, std::size_t columns);
  // Reads until `wanted` stands on it; false: it does not come within 20 seconds.
  [[nodiscard]] bool wait_for(kernel::FdView master, std::string_view wanted);
  // Until it does not stand there any more.
  [[nodiscard]] bool wait_until_gone(kernel::FdView master, std::string_view unwanted);
  // UTF-8, a line each, without blanks at their ends.
  [[nodiscard]] std::string text() const;
  // All that has come, as it came.
  [[nodiscard]] const std::string &bytes() const { return bytes_; }

 private:
  template <class Predicate>
  [[nodiscard]] bool read_until_it(kernel::FdView master, Predicate done);
  void control(std::string_view parameters, char what);
  void put(char32_t letter);
  void erase(std::size_t row, std::size_t from, std::size_t to);

  std::vector<std::u32string> lines_;
  std::size_t row_ = 0;
  std::size_t column_ = 0;
  std::string bytes_;
  std::string pending_;  // the beginning of a sequence
};

}  // namespace skiff::rig
