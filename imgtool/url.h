// Addresses of a registry and of where it sends us: http and https alone, never with a user in them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "spec/error.h"

namespace skiff::image {

// Credentials belong to one of these: whatever differs in any part is another host.
struct WebOrigin {
  std::string scheme;  // "http", "https"
  std::string host;    // in lower case; an IPv6 address in brackets
  std::string port;    // always there

  friend bool operator==(const WebOrigin &, const WebOrigin &) = default;
};

[[nodiscard]] Result<WebOrigin> origin_of(const std::string &url);
// "example.com", "localhost:5000": without the scheme's usual port, as certs.d has its directories.
[[nodiscard]] std::string authority_of(const WebOrigin &origin);
// The target of a Location or Link, relative to where it came from (RFC 3986, 5).
[[nodiscard]] Result<std::string> resolve_url(const std::string &from, const std::string &location);
// With one more query parameter, behind those that are there: an upload's Location has some that count.
[[nodiscard]] std::string with_query(std::string url, std::string_view name, std::string_view value);
[[nodiscard]] std::string escape_query(std::string_view value);
// For people: without the query, where signatures stand that give access.
[[nodiscard]] std::string_view without_query(std::string_view url);
// "localhost", 127.0.0.0/8 and ::1; with or without a port.
[[nodiscard]] bool is_loopback(std::string_view host);

}  // namespace skiff::image
