#include "conformance/inside/text.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace skiff::inside {

void Text::raw(std::string_view key, std::string_view json) {
  if (out_.size() > 1) out_ += ',';
  if (!key.empty()) out_ += quote(key) + ":";
  out_ += json;
}

void Text::add(std::string_view key, std::string_view text) { raw(key, quote(text)); }

std::string quote(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += digits[byte >> 4];
      out += digits[byte & 15];
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out + '"';
}

std::string read_file(const char *path) {
  constexpr std::size_t limit = std::size_t{64} << 10;
  std::string text;
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return text;
  std::array<char, 4096> buffer{};
  ssize_t got = 0;
  while (text.size() < limit && (got = ::read(fd, buffer.data(), buffer.size())) > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  const int number = got < 0 ? errno : 0;
  ::close(fd);
  errno = number;
  return text;
}

std::string status_field(const std::string &text, std::string_view name) {
  const std::string wanted = "\n" + std::string(name) + ":";
  const std::size_t found = text.find(wanted);
  if (found == std::string::npos) return "";
  const std::size_t begin = text.find_first_not_of(" \t", found + wanted.size());
  return text.substr(begin, text.find('\n', begin) - begin);
}

}  // namespace skiff::inside
