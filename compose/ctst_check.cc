#include "compose/ctst_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "compose/ctst_service.h"

namespace skiff::compose::ctst {
namespace {

void check_exclusive(const Component &component, std::string_view one, std::string_view other, Findings &findings) {
  const Node *first = component.find(one);
  const Node *second = component.find(other);
  if (first == nullptr || second == nullptr) return;
  const auto later =
      std::ranges::find_if(component.properties.rbegin(), component.properties.rend(),
                           [&](const Entry &entry) { return entry.key.text == one || entry.key.text == other; });
  findings.error(later->key.at, "exclusive-properties",
                 fmt::format("{} has both {} and {}", component.name.text, one, other), "keep one of them");
}

void check_component(const Component &component, Findings &findings) {
  for (const Entry &entry : component.properties) {
    if (entry.key.text == "template" && entry.value.kind != Node::Kind::boolean) {
      findings.error(entry.value.at, "wrong-type",
                     fmt::format("{}.template: write true or false", component.name.text));
    }
    if (is_property(entry.key.text)) continue;
    const std::string near = nearest_property(entry.key.text);
    findings.error(entry.key.at, "unknown-property",
                   fmt::format("{}: there is no property {}", component.name.text, entry.key.text),
                   near.empty() ? std::string() : fmt::format("did you mean {}?", near));
  }
  check_exclusive(component, "port", "ports", findings);
  check_exclusive(component, "volume", "volumes", findings);
}

void warn_of_imports(Library &library, Findings &findings) {
  for (const Imported &import : library.entry().imports) {
    if (import.used || import.document == nullptr) continue;
    findings.warn(import.at, "unused-import", fmt::format("nothing is made FROM {}", import.alias.text));
  }
}

bool is_reached(const Flat &flat, const Wiring &wiring, const Uses &uses) {
  const std::string &name = flat.name.text;
  const auto published = wiring.published.find(name);
  if (published != wiring.published.end() && !published->second.empty()) return true;
  const auto linked = [&](const Link &link) { return link.from == name || link.to == name; };
  const auto named = [&](const Uses::ComponentUse &use) { return use.to == name || use.from == name; };
  return std::ranges::any_of(wiring.links, linked) || std::ranges::any_of(uses.components, named);
}

}  // namespace

void check_properties(const Library &library, Findings &findings) {
  for (const Document &document : library.documents) {
    for (const Component &component : document.tree.components) check_component(component, findings);
  }
}

void warn_of_wiring(Library &library, const std::vector<Flat> &flats, const Wiring &wiring, const Uses &uses,
                    Findings &findings) {
  warn_of_imports(library, findings);
  for (const Flat &flat : flats) {
    // One alone needs no other.
    if (flats.size() < 2 || is_reached(flat, wiring, uses)) continue;
    findings.warn(flat.name.at, "unreached-component",
                  fmt::format("nothing reaches {}: no CONNECT, no EXPOSE, no reference names it", flat.name.text));
  }
  for (const Uses::ComponentUse &use : uses.components) {
    if (use.from == use.to || wiring.leads(use.from, use.to)) continue;
    findings.warn(use.at, "not-connected", fmt::format("{} names {} and does not wait for it", use.from, use.to),
                  fmt::format("add CONNECT {} -> {}", use.from, use.to));
  }
}

}  // namespace skiff::compose::ctst
