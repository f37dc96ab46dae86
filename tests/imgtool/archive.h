// Tar archives made by hand, good and bad ones.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace skiff::image {

struct Header {
  char type = '0';
  std::string name = {};
  std::string data = {};
  std::string link = {};
  unsigned mode = 0644;
  unsigned uid = 0;
  unsigned gid = 0;
  std::int64_t mtime = 1'000'000'000;
  unsigned major = 0;
  unsigned minor = 0;
  std::optional<std::string> size_field = {};                 // instead of the data's size
  std::vector<std::pair<std::string, std::string>> pax = {};  // a header of its own in front
  std::string magic = std::string("ustar\00000", 8);
};

inline std::string octal(std::uint64_t value, int digits) {
  char text[32];
  (void)std::snprintf(text, sizeof(text), "%0*llo", digits, static_cast<unsigned long long>(value));
  return std::string(text) + '\0';
}

inline void put(std::string &block, std::size_t offset, std::string_view text) {
  block.replace(offset, text.size(), text);
}

inline void seal(std::string &block) {
  put(block, 148, "        ");
  unsigned sum = 0;
  for (const char byte : block) sum += static_cast<unsigned char>(byte);
  put(block, 148, octal(sum, 6) + ' ');
}

inline std::string padded(std::string data) {
  data.resize((data.size() + 511) / 512 * 512, '\0');
  return data;
}

inline std::string pax_record(const std::string &key, const std::string &value) {
  std::size_t length = key.size() + value.size() + 3;
  while (std::to_string(length).size() + key.size() + value.size() + 3 != length) {
    length = std::to_string(length).size() + key.size() + value.size() + 3;
  }
  return std::to_string(length) + ' ' + key + '=' + value + '\n';
}

inline std::string header_block(const Header &header) {
  std::string block(512, '\0');
  put(block, 0, std::string_view(header.name).substr(0, 100));
  put(block, 100, octal(header.mode, 7));
  put(block, 108, octal(header.uid, 7));
  put(block, 116, octal(header.gid, 7));
  put(block, 124, header.size_field ? *header.size_field : octal(header.data.size(), 11));
  put(block, 136, octal(static_cast<std::uint64_t>(header.mtime), 11));
  block[156] = header.type;
  put(block, 157, std::string_view(header.link).substr(0, 100));
  put(block, 257, header.magic);
  put(block, 329, octal(header.major, 7));
  put(block, 337, octal(header.minor, 7));
  seal(block);
  return block;
}

inline std::string entry(const Header &header) {
  std::string out;
  if (!header.pax.empty()) {
    std::string records;
    for (const auto &[key, value] : header.pax) records += pax_record(key, value);
    out += entry({.type = 'x', .name = "PaxHeaders/x", .data = records});
  }
  return out + header_block(header) + padded(header.data);
}

inline std::string archive(const std::vector<Header> &headers) {
  std::string out;
  for (const Header &header : headers) out += entry(header);
  return out + std::string(1024, '\0');
}

inline Header file(std::string name, std::string data = {}) {
  return {.name = std::move(name), .data = std::move(data)};
}
inline Header directory(std::string name, unsigned mode = 0755) {
  return {.type = '5', .name = std::move(name), .mode = mode};
}
inline Header symlink(std::string name, std::string target) {
  return {.type = '2', .name = std::move(name), .link = std::move(target), .mode = 0777};
}
inline Header hard_link(std::string name, std::string target) {
  return {.type = '1', .name = std::move(name), .link = std::move(target)};
}

}  // namespace skiff::image
