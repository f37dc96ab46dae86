#include "compose/ctst_components.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/cli/nearest.h"

namespace skiff::compose::ctst {
namespace {

struct Place {
  Document *document = nullptr;
  const Component *component = nullptr;
};

// Properties of which a component has one: the child's takes the place of either.
constexpr std::array<std::pair<std::string_view, std::string_view>, 2> exclusive = {
    {{"port", "ports"}, {"volume", "volumes"}}};

const Component *find_component(const Document &document, std::string_view name) {
  const auto found =
      std::ranges::find_if(document.tree.components, [&](const Component &one) { return one.name.text == name; });
  return found == document.tree.components.end() ? nullptr : &*found;
}

std::string did_you_mean(const cli::Nearest &nearest) {
  return nearest.found().empty() ? std::string() : fmt::format("did you mean {}?", nearest.found());
}

std::string choices(const Imported &import) {
  std::vector<std::string> all;
  for (const Component &one : import.document->tree.components) {
    all.push_back(fmt::format("{}.{}", import.alias.text, one.name.text));
  }
  return all.empty() ? "that file has no component" : fmt::format("there is {}", fmt::join(all, ", "));
}

class Flattener {
 public:
  Flattener(Library &library, Findings &findings) : library_(library), findings_(findings) {}

  std::vector<Flat> flatten() {
    for (const Document &document : library_.documents) check_names(document);
    std::vector<Flat> all;
    Document &entry = library_.entry();
    std::vector<std::string_view> seen;
    for (const Component &component : entry.tree.components) {
      // The second of a name is told already; wiring knows the first.
      if (std::ranges::find(seen, component.name.text) != seen.end()) continue;
      seen.push_back(component.name.text);
      const std::vector<Place> chain = chain_of({&entry, &component});
      if (!component.is_template) all.push_back(merge(chain));
    }
    return all;
  }

 private:
  void check_names(const Document &document) {
    std::map<std::string_view, const Component *> first;
    for (const Component &component : document.tree.components) {
      const auto [other, is_first] = first.emplace(component.name.text, &component);
      if (is_first) continue;
      findings_.error(
          component.name.at, "duplicate-component",
          fmt::format("component {} stands in line {} already", component.name.text, other->second->name.at.line));
    }
  }

  // The component, its template, that one's template and so on.
  std::vector<Place> chain_of(Place place) {
    std::vector<Place> chain = {place};
    while (place.component->from) {
      place = parent_of(place);
      if (place.component == nullptr) break;
      const auto around = std::ranges::find(chain, place.component, &Place::component);
      if (around != chain.end()) {
        tell_cycle(chain, around - chain.begin());
        break;
      }
      chain.push_back(place);
    }
    return chain;
  }

  void tell_cycle(const std::vector<Place> &chain, std::ptrdiff_t start) {
    const auto circle = std::ranges::subrange(chain.begin() + start, chain.end());
    // Each of the circle leads here.
    if (std::ranges::find(told_, chain.back().component) != told_.end()) return;
    std::string text;
    for (const Place &one : circle) {
      text += one.component->name.text + " -> ";
      told_.push_back(one.component);
    }
    const Component &first = *circle.front().component;
    findings_.error(first.from->at, "template-cycle", fmt::format("a cycle of templates: {}{}", text, first.name.text));
  }

  Place parent_of(const Place &child) {
    const Name &from = *child.component->from;
    const std::optional<Name> &member = child.component->from_member;
    if (!member) {
      if (const Component *own = find_component(*child.document, from.text)) return {child.document, own};
    }
    auto &imports = child.document->imports;
    const auto import = std::ranges::find_if(imports, [&](const Imported &one) { return one.alias.text == from.text; });
    if (import == imports.end()) return refuse_name(child, from, member.has_value());
    import->used = true;
    if (import->document == nullptr) return {};
    return member ? member_of(*import, *member) : only_one_of(*import, from);
  }

  Place refuse_name(const Place &child, const Name &from, bool import_only) {
    cli::Nearest nearest(from.text);
    for (const Imported &one : child.document->imports) nearest.offer(one.alias.text);
    if (!import_only) {
      for (const Component &one : child.document->tree.components) {
        if (&one != child.component) nearest.offer(one.name.text);
      }
    }
    findings_.error(from.at, "unknown-template",
                    fmt::format("there is no {} {}", import_only ? "import" : "component or import", from.text),
                    did_you_mean(nearest));
    return {};
  }

  Place member_of(const Imported &import, const Name &member) {
    if (const Component *found = find_component(*import.document, member.text)) return {import.document, found};
    cli::Nearest nearest(member.text);
    for (const Component &one : import.document->tree.components) nearest.offer(one.name.text);
    const std::string near = did_you_mean(nearest);
    findings_.error(member.at, "unknown-template", fmt::format("{} has no {}", import.alias.text, member.text),
                    near.empty() ? choices(import) : near);
    return {};
  }

  Place only_one_of(const Imported &import, const Name &from) {
    const std::vector<Component> &all = import.document->tree.components;
    if (all.size() == 1) return {import.document, &all.front()};
    findings_.error(from.at, "ambiguous-template",
                    fmt::format("{} has {} components, of which FROM takes one", from.text, all.size()),
                    choices(import));
    return {};
  }

  static Flat merge(const std::vector<Place> &chain) {
    Flat flat{.name = chain.front().component->name, .properties = {}, .parameters = {}};
    for (auto place = chain.rbegin(); place != chain.rend(); ++place) {
      for (const Entry &entry : place->component->properties) {
        if (entry.key.text != "template") put(flat.properties, entry);
      }
      for (const Parameter &parameter : place->component->parameters) {
        Parameter &known = flat.parameters.try_emplace(parameter.name.text, parameter).first->second;
        // Named again without a value, it keeps what the template gives it.
        if (parameter.initial) known = parameter;
      }
    }
    return flat;
  }

  static void put(std::vector<Entry> &properties, const Entry &entry) {
    for (const auto &[one, other] : exclusive) {
      if (entry.key.text == one) remove(properties, other);
      if (entry.key.text == other) remove(properties, one);
    }
    const auto same = [&](const Entry &known) { return known.key.text == entry.key.text; };
    const auto known = std::ranges::find_if(properties, same);
    if (known != properties.end() && entry.key.text == "env" && known->value.kind == Node::Kind::map) {
      known->key = entry.key;
      for (const Entry &variable : entry.value.entries) put_variable(known->value.entries, variable);
    } else if (known != properties.end()) {
      *known = entry;
    } else {
      properties.push_back(entry);
    }
  }

  static void put_variable(std::vector<Entry> &variables, const Entry &entry) {
    const auto same = [&](const Entry &known) { return known.key.text == entry.key.text; };
    if (const auto known = std::ranges::find_if(variables, same); known != variables.end()) {
      *known = entry;
    } else {
      variables.push_back(entry);
    }
  }

  static void remove(std::vector<Entry> &properties, std::string_view key) {
    std::erase_if(properties, [&](const Entry &one) { return one.key.text == key; });
  }

  Library &library_;
  Findings &findings_;
  std::vector<const Component *> told_;  // whose cycle is
};

}  // namespace

const Entry *Flat::find(std::string_view key) const {
  const auto found = std::ranges::find_if(properties, [&](const Entry &one) { return one.key.text == key; });
  return found == properties.end() ? nullptr : &*found;
}

std::vector<Flat> flatten_components(Library &library, Findings &findings) {
  return Flattener(library, findings).flatten();
}

const Component *find_template(Library &library, std::string_view name) {
  const Component *found = find_component(library.entry(), name);
  return found != nullptr && found->is_template ? found : nullptr;
}

}  // namespace skiff::compose::ctst
