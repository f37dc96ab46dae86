#include "compose/ctst_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace skiff::compose::ctst {
namespace {

constexpr Allowed no_components = {.components = false, .secrets = false};

void read_image(const Flat &flat, Typed &typed, const Library &library, Facts &facts) {
  const Entry *entry = flat.find("image");
  if (entry == nullptr) {
    typed.refuse("image", flat.name.at, "it is missing", "add image = \"...\", or FROM a component that has one",
                 "missing-image");
    return;
  }
  facts.image_at = entry->value.at;
  const std::optional<At> uri = typed.string("image", entry->value, no_components);
  if (!uri) return;
  Result<ImageSource> image = parse_image(uri->text, library.folder_of(uri->at));
  if (!image) return typed.refuse("image", uri->at, image.error().text, image.error().remedy, "bad-image");
  facts.image = std::move(*image);
  facts.endpoint.scheme = scheme_of(facts.image->image.empty() ? facts.image->rootfs : facts.image->image);
}

void read_ports(const Flat &flat, Typed &typed, Facts &facts) {
  if (const Entry *entry = flat.find("port")) {
    if (const auto port = typed.port("port", entry->value)) facts.ports = {{*port, entry->value.at}};
  }
  const Entry *entry = flat.find("ports");
  if (entry == nullptr) return;
  if (entry->value.kind != Node::Kind::list) {
    typed.refuse_type("ports", entry->value, "a list of numbers",
                      entry->value.kind == Node::Kind::integer ? fmt::format("write [{}]", entry->value.word) : "");
    return;
  }
  facts.publishes = true;
  for (std::size_t i = 0; i < entry->value.items.size(); ++i) {
    const Node &item = entry->value.items[i];
    const std::string place = fmt::format("ports[{}]", i);
    const std::optional<std::uint16_t> port = typed.port(place, item);
    if (!port) continue;
    if (std::ranges::find(facts.ports, *port, &DeclaredPort::number) != facts.ports.end()) {
      typed.refuse(place, item.at, fmt::format("{} stands in the list already", *port), "", "duplicate-port");
    } else {
      facts.ports.push_back({*port, item.at});
    }
  }
}

void read_network(const Flat &flat, Typed &typed, Facts &facts) {
  const Entry *entry = flat.find("network");
  if (entry == nullptr) return;
  facts.network_at = entry->value.at;
  const std::optional<At> name = typed.string("network", entry->value, no_components);
  if (!name) return;
  const auto fits = [](char letter) { return continues_name(letter) || letter == '.'; };
  if (name->text.empty() || !std::ranges::all_of(name->text, fits) || !continues_name(name->text.front()) ||
      name->text == "default") {
    return typed.refuse("network", name->at, fmt::format("\"{}\" is no name of a network", name->text),
                        "write bridge, host, none or a name of its own");
  }
  facts.network = name->text;
}

void read_protocol(const Flat &flat, Typed &typed, Facts &facts) {
  const Entry *entry = flat.find("protocol");
  if (entry == nullptr) return;
  const std::optional<At> scheme = typed.string("protocol", entry->value, no_components);
  if (!scheme) return;
  // RFC 3986, section 3.1.
  const auto fits = [](char letter) { return continues_name(letter) ? letter != '_' : letter == '+' || letter == '.'; };
  if (scheme->text.empty() || !starts_name(scheme->text.front()) || !std::ranges::all_of(scheme->text, fits)) {
    return typed.refuse("protocol", scheme->at, fmt::format("\"{}\" is no scheme of a URL", scheme->text),
                        "write it without ://");
  }
  facts.endpoint.scheme = scheme->text;
}

}  // namespace

Facts read_facts(const Flat &flat, Typed &typed, const Library &library) {
  Facts facts;
  facts.endpoint.scheme = "http";
  facts.has_health_check = flat.find("healthcheck") != nullptr;
  facts.network_at = facts.image_at = flat.name.at;
  read_image(flat, typed, library, facts);
  read_ports(flat, typed, facts);
  read_network(flat, typed, facts);
  read_protocol(flat, typed, facts);
  if (const Entry *entry = flat.find("replicas")) {
    facts.replicas = typed.integer("replicas", entry->value).value_or(1);
    if (facts.replicas > 10000) {
      typed.refuse("replicas", entry->value.at, fmt::format("{} are too many", facts.replicas), "10000 at most");
    }
  }
  facts.endpoint.component = flat.name.text;
  facts.endpoint.network = facts.network;
  // Whoever shares the host's network finds it there.
  facts.endpoint.host = facts.network == "host" ? "localhost" : flat.name.text;
  if (!facts.ports.empty()) facts.endpoint.port = facts.ports.front().number;
  return facts;
}

}  // namespace skiff::compose::ctst
