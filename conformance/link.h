// Network interfaces for cases to give away: made in the network namespace that the case is in.
#pragma once

#include <string>

#include "spec/error.h"

namespace skiff::conformance {

// A pair of veth, both down: "NAME" and "NAME-peer".
[[nodiscard]] Status make_link(const std::string &name);
// One IPv4 address with a prefix of 24 bits.
[[nodiscard]] Status add_address(const std::string &name, const std::string &address);
[[nodiscard]] bool has_link(const std::string &name);

}  // namespace skiff::conformance
