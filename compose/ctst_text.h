// The strings of a .ctst file: what stands between two quotes, with its `${...}` apart (CTST.md, "Lexical", "Grammar").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "compose/finding.h"

namespace skiff::compose::ctst {

// `${web.port}`, `${secret.token}`, `${env.HOME:-/root}`, `${param.version}`.
struct Reference {
  enum class Kind : std::uint8_t { component, secret, environment, parameter };
  enum class Attribute : std::uint8_t { host, port, connection_string };

  Kind kind = Kind::component;
  std::string name;
  Attribute attribute = Attribute::host;  // of a component
  std::optional<std::string> fallback;    // of an environment variable
  Position at;
};

using Piece = std::variant<std::string, Reference>;

struct Text {
  Position at;  // of the opening quote
  std::vector<Piece> pieces;

  // Without a reference: exactly what it says.
  [[nodiscard]] bool plain() const;
  // As people would write it, without quotes.
  [[nodiscard]] std::string shown() const;
};

// `raw` is what stands between the quotes, its first byte at `at`. An escape or a reference that is none is told and
// left out.
[[nodiscard]] std::vector<Piece> parse_pieces(std::string_view raw, Position at, Findings &findings);

// As .ctst writes it, in quotes: `$` in front of `{`, `"`, `\`, newline and tab are escaped.
[[nodiscard]] std::string quote_text(std::string_view literal);

[[nodiscard]] bool starts_name(char letter);
[[nodiscard]] bool continues_name(char letter);
[[nodiscard]] bool is_name(std::string_view text);

}  // namespace skiff::compose::ctst
