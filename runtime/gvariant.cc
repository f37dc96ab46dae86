// parse_gvariant: recursive descent over GVariant's text format.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

#include "runtime/bus_value.h"

namespace skiff {
namespace {

constexpr int deepest = 32;
constexpr std::string_view blanks = " \t\n\r\v\f";

struct TypeWord {
  std::string_view word;
  char type;
};
constexpr std::array<TypeWord, 13> type_words = {{{"boolean", 'b'},
                                                  {"byte", 'y'},
                                                  {"int16", 'n'},
                                                  {"uint16", 'q'},
                                                  {"int32", 'i'},
                                                  {"uint32", 'u'},
                                                  {"handle", 'h'},
                                                  {"int64", 'x'},
                                                  {"uint64", 't'},
                                                  {"double", 'd'},
                                                  {"string", 's'},
                                                  {"objectpath", 'o'},
                                                  {"signature", 'g'}}};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct Range {
  char type;
  std::int64_t least;
  std::uint64_t most;
};
constexpr std::array<Range, 8> ranges = {
    {{'y', 0, 255},
     {'n', -32768, 32767},
     {'q', 0, 65535},
     {'i', std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()},
     {'h', 0, std::numeric_limits<std::int32_t>::max()},
     {'u', 0, std::numeric_limits<std::uint32_t>::max()},
     {'x', std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()},
     {'t', 0, std::numeric_limits<std::uint64_t>::max()}}};

// D-Bus specification, "Valid Object Paths".
bool is_object_path(std::string_view text) {
  if (text == "/") return true;
  if (!text.starts_with('/') || text.ends_with('/') || text.find("//") != std::string_view::npos) return false;
  return std::ranges::all_of(text, [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '/'; });
}

bool is_signature(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = complete_type_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

void append_utf8(std::uint32_t code, std::string &out) {
  const auto byte = [&](std::uint32_t value) { out += static_cast<char>(value); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xc0U | code >> 6U);
  } else if (code < 0x10000) {
    byte(0xe0U | code >> 12U);
    byte(0x80U | (code >> 6U & 0x3fU));
  } else {
    byte(0xf0U | code >> 18U);
    byte(0x80U | (code >> 12U & 0x3fU));
    byte(0x80U | (code >> 6U & 0x3fU));
  }
  byte(0x80U | (code & 0x3fU));
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<BusValue> run() {
    BusValue out = TRY(value({}));
    skip_blanks();
    if (at_ != text_.size()) return wrong("something follows the value");
    return out;
  }

 private:
  [[nodiscard]] std::unexpected<Error> wrong(std::string_view what) const {
    return fail(fmt::format("{} at character {} of \"{}\"", what, at_ + 1, text_),
                "write the value as GVariant text, such as true, 'text', uint64 5 or ['a', 'b']");
  }

  void skip_blanks() {
    while (at_ < text_.size() && blanks.find(text_[at_]) != std::string_view::npos) ++at_;
  }
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    skip_blanks();
    if (peek() != c || at_ == text_.size()) return false;
    ++at_;
    return true;
  }
  [[nodiscard]] std::string_view word() const {
    std::size_t end = at_;
    while (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]))) ++end;
    return text_.substr(at_, end - at_);
  }

  // `type` is what the value has to be, or empty where its text decides.
  Result<BusValue> value(std::string_view type) {
    skip_blanks();
    if (depth_ == deepest) return wrong("values are nested too deep");
    ++depth_;
    Result<BusValue> out = any(type);
    --depth_;
    if (out && !type.empty() && out->signature != type) {
      return wrong(fmt::format("a value of type \"{}\" where \"{}\" belongs", out->signature, type));
    }
    return out;
  }

  Result<BusValue> any(std::string_view type) {
    switch (peek()) {
      case '@':
        return annotated();
      case '[':
        return array(type);
      case '{':
        return dictionary(type);
      case '(':
        return structure(type);
      case '<':
        return variant();
      case '\'':
      case '"':
        return string(type);
      default:
        break;
    }
    if (peek() == 'b' && at_ + 1 < text_.size() && (text_[at_ + 1] == '\'' || text_[at_ + 1] == '"')) {
      return byte_string();
    }
    if (is_letter(peek())) return keyword(type);
    return number(type);
  }

  Result<BusValue> annotated() {
    ++at_;
    const std::size_t length = complete_type_length(text_.substr(at_));
    if (length == 0) return wrong("no type of D-Bus follows the @");
    const std::string_view type = text_.substr(at_, length);
    at_ += length;
    return value(type);
  }

  Result<BusValue> keyword(std::string_view type) {
    const std::string_view found = word();
    if (found == "true" || found == "false") {
      at_ += found.size();
      return bus_bool(found == "true");
    }
    if (found == "inf" || found == "nan") return number(type);
    for (const TypeWord &each : type_words) {
      if (each.word != found) continue;
      at_ += found.size();
      return value(std::string_view(&each.type, 1));
    }
    return wrong(fmt::format("the word \"{}\" is no value; text stands in quotes", found));
  }

  Result<BusValue> array(std::string_view type) {
    ++at_;
    std::string element(type.starts_with('a') ? type.substr(1) : "");
    std::vector<BusValue> items;
    while (!take(']')) {
      if (!items.empty() && !take(',')) return wrong("neither \",\" nor \"]\"");
      items.push_back(TRY(value(element)));
      element = items.front().signature;
    }
    if (element.empty()) return wrong("an empty array without a type, such as @as [],");
    return bus_array(std::move(element), std::move(items));
  }

  Result<BusValue> dictionary(std::string_view type) {
    ++at_;
    std::string key(type.starts_with("a{") ? type.substr(2, 1) : "");
    std::string mapped(type.starts_with("a{") ? type.substr(3, type.size() - 4) : "");
    std::vector<BusValue> items;
    while (!take('}')) {
      if (!items.empty() && !take(',')) return wrong("neither \",\" nor \"}\"");
      BusValue entry{.signature = {}, .basic = {}, .items = {}};
      entry.items.push_back(TRY(value(key)));
      if (entry.items.front().signature.size() != 1 || entry.items.front().signature == "v") {
        return wrong("a key that is neither number nor text");
      }
      if (!take(':')) return wrong("no \":\" behind a key");
      entry.items.push_back(TRY(value(mapped)));
      key = entry.items[0].signature;
      mapped = entry.items[1].signature;
      entry.signature = fmt::format("{{{}{}}}", key, mapped);
      items.push_back(std::move(entry));
    }
    if (key.empty()) return wrong("an empty dictionary without a type, such as @a{sv} {},");
    return bus_array(fmt::format("{{{}{}}}", key, mapped), std::move(items));
  }

  Result<BusValue> structure(std::string_view type) {
    ++at_;
    std::string_view rest = type.starts_with('(') ? type.substr(1) : std::string_view{};
    std::vector<BusValue> items;
    while (!take(')')) {
      if (!items.empty() && !take(',')) return wrong("neither \",\" nor \")\"");
      if (items.size() == 1 && take(')')) break;  // "(1,)" has one item
      const std::string_view item = rest.substr(0, complete_type_length(rest));
      rest.remove_prefix(item.size());
      items.push_back(TRY(value(item)));
    }
    if (items.empty()) return wrong("an empty struct, which D-Bus does not have,");
    return bus_struct(std::move(items));
  }

  Result<BusValue> variant() {
    ++at_;
    BusValue out = bus_variant(TRY(value({})));
    if (!take('>')) return wrong("no \">\" behind the value of a variant");
    return out;
  }

  // b'text': an array of bytes with a NUL at its end.
  Result<BusValue> byte_string() {
    ++at_;
    const std::string text = TRY(quoted(true));
    std::vector<std::uint8_t> bytes(text.begin(), text.end());
    bytes.push_back(0);
    return bus_bytes(bytes);
  }

  Result<BusValue> string(std::string_view type) {
    const std::string text = TRY(quoted(false));
    BusValue out = bus_string(text);
    if (type == "o" || type == "g") out.signature = type;
    if (type == "o" && !is_object_path(text)) return wrong("no object path of D-Bus before this");
    if (type == "g" && !is_signature(text)) return wrong("no signature of D-Bus before this");
    return out;
  }

  Result<std::string> quoted(bool bytes) {
    const char quote = text_[at_++];
    std::string out;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == quote) return out;
      if (c == '\0') return wrong("a NUL before this");
      if (c == '\\') {
        TRY(escape(bytes, out));
      } else {
        out += c;
      }
    }
    return wrong("the text has no end quote");
  }

  Status escape(bool bytes, std::string &out) {
    constexpr std::string_view letters = "abfnrtv";
    constexpr std::string_view meanings = "\a\b\f\n\r\t\v";
    if (at_ == text_.size()) return wrong("the text has no end quote");
    const char c = text_[at_++];
    if (!bytes && (c == 'u' || c == 'U')) return escaped_code(c == 'u' ? 4 : 8, out);
    if (bytes && c >= '0' && c <= '7') return octal(c, out);
    const std::size_t known = letters.find(c);
    if (c != '\n') out += known == std::string_view::npos ? c : meanings[known];
    return {};
  }

  Status escaped_code(std::size_t digits, std::string &out) {
    std::uint32_t code = 0;
    const char *begin = text_.data() + at_;
    if (text_.size() - at_ < digits || std::from_chars(begin, begin + digits, code, 16).ptr != begin + digits) {
      return wrong(fmt::format("no {} hexadecimal digits", digits));
    }
    if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
      return wrong("no character of Unicode that D-Bus takes");
    }
    at_ += digits;
    append_utf8(code, out);
    return {};
  }

  Status octal(char first, std::string &out) {
    unsigned code = static_cast<unsigned>(first - '0');
    for (int more = 0; more < 2 && peek() >= '0' && peek() <= '7'; ++more) {
      code = code * 8 + static_cast<unsigned>(text_[at_++] - '0');
    }
    if (code > 255) return wrong("no byte before this");
    out += static_cast<char>(code);
    return {};
  }

  Result<BusValue> number(std::string_view type) {
    std::size_t end = at_;
    while (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]) || text_[end] == '.' ||
                                  text_[end] == '+' || text_[end] == '-')) {
      ++end;
    }
    const std::string_view digits = text_.substr(at_, end - at_);
    if (digits.empty()) return wrong("no value");
    const bool hexadecimal = digits.find('x') != std::string_view::npos || digits.find('X') != std::string_view::npos;
    const bool whole = hexadecimal || digits.find_first_of(".eEn") == std::string_view::npos;
    if (type == "d" || (type.empty() && !whole)) return floating(digits, end);
    const char letter = type.empty() ? 'i' : type.front();
    const auto *const range = std::ranges::find(ranges, letter, &Range::type);
    if (range == ranges.end() || type.size() > 1) return wrong(fmt::format("no value of type \"{}\"", type));
    return integer(digits, *range, end);
  }

  Result<BusValue> floating(std::string_view digits, std::size_t end) {
    double parsed = 0;
    if (digits.starts_with('+')) digits.remove_prefix(1);
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), parsed);
    if (error != std::errc{} || stop != digits.data() + digits.size()) return wrong("no number");
    at_ = end;
    return BusValue{.signature = "d", .basic = parsed, .items = {}};
  }

  // Decimal, 0x hexadecimal, 0 octal.
  Result<BusValue> integer(std::string_view digits, const Range &range, std::size_t end) {
    const bool negative = digits.starts_with('-');
    if (negative || digits.starts_with('+')) digits.remove_prefix(1);
    int base = 10;
    if (digits.starts_with("0x") || digits.starts_with("0X")) {
      base = 16;
      digits.remove_prefix(2);
    } else if (digits.size() > 1 && digits.starts_with('0')) {
      base = 8;
    }
    std::uint64_t size = 0;
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size, base);
    if (error == std::errc::result_out_of_range) return out_of_range(range);
    if (error != std::errc{} || stop != digits.data() + digits.size()) return wrong("no number");
    if (negative ? size > std::uint64_t{0} - static_cast<std::uint64_t>(range.least) || range.least == 0
                 : size > range.most) {
      return out_of_range(range);
    }
    at_ = end;
    BusValue out{.signature = std::string(1, range.type), .basic = size, .items = {}};
    if (std::string_view("nixh").find(range.type) != std::string_view::npos) {
      out.basic = static_cast<std::int64_t>(negative ? std::uint64_t{0} - size : size);
    }
    return out;
  }

  [[nodiscard]] std::unexpected<Error> out_of_range(const Range &range) const {
    return wrong(fmt::format("a number outside of {} to {} (type \"{}\")", range.least, range.most, range.type));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

Result<BusValue> parse_gvariant(std::string_view text) { return Parser(text).run(); }

}  // namespace skiff
