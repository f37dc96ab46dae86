// compose-spec, "Interpolation": $VAR and ${VAR...} in values, never in keys.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "compose/finding.h"
#include "compose/value.h"

namespace skiff::compose {

// The value of a variable, or none.
using Variables = std::function<std::optional<std::string>(const std::string &name)>;

// A variable that a text names: what `config --variables` lists.
struct VariableUse {
  std::string name;
  bool required = false;
  std::string default_value = {};
  std::string alternate_value = {};
};

struct Expansion {
  std::string text;
  std::vector<std::string> missing;  // unset, without a default
  std::string error;                 // empty: none. "${A:?why}: why", or what is wrong with the form
  std::vector<VariableUse> uses;
};

// One text: $V, ${V}, ${V:-d}, ${V-d}, ${V:?e}, ${V?e}, ${V:+a}, ${V+a}, nested; $$ is a dollar sign. What is no
// variable's name after a dollar sign stays as it is.
[[nodiscard]] Expansion expand(std::string_view text, const Variables &variables);

// Every value of the tree. What a text has become stays a text: the forms of the schema decide what it counts for. A
// missing variable is told once for all that share `told`.
void interpolate(Value &value, const Variables &variables, std::set<std::string> &told, Findings &findings);

// All variables that the values of the tree name, each once.
void collect_variables(const Value &value, std::map<std::string, VariableUse> &uses);

// `$` of the tree doubled: `config` prints what can be read again.
void escape_dollars(Value &value);

}  // namespace skiff::compose
