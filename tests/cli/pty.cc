#include "tests/cli/pty.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "runtime/cli/width.h"
#include "tests/cli/background.h"

namespace skiff::rig {
namespace {

char32_t decode(std::string_view letter) {
  const auto first = static_cast<unsigned char>(letter.front());
  if (letter.size() == 1) return first;
  char32_t code = first & (0xffU >> (letter.size() + 1));
  for (const char byte : letter.substr(1)) code = (code << 6U) | (static_cast<unsigned char>(byte) & 0x3fU);
  return code;
}

void encode(char32_t code, std::string &text) {
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += {static_cast<char>(0xc0U | (code >> 6U)), static_cast<char>(0x80U | (code & 0x3fU))};
  } else {
    text += {static_cast<char>(0xe0U | (code >> 12U)), static_cast<char>(0x80U | ((code >> 6U) & 0x3fU)),
             static_cast<char>(0x80U | (code & 0x3fU))};
  }
}

}  // namespace

Pty open_pty(unsigned short rows, unsigned short columns) {
  Pty pty;
  pty.master = kernel::open_ptmx(kernel::open("/dev/pts", O_PATH | O_DIRECTORY).value()).value();
  EXPECT_TRUE(kernel::unlockpt(pty.master));
  pty.slave = kernel::open_pty_peer(pty.master).value();
  EXPECT_TRUE(kernel::set_window_size(pty.master, {.ws_row = rows, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0}));
  return pty;
}

kernel::Child start_on(const Pty &pty, const std::vector<std::string> &words) {
  std::vector<std::string> all = {"/usr/bin/setsid", "--ctty", "--wait"};
  all.insert(all.end(), words.begin(), words.end());
  return start_program(all, {pty.slave, pty.slave, pty.slave});
}

termios settings_of(const Pty &pty) {
  termios settings{};
  EXPECT_EQ(::tcgetattr(pty.slave.get(), &settings), 0);
  return settings;
}

bool same_settings(const termios &one, const termios &other) {
  return one.c_lflag == other.c_lflag && one.c_iflag == other.c_iflag && one.c_oflag == other.c_oflag;
}

void Screen::resize(std::size_t rows, std::size_t columns) {
  lines_.assign(rows, std::u32string(columns, U' '));
  row_ = column_ = 0;
}

void Screen::erase(std::size_t row, std::size_t from, std::size_t to) {
  std::u32string &line = lines_[row];
  for (std::size_t i = from; i < std::min(to, line.size()); ++i) line[i] = U' ';
}

void Screen::control(std::string_view parameters, char what) {
  const bool is_private = parameters.starts_with('?');
  const int first = std::atoi(std::string(parameters).c_str());
  const auto count = static_cast<std::size_t>(std::max(first, 1));
  const std::size_t last_row = lines_.size() - 1;
  const std::size_t last_column = lines_.front().size() - 1;
  switch (what) {
    case 'A':
      row_ -= std::min(row_, count);
      break;
    case 'B':
      row_ = std::min(row_ + count, last_row);
      break;
    case 'C':
      column_ = std::min(column_ + count, last_column);
      break;
    case 'D':
      column_ -= std::min(column_, count);
      break;
    case 'H': {
      const std::size_t semicolon = parameters.find(';');
      const int second =
          semicolon == parameters.npos ? 1 : std::atoi(std::string(parameters.substr(semicolon + 1)).c_str());
      row_ = std::min(count - 1, last_row);
      column_ = std::min(static_cast<std::size_t>(std::max(second, 1)) - 1, last_column);
      break;
    }
    case 'J':
      erase(row_, first == 2 ? 0 : column_, lines_.front().size());
      for (std::size_t i = first == 2 ? 0 : row_ + 1; i < lines_.size(); ++i) erase(i, 0, lines_.front().size());
      break;
    case 'K':
      erase(row_, first == 1 ? 0 : column_, first == 1 ? column_ + 1 : lines_.front().size());
      break;
    default:
      // Colours, modes that change nothing that is drawn, and the question where the cursor is.
      EXPECT_TRUE(what == 'm' || what == 'n' || is_private) << "CSI " << parameters << what;
  }
}

void Screen::put(char32_t letter) {
  if (column_ == lines_.front().size()) {
    column_ = 0;
    row_ = std::min(row_ + 1, lines_.size() - 1);
  }
  lines_[row_][column_++] = letter;
}

void Screen::take(std::string_view bytes) {
  bytes_ += bytes;
  pending_ += bytes;
  std::string_view rest = pending_;
  while (!rest.empty()) {
    const std::string_view before = rest;
    if (rest.starts_with('\x1b')) {
      const std::size_t end = rest.find_first_not_of("0123456789;?", 2);
      if (rest.size() < 2 || end == rest.npos) {
        rest = before;
        break;
      }
      if (rest[1] == '[') control(rest.substr(2, end - 2), rest[end]);
      rest.remove_prefix(rest[1] == '[' ? end + 1 : 2);
      continue;
    }
    const char byte = rest.front();
    const std::string_view letter = cli::take_letter(rest);
    if (static_cast<unsigned char>(byte) >= 0xc0 && letter.size() == 1 && before.size() < 4) {
      rest = before;
      break;
    }
    if (byte == '\r') {
      column_ = 0;
    } else if (byte == '\n') {
      row_ = std::min(row_ + 1, lines_.size() - 1);
    } else if (byte == '\b') {
      column_ -= column_ > 0 ? 1 : 0;
    } else if (byte == '\t') {
      column_ = std::min((column_ / 8 + 1) * 8, lines_.front().size() - 1);
    } else if (static_cast<unsigned char>(byte) >= ' ') {
      put(decode(letter));
    }
  }
  pending_ = std::string(rest);
}

// What is drawn every second is no end of waiting.
template <class Predicate>
bool Screen::read_until_it(kernel::FdView master, Predicate done) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!done(text())) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0 || !kernel::wait_readable(master, left).value_or(false)) return false;
    std::array<char, 4096> buffer{};
    const Result<std::size_t> got = kernel::read_some(master, buffer);
    if (!got || *got == 0) return false;
    take({buffer.data(), *got});
  }
  return true;
}

bool Screen::wait_for(kernel::FdView master, std::string_view wanted) {
  return read_until_it(master, [&](const std::string &all) { return all.find(wanted) != all.npos; });
}

bool Screen::wait_until_gone(kernel::FdView master, std::string_view unwanted) {
  return read_until_it(master, [&](const std::string &all) { return all.find(unwanted) == all.npos; });
}

std::string Screen::text() const {
  std::string text;
  for (const std::u32string &line : lines_) {
    const std::size_t end = line.find_last_not_of(U' ');
    for (std::size_t i = 0; end != line.npos && i <= end; ++i) encode(line[i], text);
    text += '\n';
  }
  return text;
}

}  // namespace skiff::rig
