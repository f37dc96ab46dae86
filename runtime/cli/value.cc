#include "runtime/cli/value.h"

#include <array>

namespace skiff::cli {
namespace {

// The decimal number in front of the text, taken off it: "1.5h" leaves "h". No sign, no exponent.
std::optional<double> take_decimal(std::string_view &text) {
  const std::string_view digits = text.substr(0, text.find_first_not_of("0123456789."));
  double number = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), number, std::chars_format::fixed);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  text.remove_prefix(digits.size());
  return number;
}

constexpr char lower(char letter) { return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter; }

// The factor of "", "b", "k", "kb", "kib" and the like; nullopt for any other suffix.
std::optional<double> size_factor(std::string_view suffix) {
  constexpr std::string_view kUnits = "kmgtp";
  double factor = 1;
  if (!suffix.empty()) {
    const std::size_t unit = kUnits.find(lower(suffix[0]));
    if (unit != std::string_view::npos) {
      factor = static_cast<double>(std::int64_t{1} << (10 * (unit + 1)));
      suffix.remove_prefix(1);
      if (suffix.size() == 2 && lower(suffix[0]) == 'i') suffix.remove_prefix(1);
    }
  }
  if (suffix.empty() || (suffix.size() == 1 && lower(suffix[0]) == 'b')) return factor;
  return std::nullopt;
}

struct TimeUnit {
  std::string_view name;
  double nanoseconds;
};

// The micro sign exists twice in Unicode; Go takes both.
constexpr std::array<TimeUnit, 8> kTimeUnits{
    {{"ns", 1}, {"us", 1e3}, {"\u00b5s", 1e3}, {"\u03bcs", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}}};

constexpr double kInt64End = 9223372036854775808.0;

}  // namespace

std::optional<bool> parse_bool(std::string_view text) {
  for (const std::string_view yes : {"1", "t", "T", "true", "True", "TRUE"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"0", "f", "F", "false", "False", "FALSE"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

std::optional<std::int64_t> parse_size(std::string_view text) {
  // Whole bytes beyond 2^53 are not exact as a double.
  if (const auto bytes = parse_number<std::int64_t>(text)) return *bytes >= -1 ? bytes : std::nullopt;
  const auto number = take_decimal(text);
  if (!number) return std::nullopt;
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  const auto factor = size_factor(text);
  if (!factor || *number * *factor >= kInt64End) return std::nullopt;
  return static_cast<std::int64_t>(*number * *factor);
}

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  if (text == "0") return std::chrono::nanoseconds{0};
  if (text.empty()) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    const auto number = take_decimal(text);
    if (!number) return std::nullopt;
    const std::string_view name = text.substr(0, text.find_first_of("0123456789."));
    const TimeUnit *unit = nullptr;
    for (const TimeUnit &candidate : kTimeUnits) {
      if (candidate.name == name) unit = &candidate;
    }
    if (unit == nullptr) return std::nullopt;
    total += *number * unit->nanoseconds;
    text.remove_prefix(name.size());
  }
  if (total >= kInt64End) return std::nullopt;
  return std::chrono::nanoseconds{static_cast<std::int64_t>(total)};
}

}  // namespace skiff::cli
