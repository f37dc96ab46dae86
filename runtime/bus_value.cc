#include "runtime/bus_value.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <utility>

namespace skiff {
namespace {

constexpr std::string_view basic_types = "ybnqiuxtdsogh";
// The D-Bus specification allows 32 arrays and 32 structs inside each other.
constexpr int deepest = 32;

std::size_t type_length(std::string_view text, int depth);

std::size_t container_length(std::string_view text, char end, int depth) {
  std::size_t length = 1;
  while (length < text.size() && text[length] != end) {
    const std::size_t item = type_length(text.substr(length), depth + 1);
    if (item == 0) return 0;
    length += item;
  }
  return length < text.size() && length > 1 ? length + 1 : 0;
}

// "{kv}": of two complete types, the first a basic one, and only in an array.
std::size_t entry_length(std::string_view text, int depth) {
  if (text.size() < 4 || basic_types.find(text[1]) == std::string_view::npos) return 0;
  const std::size_t value = type_length(text.substr(2), depth + 1);
  const bool closed = value != 0 && value + 2 < text.size() && text[value + 2] == '}';
  return closed ? value + 3 : 0;
}

std::size_t type_length(std::string_view text, int depth) {
  if (text.empty() || depth > deepest) return 0;
  if (basic_types.find(text.front()) != std::string_view::npos || text.front() == 'v') return 1;
  if (text.front() == '(') return container_length(text, ')', depth);
  if (text.front() != 'a') return 0;
  const std::string_view element = text.substr(1);
  const std::size_t length =
      element.starts_with('{') ? entry_length(element, depth + 1) : type_length(element, depth + 1);
  return length == 0 ? 0 : length + 1;
}

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + "'";
}

// The word before a value whose type its text would not tell.
std::string_view type_word(char type) {
  constexpr std::array<std::pair<char, std::string_view>, 9> words = {{{'y', "byte "},
                                                                       {'n', "int16 "},
                                                                       {'q', "uint16 "},
                                                                       {'u', "uint32 "},
                                                                       {'x', "int64 "},
                                                                       {'t', "uint64 "},
                                                                       {'h', "handle "},
                                                                       {'o', "objectpath "},
                                                                       {'g', "signature "}}};
  for (const auto &[letter, word] : words) {
    if (letter == type) return word;
  }
  return "";
}

// A double that reads as one: with a point, an exponent, or as inf and nan.
std::string print_double(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

struct BasicText {
  std::string operator()(std::monostate /*none*/) const { return {}; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(std::int64_t value) const { return fmt::to_string(value); }
  std::string operator()(std::uint64_t value) const { return fmt::to_string(value); }
  std::string operator()(double value) const { return print_double(value); }
  std::string operator()(const std::string &value) const { return quoted(value); }
};

// Inside an array only the first item says its type; the others have the same.
std::string print(const BusValue &value, bool with_type);

std::string print_array(const BusValue &value, bool with_type) {
  if (value.items.empty()) return (with_type ? "@" + value.signature + " " : "") + "[]";
  const bool dictionary = value.signature[1] == '{';
  std::string out(1, dictionary ? '{' : '[');
  for (const BusValue &item : value.items) {
    const bool first = &item == value.items.data();
    if (!first) out += ", ";
    if (dictionary) {
      out += print(item.items[0], with_type && first) + ": " + print(item.items[1], with_type && first);
    } else {
      out += print(item, with_type && first);
    }
  }
  return out + (dictionary ? '}' : ']');
}

std::string print_struct(const BusValue &value, bool with_type) {
  std::string out = "(";
  for (const BusValue &item : value.items) {
    if (&item != value.items.data()) out += ", ";
    out += print(item, with_type);
  }
  return out + (value.items.size() == 1 ? ",)" : ")");
}

std::string print(const BusValue &value, bool with_type) {
  switch (value.signature.front()) {
    case 'a':
      return print_array(value, with_type);
    case '(':
      return print_struct(value, with_type);
    case 'v':
      return "<" + print(value.items.front(), true) + ">";
    default:
      break;
  }
  const std::string text = std::visit(BasicText{}, value.basic);
  return with_type ? std::string(type_word(value.signature.front())) + text : text;
}

BusValue make_basic(const char *type, decltype(BusValue::basic) value) {
  return {.signature = type, .basic = std::move(value), .items = {}};
}

}  // namespace

BusValue bus_bool(bool value) { return make_basic("b", value); }
BusValue bus_uint32(std::uint32_t value) { return make_basic("u", std::uint64_t{value}); }
BusValue bus_uint64(std::uint64_t value) { return make_basic("t", value); }
BusValue bus_string(std::string value) { return make_basic("s", std::move(value)); }

BusValue bus_variant(BusValue value) {
  BusValue out{.signature = "v", .basic = {}, .items = {}};
  out.items.push_back(std::move(value));
  return out;
}

BusValue bus_struct(std::vector<BusValue> items) {
  std::string signature = "(";
  for (const BusValue &item : items) signature += item.signature;
  return {.signature = signature + ")", .basic = {}, .items = std::move(items)};
}

BusValue bus_array(std::string element, std::vector<BusValue> items) {
  return {.signature = "a" + std::move(element), .basic = {}, .items = std::move(items)};
}

BusValue bus_bytes(const std::vector<std::uint8_t> &bytes) {
  std::vector<BusValue> items;
  items.reserve(bytes.size());
  for (const std::uint8_t byte : bytes) items.push_back(make_basic("y", std::uint64_t{byte}));
  return bus_array("y", std::move(items));
}

std::size_t complete_type_length(std::string_view signature) { return type_length(signature, 0); }

std::string print_gvariant(const BusValue &value) { return print(value, true); }

}  // namespace skiff
