// RFC 4648, section 4, with its padding: a descriptor's data, a registry's credentials.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace skiff::spec {

[[nodiscard]] std::string encode_base64(std::string_view bytes);
// Empty where the text is none: a letter outside the alphabet, a wrong length, bits after the end.
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);

}  // namespace skiff::spec
