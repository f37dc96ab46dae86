// D-Bus messages to bytes and back, by libdbus. Of that library only this is used: it would authenticate with the user
// id that this process sees, which in a user namespace is not the one that the other side sees, and wait for ever.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/bus_value.h"

namespace skiff {

struct BusCall {
  std::string destination;  // empty: to whoever is at the other end
  std::string path;
  std::string interface;
  std::string member;
  std::vector<BusValue> arguments;
};

struct BusMessage {
  enum class Kind : std::uint8_t { answer, error, signal, other };
  Kind kind = Kind::other;
  std::uint32_t answers = 0;  // the serial of the call; 0: none
  std::string member;         // of a signal
  std::string error_name;
  // What the body has at its top: text, object paths and numbers, and those inside a variant. Containers are left out.
  std::vector<BusValue> body;
};

// ENOMEM is the only error: a call's parts are valid by their types.
[[nodiscard]] Result<std::string> marshal(const BusCall &call, std::uint32_t serial);
// How many bytes the message has that begins so; empty until there are enough to tell. An error where these are no
// message.
[[nodiscard]] Result<std::optional<std::size_t>> message_length(std::string_view begin);
[[nodiscard]] Result<BusMessage> demarshal(std::string_view bytes);

}  // namespace skiff
