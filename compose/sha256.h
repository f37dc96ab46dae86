// The SHA-256 digest (FIPS 180-4) that pins an imported file, and tells whether a service has changed. Its own, as
// OpenSSL's would triple this program and its start.
#pragma once

#include <string>
#include <string_view>

namespace skiff::compose {

// 64 hexadecimal digits in lower case.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

[[nodiscard]] bool is_sha256_hex(std::string_view text);

}  // namespace skiff::compose
