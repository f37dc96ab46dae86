// The strings of one component with their references filled in.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compose/ctst_components.h"

namespace skiff::compose::ctst {

// Where other components find one.
struct Endpoint {
  std::string component;
  std::string host;
  std::string network;  // bridge, host, none, or a name
  std::optional<std::uint16_t> port;
  std::string scheme;

  // SCHEME://host:port; empty without a port.
  [[nodiscard]] std::string connection_string() const;
};
using Endpoints = std::map<std::string, Endpoint>;

// Which references may stand in a text.
struct Allowed {
  bool components = true;
  bool secrets = false;
};

struct Expanded {
  std::string text;
  bool has_secret = false;  // then `text` is what replace_secrets reads: "${secret.NAME}", "$$" for "$"
};

// What the references of a file lead to: a note of each, for the checks.
struct Uses {
  std::map<std::string, Position> secrets;  // the first place of each
  struct ComponentUse {
    std::string from, to;
    Position at;
  };
  std::vector<ComponentUse> components;
};

class Expander {
 public:
  // `endpoints` may be null: then no component may be named.
  Expander(const Flat &flat, const std::map<std::string, std::string> &environment, const Endpoints *endpoints,
           const std::vector<Name> &components, Uses &uses, Findings &findings)
      : flat_(flat),
        environment_(environment),
        endpoints_(endpoints),
        components_(components),
        uses_(uses),
        findings_(findings) {}

  // Absent where something is wrong with it; that is told.
  [[nodiscard]] std::optional<Expanded> expand(const Text &text, Allowed allowed);
  // The same for a text that may hold no secret.
  [[nodiscard]] std::optional<std::string> plain(const Text &text, bool components = true);

 private:
  bool append(const Text &text, Allowed allowed, std::vector<Piece> &out);
  bool append_reference(const Reference &reference, Allowed allowed, std::vector<Piece> &out);
  bool append_parameter(const Reference &reference, Allowed allowed, std::vector<Piece> &out);
  std::optional<std::string> variable(const Reference &reference);
  std::optional<std::string> component(const Reference &reference, Allowed allowed);
  std::optional<std::string> endpoint_text(const Reference &reference, const Endpoint &endpoint);

  const Flat &flat_;
  const std::map<std::string, std::string> &environment_;
  const Endpoints *endpoints_;
  const std::vector<Name> &components_;
  Uses &uses_;
  Findings &findings_;
  std::vector<std::string> open_;  // the parameters around the text that is looked at
};

}  // namespace skiff::compose::ctst
