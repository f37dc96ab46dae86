#include "compose/scalars.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "runtime/cli/value.h"
#include "spec/text.h"

namespace skiff::compose {
namespace {

template <class Number>
std::optional<Number> parse_whole(std::string_view text, int radix) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, radix);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Takes "5d" or "2w" from the front, which Go's own durations lack.
std::optional<std::chrono::nanoseconds> take_days(std::string_view &text) {
  constexpr std::int64_t most_hours = 2000000;  // 228 years: below what 64 bits of nanoseconds hold
  std::int64_t hours = 0;
  for (std::size_t at = text.find_first_of("wd"); at != std::string_view::npos; at = text.find_first_of("wd")) {
    const std::optional<std::uint16_t> number = cli::parse_number<std::uint16_t>(text.substr(0, at));
    if (!number) return std::nullopt;
    hours += std::int64_t{text[at] == 'w' ? 7 * 24 : 24} * *number;
    if (hours > most_hours) return std::nullopt;
    text.remove_prefix(at + 1);
  }
  return std::chrono::hours(hours);
}

std::string fraction(std::int64_t whole, std::int64_t rest, int digits) {
  std::string out = fmt::format("{}", whole);
  if (rest == 0) return out;
  out += fmt::format(".{:0{}}", rest, digits);
  while (out.ends_with('0')) out.pop_back();
  return out;
}

// One word's letters, while the splitter walks over the line.
class Splitter {
 public:
  explicit Splitter(std::string_view line) : rest_(line) {}

  Result<std::vector<std::string>> split() {
    while (!rest_.empty()) {
      const char letter = take();
      if (letter == ' ' || letter == '\t' || letter == '\n' || letter == '\r') {
        end_word();
      } else if (letter == '\'' || letter == '"') {
        if (!quoted(letter)) return fail(fmt::format("the quote {} is not closed", letter));
      } else if (letter == '\\') {
        if (rest_.empty()) return fail("a backslash stands at the end");
        add(take());
      } else {
        add(letter);
      }
    }
    end_word();
    return std::move(words_);
  }

 private:
  char take() {
    const char letter = rest_.front();
    rest_.remove_prefix(1);
    return letter;
  }

  void add(char letter) {
    word_ += letter;
    begun_ = true;
  }

  void end_word() {
    if (begun_) words_.push_back(std::move(word_));
    word_.clear();
    begun_ = false;
  }

  bool quoted(char quote) {
    begun_ = true;
    while (!rest_.empty()) {
      char letter = take();
      if (letter == quote) return true;
      if (quote == '"' && letter == '\\' && !rest_.empty() && (rest_[0] == '"' || rest_[0] == '\\')) letter = take();
      word_ += letter;
    }
    return false;
  }

  std::string_view rest_;
  std::string word_;
  bool begun_ = false;
  std::vector<std::string> words_;
};

}  // namespace

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const std::optional<std::chrono::nanoseconds> days = take_days(text);
  if (!days) return std::nullopt;
  if (text.empty()) return days;
  const std::optional<std::chrono::nanoseconds> rest = cli::parse_duration(text);
  if (!rest || *rest > std::chrono::nanoseconds::max() - *days) return std::nullopt;
  return *days + *rest;
}

std::string print_duration(std::chrono::nanoseconds duration) {
  using namespace std::chrono_literals;
  const std::int64_t count = duration.count();
  if (count == 0) return "0s";
  if (duration < 1us) return fmt::format("{}ns", count);
  if (duration < 1ms) return fraction(count / 1000, count % 1000, 3) + "µs";
  if (duration < 1s) return fraction(count / 1000000, count % 1000000, 6) + "ms";
  const std::int64_t seconds = count / 1000000000;
  std::string out;
  if (seconds >= 3600) out += fmt::format("{}h", seconds / 3600);
  if (seconds >= 60) out += fmt::format("{}m", seconds / 60 % 60);
  return out + fraction(seconds % 60, count % 1000000000, 9) + "s";
}

std::optional<bool> parse_boolean(std::string_view text) {
  const std::string word = spec::lower_case(text);
  for (const std::string_view yes : {"true", "yes", "on", "y", "t", "1"}) {
    if (word == yes) return true;
  }
  for (const std::string_view no : {"false", "no", "off", "n", "f", "0"}) {
    if (word == no) return false;
  }
  return std::nullopt;
}

std::optional<std::int64_t> parse_integer(std::string_view text, bool octal) {
  if (text.starts_with("0x")) return parse_whole<std::int64_t>(text.substr(2), 16);
  if (text.starts_with("0o")) return parse_whole<std::int64_t>(text.substr(2), 8);
  if (octal && text.size() > 1 && text.starts_with('0')) return parse_whole<std::int64_t>(text, 8);
  return parse_whole<std::int64_t>(text.starts_with('+') ? text.substr(1) : text, 10);
}

std::optional<PortRange> parse_port_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  const std::optional<std::uint16_t> first = cli::parse_number<std::uint16_t>(text.substr(0, dash));
  if (!first) return std::nullopt;
  if (dash == std::string_view::npos) return PortRange{*first, *first};
  const std::optional<std::uint16_t> last = cli::parse_number<std::uint16_t>(text.substr(dash + 1));
  if (!last || *last < *first) return std::nullopt;
  return PortRange{*first, *last};
}

Result<std::vector<std::string>> split_command(std::string_view line) { return Splitter(line).split(); }

}  // namespace skiff::compose
