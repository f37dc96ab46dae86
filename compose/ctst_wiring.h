// Who needs whom, and what is published: CTST.md's CONNECT and EXPOSE.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compose/ctst_facts.h"

namespace skiff::compose::ctst {

struct Link {
  std::string from;  // waits for
  std::string to;
  Position at;
};

struct Published {
  std::uint16_t host = 0;
  std::uint16_t container = 0;
  Position at;
};

struct Wiring {
  std::vector<Link> links;                                  // without a cycle, none twice, between what is started
  std::map<std::string, std::vector<Published>> published;  // by component
  std::vector<std::string> exposed;                         // whom an EXPOSE names

  // Whether `from` waits for `to`, through others too.
  [[nodiscard]] bool leads(std::string_view from, std::string_view to) const;
};

using AllFacts = std::map<std::string, Facts>;

[[nodiscard]] Wiring make_wiring(Library &library, const std::vector<Flat> &flats, const AllFacts &facts,
                                 Findings &findings);

// What a CONNECT puts into the environment of the one that needs it, in front of _HOST, _PORT, _CONNECTION_STRING.
[[nodiscard]] std::string variable_prefix(std::string_view component);

}  // namespace skiff::compose::ctst
