// A D-Bus value as plain data, and its text: what a property of a systemd unit is set to. The plan makes it,
// bus_message.cc sends it. Pure.
//
// The text is GVariant's (docs.gtk.org/glib/gvariant-text-format.html) as far as D-Bus has its types, which leaves out
// "maybe": it is what the annotations org.systemd.property.* hold, and what `plan` prints.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "spec/error.h"

namespace skiff {

struct BusValue {
  // One complete type of the D-Bus specification: "t", "as", "a(ss)".
  std::string signature;
  // Of a basic type. b: bool. y, q, u, t: unsigned. n, i, x, h: signed. d: double. s, o, g: text.
  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string> basic;
  // Of an array or a struct, in order; of a dict entry key and value; of a variant the one value in it.
  std::vector<BusValue> items;

  friend bool operator==(const BusValue &, const BusValue &) = default;
};

[[nodiscard]] BusValue bus_bool(bool value);
[[nodiscard]] BusValue bus_uint32(std::uint32_t value);
[[nodiscard]] BusValue bus_uint64(std::uint64_t value);
[[nodiscard]] BusValue bus_string(std::string value);
[[nodiscard]] BusValue bus_variant(BusValue value);
[[nodiscard]] BusValue bus_struct(std::vector<BusValue> items);
// `element` is the items' signature: an empty array has a type too.
[[nodiscard]] BusValue bus_array(std::string element, std::vector<BusValue> items);
[[nodiscard]] BusValue bus_bytes(const std::vector<std::uint8_t> &bytes);

// The length of the first complete type in a signature; 0 where there is none.
[[nodiscard]] std::size_t complete_type_length(std::string_view signature);

// Numbers without a type are int32, or double with a point or an exponent; an empty array needs one ("@as []"). The
// error says what was met where.
[[nodiscard]] Result<BusValue> parse_gvariant(std::string_view text);
// Parses to the same value again.
[[nodiscard]] std::string print_gvariant(const BusValue &value);

}  // namespace skiff
