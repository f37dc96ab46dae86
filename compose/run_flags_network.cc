#include <arpa/inet.h>

#include <array>

#include "compose/port_form.h"
#include "compose/run_flags_parts.h"
#include "compose/split.h"
#include "runtime/cli/value.h"

namespace skiff::compose {
namespace {

using spec::quote;

bool is_address(int family, std::string_view text) {
  std::array<unsigned char, 16> ignored{};
  return ::inet_pton(family, std::string(text).c_str(), ignored.data()) == 1;
}

bool is_address(std::string_view text) { return is_address(AF_INET, text) || is_address(AF_INET6, text); }

Status take_address(std::string &into, int family, std::string_view text) {
  if (!is_address(family, text)) {
    return fail(fmt::format("{} is no IPv{} address", quote(text), family == AF_INET ? 4 : 6));
  }
  into = text;
  return {};
}

Status take_hardware_address(std::string &into, std::string_view text) {
  bool good = text.size() == 17;
  for (std::size_t i = 0; good && i < text.size(); ++i) {
    good = i % 3 == 2 ? text[i] == ':' : std::string_view("0123456789abcdefABCDEF").contains(text[i]);
  }
  if (!good) return fail(fmt::format("{} is no hardware address", quote(text)), "write one such as 02:42:ac:11:00:02");
  into = text;
  return {};
}

Status take_priority(Attachment &attachment, std::string_view text) {
  const auto number = cli::parse_number<std::int64_t>(text);
  if (!number) return fail(fmt::format("{} is no whole number", quote(text)));
  attachment.priority = *number;
  return {};
}

Status take_attachment_field(Attachment &attachment, std::string_view field) {
  constexpr std::array<std::string_view, 7> known = {"name",        "alias",       "ip",       "ip6",
                                                     "mac-address", "gw-priority", "interface"};
  const auto [key, value] = split_once(field, '=');
  const std::string_view text = value.value_or("");
  if (!spec::find_name(known, key)) {
    return fail(fmt::format("{} is no field of a network", quote(key)), spec::suggest_name(known, key));
  }
  if (text.empty()) return fail(fmt::format("{} has no value", key), fmt::format("write {}=VALUE", key));
  if (key == "name") attachment.network = text;
  if (key == "alias") attachment.aliases.emplace_back(text);
  if (key == "interface") attachment.interface_name = text;
  if (key == "ip") return take_address(attachment.ipv4_address, AF_INET, text);
  if (key == "ip6") return take_address(attachment.ipv6_address, AF_INET6, text);
  if (key == "mac-address") return take_hardware_address(attachment.mac_address, text);
  if (key == "gw-priority") return take_priority(attachment, text);
  return {};
}

// "NAME" or "name=NAME,alias=...".
Result<Attachment> parse_attachment(std::string_view text) {
  Attachment attachment;
  if (text.find('=') == std::string_view::npos) {
    attachment.network = text;
  } else {
    const auto fields = split_csv(text);
    if (!fields) return fail("a quote is not closed");
    for (const std::string &field : *fields) TRY(take_attachment_field(attachment, field));
  }
  if (attachment.network.empty()) return fail("it names no network", "write name=NAME");
  return attachment;
}

bool is_mode(std::string_view text) { return text == "host" || text == "none" || text.starts_with("container:"); }

Status take_network(Service &service, std::string_view text) {
  if (!service.network_mode.empty() || (is_mode(text) && !service.networks.empty())) {
    return fail("host, none and container:NAME stand alone", "leave the others out");
  }
  if (text == "container:") return fail("it names no container", "write container:NAME");
  if (is_mode(text)) {
    service.network_mode = text;
  } else if (text != "default") {
    service.networks.push_back(TRY(parse_attachment(text)));
  }
  return {};
}

// What docker says apart from --network goes to the first one.
Status take_addresses(const cli::Flags &flags, Service &service) {
  for (const char *name : {"network-alias", "net-alias", "ip", "ip6", "mac-address"}) {
    if (flags.given(name) && service.networks.empty()) {
      const bool alone = !service.network_mode.empty();
      return fail(
          fmt::format("--{}: the container {}", name, alone ? "has no network of its own" : "is told no network"),
          "name one with --network");
    }
  }
  if (service.networks.empty()) return {};
  Attachment &first = service.networks.front();
  for (const char *name : {"network-alias", "net-alias"}) {
    for (const std::string_view alias : flags.strings(name)) first.aliases.emplace_back(alias);
  }
  if (flags.given("ip")) TRY(in("--ip", take_address(first.ipv4_address, AF_INET, flags.string("ip"))));
  if (flags.given("ip6")) TRY(in("--ip6", take_address(first.ipv6_address, AF_INET6, flags.string("ip6"))));
  if (flags.given("mac-address")) {
    TRY(in("--mac-address", take_hardware_address(first.mac_address, flags.string("mac-address"))));
  }
  return {};
}

// docker's "NAME:ADDRESS", and compose's "NAME=ADDRESS"; an IPv6 address may stand in brackets.
Status take_host(Service &service, std::string_view text) {
  auto [name, address] = split_once(text, text.find('=') == std::string_view::npos ? ':' : '=');
  if (name.empty() || !address || address->empty()) return fail("it is not NAME:ADDRESS", "as db:10.0.0.5");
  if (address->starts_with('[') && address->ends_with(']')) address = address->substr(1, address->size() - 2);
  if (*address != "host-gateway" && !is_address(*address)) {
    return fail(fmt::format("{} is no address", quote(*address)), "write an IP address or host-gateway");
  }
  service.extra_hosts.emplace_back(name, *address);
  return {};
}

Status take_names(const cli::Flags &flags, Service &service) {
  TRY(each_value(flags, "dns", [&](std::string_view value) -> Status {
    if (!is_address(value)) return fail("it is no IP address");
    service.dns.emplace_back(value);
    return {};
  }));
  for (const std::string_view domain : flags.strings("dns-search")) service.dns_search.emplace_back(domain);
  for (const char *name : {"dns-option", "dns-opt"}) {
    for (const std::string_view option : flags.strings(name)) service.dns_options.emplace_back(option);
  }
  TRY(each_value(flags, "add-host", [&](std::string_view value) { return take_host(service, value); }));
  service.hostname = flags.string("hostname");
  service.domainname = flags.string("domainname");
  return {};
}

Status take_ports(const cli::Flags &flags, Service &service) {
  TRY(each_value(flags, "publish", [&](std::string_view value) -> Status {
    for (Port &port : TRY(parse_ports(value))) service.ports.push_back(std::move(port));
    return {};
  }));
  return each_value(flags, "expose", [&](std::string_view value) -> Status {
    for (std::string &port : TRY(parse_exposed(value))) service.expose.push_back(std::move(port));
    return {};
  });
}

}  // namespace

Status take_network_flags(const cli::Flags &flags, Service &service) {
  for (const char *name : {"network", "net"}) {
    TRY(each_value(flags, name, [&](std::string_view value) { return take_network(service, value); }));
  }
  TRY(take_addresses(flags, service));
  TRY(take_names(flags, service));
  return take_ports(flags, service);
}

}  // namespace skiff::compose
