#include "spec/writer.h"

#include <array>

namespace skiff::spec {

namespace {

// The length of the UTF-8 sequence that begins here, or 0: RFC 3629, table 3-7 of the Unicode standard.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
  };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return follows(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const bool overlong = lead == 0xe0 && byte(1) < 0xa0;
    const bool surrogate = lead == 0xed && byte(1) > 0x9f;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const bool overlong = lead == 0xf0 && byte(1) < 0x90;
    const bool beyond = lead == 0xf4 && byte(1) > 0x8f;
    return follows(1) && follows(2) && follows(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

bool plain(char c) { return c >= 0x20 && c != '"' && c != '\\'; }  // char is signed: bytes from 0x80 are not plain

void append_control(std::string &out, char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  switch (c) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += digits[static_cast<unsigned char>(c) >> 4];
      out += digits[static_cast<unsigned char>(c) & 0xf];
  }
}

// One character that is not plain; returns how many bytes of the text it was.
std::size_t append_special(std::string &out, std::string_view text) {
  const char c = text[0];
  if (c == '"' || c == '\\') {
    out += '\\';
    out += c;
    return 1;
  }
  if (static_cast<unsigned char>(c) < 0x20) {
    append_control(out, c);
    return 1;
  }
  const std::size_t length = sequence_length(text);
  out += length != 0 ? text.substr(0, length) : std::string_view("\xef\xbf\xbd");
  return length != 0 ? length : 1;
}

}  // namespace

std::size_t Writer::write(bool value) {
  out_ += value ? "true" : "false";
  return 1;
}

std::size_t Writer::write(std::string_view value) {
  out_ += '"';
  while (!value.empty()) {
    std::size_t run = 0;
    while (run < value.size() && plain(value[run])) ++run;
    out_ += value.substr(0, run);
    value.remove_prefix(run);
    if (!value.empty()) value.remove_prefix(append_special(out_, value));
  }
  out_ += '"';
  return 1;
}

void Writer::open(char bracket) {
  out_ += bracket;
  ++depth_;
  first_ = true;
}

void Writer::close(char bracket) {
  --depth_;
  if (!first_) new_line();
  out_ += bracket;
  first_ = false;
}

void Writer::begin_element() {
  if (!first_) out_ += ',';
  first_ = false;
  new_line();
}

void Writer::begin_member(std::string_view key) {
  begin_element();
  write(key);
  out_ += indent_.empty() ? ":" : ": ";
}

void Writer::new_line() {
  if (indent_.empty()) return;
  out_ += '\n';
  for (std::size_t i = 0; i < depth_; ++i) out_ += indent_;
}

}  // namespace skiff::spec
