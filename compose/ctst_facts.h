// What of a component the others need, before any of their references can be filled in: its image, its ports, its
// network.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compose/ctst_expand.h"
#include "compose/ctst_typed.h"
#include "compose/ctst_values.h"

namespace skiff::compose::ctst {

struct DeclaredPort {
  std::uint16_t number = 0;
  Position at;
};

struct Facts {
  std::optional<ImageSource> image;
  Position image_at;
  std::vector<DeclaredPort> ports;  // `port` alone, or `ports`
  bool publishes = false;           // they are `ports`
  std::string network = "bridge";   // bridge, host, none, or a name
  Position network_at;
  std::uint64_t replicas = 1;
  bool has_health_check = false;
  Endpoint endpoint;
};

[[nodiscard]] Facts read_facts(const Flat &flat, Typed &typed, const Library &library);

}  // namespace skiff::compose::ctst
