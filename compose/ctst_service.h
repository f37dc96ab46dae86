// One component as a service in the keys of the compose-spec (CTST.md, "Properties").
#pragma once

#include <map>
#include <string>

#include "compose/ctst_wiring.h"

namespace skiff::compose::ctst {

struct ServiceParts {
  const Flat &flat;
  const AllFacts &facts;
  const Wiring &wiring;
  const Library &library;
  const std::map<std::string, Position> &secrets;  // that the component names; filled by the Typed's Expander
};

[[nodiscard]] Value make_service(const ServiceParts &parts, Typed &typed, Findings &findings);

// Every property there is.
[[nodiscard]] bool is_property(std::string_view key);
// The one that was probably meant; empty: none is near.
[[nodiscard]] std::string nearest_property(std::string_view key);

}  // namespace skiff::compose::ctst
