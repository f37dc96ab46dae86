// What a .ctst file says, by its grammar alone (CTST.md, "Grammar"): no name is looked up, no type checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compose/ctst_text.h"

namespace skiff::compose::ctst {

struct Name {
  std::string text;
  Position at;
};

struct Entry;

struct Node {
  enum class Kind : std::uint8_t { string, integer, boolean, list, map };
  Kind kind = Kind::string;
  Position at = {};
  Text text = {};                // of a string
  std::string word = {};         // of an integer or a boolean, as it is written
  std::vector<Node> items = {};  // of a list: strings and integers
  std::vector<Entry> entries;    // of a map, no key twice: strings, integers and lists
};

// A property of a component, or a member of a map.
struct Entry {
  Name key;
  Node value;
};

struct Parameter {
  Name name;
  std::optional<Text> initial;
};

struct Component {
  Name name;
  std::optional<Name> from;         // FROM from
  std::optional<Name> from_member;  // FROM from.from_member
  std::vector<Entry> properties;    // none twice
  std::vector<Parameter> parameters;
  bool is_template = false;

  [[nodiscard]] const Node *find(std::string_view key) const;
};

struct Import {
  Text path;
  std::optional<Name> alias;
};

struct Connect {
  Name from;
  Name to;
};

struct ExposedPort {
  std::string digits;
  Position at;
};

struct Expose {
  Position at;  // of the keyword
  std::optional<Name> component;
  ExposedPort host;  // the same as `container` where one port was given
  ExposedPort container;
};

struct Tree {
  std::vector<Import> imports;
  std::vector<Component> components;
  std::vector<Connect> connects;
  std::vector<Expose> exposes;
};

// Reads on after an error: what is wrong in several places is told in one go. The tree holds what could be read.
[[nodiscard]] Tree parse(const Source &source, Findings &findings);

}  // namespace skiff::compose::ctst
