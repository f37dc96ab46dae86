// Protocol Buffers as bytes, as far as CRIU's RPC goes: fields that are numbers (varints) and fields that are bytes
// (strings and messages in messages). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "spec/error.h"

namespace skiff::protobuf {

void add_number(std::string &message, unsigned field, std::uint64_t value);
void add_bytes(std::string &message, unsigned field, std::string_view value);

struct Field {
  unsigned field = 0;
  std::uint64_t number = 0;  // of a varint; a negative int32 has all its upper bits set
  std::string_view bytes;    // of a string or a message; a view of what was parsed
};

// Takes the next field off the message; empty at its end. Fields of four and eight bytes are passed over, for whoever
// sends them is newer than this. An error where the bytes end in the middle of a field.
[[nodiscard]] Result<std::optional<Field>> take_field(std::string_view &message);

}  // namespace skiff::protobuf
