#include "imgtool/header_field.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>

#include "imgtool/late_library.h"
#include "spec/text.h"

namespace skiff::image {
namespace {

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_alphanumeric(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9');
}

}  // namespace

bool is_token_letter(char letter) {
  return is_alphanumeric(letter) || std::string_view("!#$%&'*+-.^_`|~").find(letter) != std::string_view::npos;
}

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::string media_type_of(std::string_view content_type) {
  return spec::lower_case(trim(content_type.substr(0, content_type.find(';'))));
}

std::optional<std::chrono::seconds> parse_retry_after(std::string_view field,
                                                      std::chrono::system_clock::time_point now) {
  constexpr std::int64_t longest = 366LL * 24 * 3600;
  const std::string text(trim(field));
  if (const auto seconds = parse_number(text)) return std::chrono::seconds(std::min<std::uint64_t>(*seconds, longest));
  if (!load_curl()) return std::nullopt;
  const time_t when = curl_getdate(text.c_str(), nullptr);
  if (when < 0) return std::nullopt;
  // In seconds: the clock's nanoseconds end in the year 2262.
  return std::chrono::seconds(std::clamp<std::int64_t>(when - std::chrono::system_clock::to_time_t(now), 0, longest));
}

std::optional<ContentRange> parse_content_range(std::string_view field) {
  field = trim(field);
  if (spec::lower_case(field.substr(0, 6)) != "bytes ") return std::nullopt;
  field.remove_prefix(6);
  const std::size_t dash = field.find('-');
  const std::size_t slash = field.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || slash < dash) return std::nullopt;
  const auto first = parse_number(trim(field.substr(0, dash)));
  const auto last = parse_number(trim(field.substr(dash + 1, slash - dash - 1)));
  if (!first || !last || *last < *first) return std::nullopt;
  return ContentRange{.first = *first, .last = *last, .total = parse_number(trim(field.substr(slash + 1)))};
}

std::optional<std::uint64_t> parse_upload_range(std::string_view field) {
  field = trim(field);
  if (field.starts_with("bytes=")) field.remove_prefix(6);  // some registries write it as a request would
  if (!field.starts_with("0-")) return std::nullopt;
  const auto last = parse_number(field.substr(2));
  if (!last || *last == UINT64_MAX) return std::nullopt;
  return *last + 1;
}

std::optional<std::string> parse_next_link(std::string_view field) {
  while (!field.empty()) {
    const std::size_t open = field.find('<');
    const std::size_t close = field.find('>', open);
    if (open == std::string_view::npos || close == std::string_view::npos) return std::nullopt;
    const std::string_view target = field.substr(open + 1, close - open - 1);
    field.remove_prefix(close + 1);
    const std::string parameters = spec::lower_case(field.substr(0, field.find('<')));
    if (parameters.find("rel=\"next\"") != std::string::npos || parameters.find("rel=next") != std::string::npos) {
      return std::string(target);
    }
  }
  return std::nullopt;
}

std::optional<std::string> parse_warning(std::string_view field) {
  field = trim(field);
  constexpr std::string_view start = "299 - \"";
  if (!field.starts_with(start)) return std::nullopt;
  std::string text;
  for (std::size_t i = start.size(); i < field.size(); ++i) {
    if (field[i] == '"') return text;
    if (field[i] == '\\' && i + 1 < field.size()) ++i;
    text += field[i];
  }
  return std::nullopt;
}

}  // namespace skiff::image
