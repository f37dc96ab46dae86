// The components that are started, each with what its templates give it (CTST.md, "IMPORT and FROM").
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "compose/ctst_imports.h"

namespace skiff::compose::ctst {

struct Flat {
  Name name;
  std::vector<Entry> properties;                // none twice; where they stand, they say
  std::map<std::string, Parameter> parameters;  // by name, with the value nearest to the component

  [[nodiscard]] const Entry *find(std::string_view key) const;
};

// Of the entry file, in its order; templates are not among them. Marks the imports that a FROM uses.
[[nodiscard]] std::vector<Flat> flatten_components(Library &library, Findings &findings);

// The component of the entry file with that name which is a template, null where there is none.
[[nodiscard]] const Component *find_template(Library &library, std::string_view name);

}  // namespace skiff::compose::ctst
