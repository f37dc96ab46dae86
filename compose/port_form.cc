#include "compose/port_form.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>

#include "compose/split.h"
#include "runtime/cli/value.h"
#include "spec/names.h"

namespace skiff::compose {
namespace {

using spec::quote;

struct Range {
  std::uint16_t first = 0;
  std::uint16_t last = 0;

  [[nodiscard]] std::uint32_t count() const { return last - first + 1U; }
};

std::optional<std::uint16_t> port_of(std::string_view text) {
  const auto number = cli::parse_number<std::uint16_t>(text);
  return number && *number > 0 ? number : std::nullopt;
}

Result<Range> parse_range(std::string_view text) {
  const auto [first, last] = split_once(text, '-');
  const auto from = port_of(first);
  const auto to = last ? port_of(*last) : from;
  if (!from || !to || *to < *from) {
    return fail(fmt::format("{} is no port", quote(text)), "write a number from 1 to 65535, or a range such as 80-89");
  }
  return Range{.first = *from, .last = *to};
}

Result<std::string> parse_protocol(const std::optional<std::string_view> &text) {
  constexpr std::array<std::string_view, 3> known = {"tcp", "udp", "sctp"};
  if (!text) return std::string("tcp");
  if (!spec::find_name(known, *text)) {
    return fail(fmt::format("{} is no protocol", quote(*text)), spec::suggest_name(known, *text));
  }
  return std::string(*text);
}

Result<std::string> parse_address(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  std::string address(text);
  std::array<unsigned char, 16> ignored{};
  if (::inet_pton(AF_INET, address.c_str(), ignored.data()) == 1) return address;
  if (::inet_pton(AF_INET6, address.c_str(), ignored.data()) == 1) return address;
  return fail(fmt::format("{} is no address of this host", quote(text)), "write 127.0.0.1 or [::1]");
}

// "IP:HOST:CONTAINER" from behind, because an IPv6 address has colons of its own.
struct Parts {
  std::string_view address, host, container;
  bool has_host = false;
};

Parts split_parts(std::string_view text) {
  Parts parts;
  const std::size_t last = text.rfind(':');
  if (last == std::string_view::npos) return {.address = {}, .host = {}, .container = text};
  parts.container = text.substr(last + 1);
  text = text.substr(0, last);
  const std::size_t before = text.ends_with(']') ? std::string_view::npos : text.rfind(':');
  parts.host = before == std::string_view::npos ? text : text.substr(before + 1);
  if (before != std::string_view::npos) parts.address = text.substr(0, before);
  parts.has_host = !parts.host.empty();
  return parts;
}

}  // namespace

Result<std::vector<Port>> parse_ports(std::string_view text) {
  const auto [numbers, protocol_text] = split_once(text, '/');
  const std::string protocol = TRY(parse_protocol(protocol_text));
  const Parts parts = split_parts(numbers);
  const Range container = TRY(parse_range(parts.container));
  std::optional<Range> host;
  if (parts.has_host) host = TRY(parse_range(parts.host));
  // One port of the container with several of the host: the first of them that is free.
  const bool any_of = host && container.count() == 1;
  if (host && !any_of && host->count() != container.count()) {
    return fail(
        fmt::format("{}: the ranges {} and {} have different lengths", quote(text), parts.host, parts.container),
        "give each port of the container one port of the host");
  }
  const std::string address = parts.address.empty() ? std::string() : TRY(parse_address(parts.address));
  std::vector<Port> ports;
  for (std::uint32_t i = 0; i < container.count(); ++i) {
    Port port;
    port.container = static_cast<std::uint16_t>(container.first + i);
    port.host_address = address;
    port.protocol = protocol;
    if (host) port.host = static_cast<std::uint16_t>(host->first + i);
    if (any_of && host->count() > 1) port.host_last = host->last;
    ports.push_back(port);
  }
  return ports;
}

Result<std::vector<std::string>> parse_exposed(std::string_view text) {
  const auto [numbers, protocol_text] = split_once(text, '/');
  const std::string protocol = TRY(parse_protocol(protocol_text));
  const Range range = TRY(parse_range(numbers));
  std::vector<std::string> out;
  for (std::uint32_t i = 0; i < range.count(); ++i) out.push_back(fmt::format("{}/{}", range.first + i, protocol));
  return out;
}

}  // namespace skiff::compose
