// Pieces of HTTP's header fields (RFC 9110) that more than one reader needs.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace skiff::image {

[[nodiscard]] bool is_token_letter(char letter);             // RFC 9110, 5.6.2
[[nodiscard]] std::string_view trim(std::string_view text);  // blanks and tabs, at both ends
// The type of a Content-Type without its parameters, in lower case.
[[nodiscard]] std::string media_type_of(std::string_view content_type);

// Retry-After (RFC 9110, 10.2.3): seconds, or a date that is compared with `now`; a past one is 0.
[[nodiscard]] std::optional<std::chrono::seconds> parse_retry_after(std::string_view field,
                                                                    std::chrono::system_clock::time_point now);

// Content-Range (RFC 9110, 14.4) of a 206: "bytes 0-99/200".
struct ContentRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;  // included
  std::optional<std::uint64_t> total;
};
[[nodiscard]] std::optional<ContentRange> parse_content_range(std::string_view field);
// How many bytes of an upload the registry has: its "Range: 0-99" (distribution-spec, end-13) is 100. Nothing where
// the field does not start at 0.
[[nodiscard]] std::optional<std::uint64_t> parse_upload_range(std::string_view field);

// The target of rel="next" in a Link field (RFC 8288), or nothing.
[[nodiscard]] std::optional<std::string> parse_next_link(std::string_view field);
// The text of a Warning field as distribution-spec allows it: 299 - "text". Nothing of any other form.
[[nodiscard]] std::optional<std::string> parse_warning(std::string_view field);

}  // namespace skiff::image
