#include "compose/value_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "compose/yaml.h"

namespace skiff::compose {
namespace {

// How many bytes the letter of UTF-8 at the front has; 0 where it is none.
std::size_t letter_size(std::string_view text) {
  const auto byte = [&](std::size_t index) { return static_cast<unsigned char>(text[index]); };
  std::size_t size = 1;
  if (byte(0) >= 0x80U) size = byte(0) >= 0xF0U ? 4 : byte(0) >= 0xE0U ? 3 : byte(0) >= 0xC2U ? 2 : 0;
  if (size > text.size() || byte(0) > 0xF4U) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
  }
  return size;
}

void escape_one(std::string &out, std::string_view letter) {
  const auto byte = static_cast<unsigned char>(letter[0]);
  switch (letter[0]) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\r':
      out += "\\r";
      return;
    default:
      break;
  }
  if (byte < 0x20 || byte == 0x7F) {
    out += fmt::format("\\u{:04x}", byte);
  } else {
    out += letter;
  }
}

// The same escapes are YAML's and JSON's.
std::string quote(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const std::size_t size = letter_size(text);
    // U+0080 to U+009F and U+FEFF may not stand in YAML as they are; U+2028 and U+2029 would end a line.
    const std::string_view letter = text.substr(0, std::max<std::size_t>(size, 1));
    if (size == 0) {
      out += "\\ufffd";
    } else if (size == 2 && letter < "\xC2\xA0") {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(letter[1]));
    } else if (letter == "\xE2\x80\xA8" || letter == "\xE2\x80\xA9" || letter == "\xEF\xBB\xBF") {
      out += letter[0] == '\xEF' ? "\\ufeff" : letter[2] == '\xA8' ? "\\u2028" : "\\u2029";
    } else {
      escape_one(out, letter);
    }
    text.remove_prefix(letter.size());
  }
  return out + '"';
}

// YAML 1.1 takes these for booleans, and many readers still do.
bool is_old_boolean(std::string_view text) {
  for (const std::string_view word :
       {"y", "Y", "yes", "Yes", "YES", "n", "N", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF"}) {
    if (text == word) return true;
  }
  return false;
}

// What older readers take for a number: 0o17 is new, 017, 1_000, 0b1 and 1:30 are old.
bool looks_numeric(std::string_view text) {
  const std::string_view rest = text.substr(text.starts_with('-') || text.starts_with('+') ? 1 : 0);
  if (rest.empty() || rest[0] < '0' || rest[0] > '9') return false;
  if (rest.starts_with("0b")) return true;
  return rest.find_first_not_of("0123456789_:.") == std::string_view::npos && std::ranges::count(rest, '.') < 2;
}

bool is_plain(std::string_view text) {
  if (kind_of_plain(text) != Value::Kind::string || is_old_boolean(text) || looks_numeric(text)) return false;
  if (text == "=" || text == "<<" || text.starts_with("---") || text.starts_with("...")) return false;
  constexpr std::string_view indicators = "-?:,[]{}#&*!|>'\"%@` ";
  const bool dash = text.size() > 1 && text[1] != ' ' && (text[0] == '-' || text[0] == '?' || text[0] == ':');
  if (indicators.find(text[0]) != std::string_view::npos && !dash) return false;
  if (text.ends_with(' ') || text.ends_with(':')) return false;
  if (text.find(": ") != std::string_view::npos || text.find(" #") != std::string_view::npos) return false;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t size = letter_size(rest);
    if (size == 0 || (size == 1 && (rest[0] < 0x20 || rest[0] == 0x7F))) return false;
    if (rest.starts_with("\xE2\x80\xA8") || rest.starts_with("\xE2\x80\xA9") || rest.starts_with("\xEF\xBB\xBF")) {
      return false;
    }
    if (size == 2 && rest.substr(0, 2) < "\xC2\xA0") return false;
    rest.remove_prefix(size);
  }
  return true;
}

// A literal block shows lines as they are, so nothing may be in them that has to be escaped.
bool fits_block(std::string_view text) {
  if (text.find('\n') == std::string_view::npos || text.starts_with('\n') || text.starts_with(' ')) return false;
  bool letters = false;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t size = letter_size(rest);
    if (size == 0 || size > 1) {
      if (size == 0 || rest.substr(0, size) < "\xC2\xA0" || rest.starts_with("\xEF\xBB\xBF") ||
          rest.starts_with("\xE2\x80\xA8") || rest.starts_with("\xE2\x80\xA9")) {
        return false;
      }
    } else if ((rest[0] < 0x20 && rest[0] != '\n' && rest[0] != '\t') || rest[0] == 0x7F) {
      return false;
    }
    letters = letters || (rest[0] != '\n' && rest[0] != ' ' && rest[0] != '\t');
    rest.remove_prefix(size);
  }
  // Lines of blanks alone, and blanks at the end, are kept by quotes more visibly.
  return letters && text.find(" \n") == std::string_view::npos && text.find("\t\n") == std::string_view::npos &&
         !text.starts_with('\t');
}

class YamlPrinter {
 public:
  std::string print(const Value &value) {
    if (value.is_scalar()) {
      scalar(value, 0);
      out_ += '\n';
    } else {
      block(value, 0);
    }
    return std::move(out_);
  }

 private:
  void pad(int depth) { out_.append(static_cast<std::size_t>(depth) * 2, ' '); }

  void literal(std::string_view text, int depth) {
    out_ += '|';
    const bool ends = text.ends_with('\n');
    if (!ends) out_ += '-';
    if (text.ends_with("\n\n")) out_ += '+';
    if (ends) text.remove_suffix(1);
    while (true) {
      const std::size_t end = text.find('\n');
      out_ += '\n';
      if (end != 0 && !text.empty()) pad(depth);
      out_ += text.substr(0, end);
      if (end == std::string_view::npos) return;
      text.remove_prefix(end + 1);
    }
  }

  void scalar(const Value &value, int depth) {
    if (value.kind == Value::Kind::null) {
      out_ += "null";
    } else if (value.kind != Value::Kind::string || is_plain(value.text)) {
      out_ += value.text;
    } else if (fits_block(value.text)) {
      literal(value.text, std::max(depth, 1));
    } else {
      out_ += quote(value.text);
    }
  }

  // What comes after "key:" or "-".
  void after(const Value &value, int depth) {
    if (value.kind == Value::Kind::map && value.members.empty()) {
      out_ += " {}\n";
    } else if (value.kind == Value::Kind::list && value.items.empty()) {
      out_ += " []\n";
    } else if (value.is_scalar()) {
      out_ += ' ';
      scalar(value, depth);
      out_ += '\n';
    } else {
      out_ += '\n';
      block(value, depth);
    }
  }

  void member(const Member &member, int depth) {
    out_ += is_plain(member.key) ? member.key : quote(member.key);
    out_ += ':';
    after(member.value, depth + 1);
  }

  void block(const Value &value, int depth) {
    if (value.kind == Value::Kind::map && value.members.empty()) {
      pad(depth);
      out_ += "{}\n";
      return;
    }
    for (const Member &one : value.members) {
      pad(depth);
      member(one, depth);
    }
    if (value.kind != Value::Kind::list) return;
    if (value.items.empty()) out_ += "[]\n";
    for (const Value &item : value.items) {
      pad(depth);
      out_ += '-';
      if (item.kind == Value::Kind::map && !item.members.empty()) {
        compact(item, depth);
      } else {
        after(item, depth + 1);
      }
    }
  }

  // "- key: value": the first member stands beside the dash.
  void compact(const Value &map, int depth) {
    for (std::size_t i = 0; i < map.members.size(); ++i) {
      if (i == 0) {
        out_ += ' ';
      } else {
        pad(depth + 1);
      }
      member(map.members[i], depth + 1);
    }
  }

  std::string out_;
};

// RFC 8259: no sign but minus, no leading zero, digits on both sides of the point.
bool is_json_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.empty() || text[0] < '0' || text[0] > '9') return false;
  if (text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9') return false;
  if (text.find_first_not_of("0123456789.eE+-") != std::string_view::npos) return false;
  const std::size_t dot = text.find('.');
  return dot == std::string_view::npos || (dot + 1 < text.size() && text[dot + 1] >= '0' && text[dot + 1] <= '9');
}

class JsonPrinter {
 public:
  explicit JsonPrinter(int indent) : indent_(indent) {}

  std::string print(const Value &value) {
    write(value, 0);
    return std::move(out_);
  }

 private:
  void line(int depth) {
    if (indent_ == 0) return;
    out_ += '\n';
    out_.append(static_cast<std::size_t>(depth) * static_cast<std::size_t>(indent_), ' ');
  }

  void scalar(const Value &value) {
    if (value.kind == Value::Kind::null) {
      out_ += "null";
    } else if (value.kind == Value::Kind::boolean ||
               (value.kind == Value::Kind::number && is_json_number(value.text))) {
      out_ += value.text;
    } else {
      out_ += quote(value.text);
    }
  }

  void write(const Value &value, int depth) {
    if (value.is_scalar()) return scalar(value);
    const bool map = value.kind == Value::Kind::map;
    const std::size_t size = map ? value.members.size() : value.items.size();
    out_ += map ? '{' : '[';
    for (std::size_t i = 0; i < size; ++i) {
      if (i > 0) out_ += ',';
      line(depth + 1);
      if (map) out_ += quote(value.members[i].key) + (indent_ == 0 ? ":" : ": ");
      write(map ? value.members[i].value : value.items[i], depth + 1);
    }
    if (size > 0) line(depth);
    out_ += map ? '}' : ']';
  }

  std::string out_;
  int indent_;
};

}  // namespace

std::string print_yaml(const Value &value) { return YamlPrinter().print(value); }

std::string print_json(const Value &value, int indent) { return JsonPrinter(indent).print(value); }

}  // namespace skiff::compose
