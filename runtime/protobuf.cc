#include "runtime/protobuf.h"

namespace skiff::protobuf {
namespace {

constexpr unsigned varint = 0, eight_bytes = 1, counted = 2, four_bytes = 5;
constexpr unsigned longest_varint = 64;  // bits

void add_varint(std::string &message, std::uint64_t value) {
  while (value >= 0x80) {
    message += static_cast<char>((value & 0x7f) | 0x80);
    value >>= 7;
  }
  message += static_cast<char>(value);
}

std::optional<std::uint64_t> take_varint(std::string_view &message) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < longest_varint && !message.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(message.front());
    message.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if ((byte & 0x80U) == 0) return value;
  }
  return std::nullopt;
}

std::optional<std::string_view> take_bytes(std::string_view &message, std::uint64_t size) {
  if (size > message.size()) return std::nullopt;
  const std::string_view bytes = message.substr(0, size);
  message.remove_prefix(size);
  return bytes;
}

}  // namespace

void add_number(std::string &message, unsigned field, std::uint64_t value) {
  add_varint(message, std::uint64_t{field} << 3 | varint);
  add_varint(message, value);
}

void add_bytes(std::string &message, unsigned field, std::string_view value) {
  add_varint(message, std::uint64_t{field} << 3 | counted);
  add_varint(message, value.size());
  message += value;
}

Result<std::optional<Field>> take_field(std::string_view &message) {
  while (!message.empty()) {
    const auto tag = take_varint(message);
    const auto kind = static_cast<unsigned>(tag.value_or(7) & 7);
    Field field{.field = static_cast<unsigned>(tag.value_or(0) >> 3), .number = 0, .bytes = {}};
    if (kind == eight_bytes || kind == four_bytes) {
      if (take_bytes(message, kind == eight_bytes ? 8 : 4)) continue;
    } else if (kind == varint || kind == counted) {
      const auto number = take_varint(message);
      if (number && kind == varint) {
        field.number = *number;
        return field;
      }
      const auto bytes = number ? take_bytes(message, *number) : std::nullopt;
      if (bytes) {
        field.bytes = *bytes;
        return field;
      }
    }
    return fail(EPROTO, "the message is no protocol buffer");
  }
  return std::nullopt;
}

}  // namespace skiff::protobuf
