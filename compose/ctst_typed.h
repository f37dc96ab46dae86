// A property's value as the type that the language gives it, or a finding that says which it should be (CTST.md,
// "Properties").
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compose/ctst_expand.h"

namespace skiff::compose::ctst {

struct At {
  std::string text;
  Position at;
  bool has_secret = false;
};

class Typed {
 public:
  Typed(const Flat &flat, Expander &expander, Findings &findings)
      : flat_(flat), expander_(expander), findings_(findings) {}

  // Each is absent where something is wrong; that is told. `place` is the property's name, or "healthcheck.retries".
  [[nodiscard]] std::optional<At> string(std::string_view place, const Node &node, Allowed allowed = {});
  // An integer, or a string that comes out as one where it has a reference: port = "${param.port}".
  [[nodiscard]] std::optional<std::uint64_t> integer(std::string_view place, const Node &node);
  [[nodiscard]] std::optional<bool> boolean(std::string_view place, const Node &node);
  [[nodiscard]] std::optional<std::vector<At>> strings(std::string_view place, const Node &node, Allowed allowed = {});
  // A string, or a list of them.
  [[nodiscard]] std::optional<std::vector<At>> string_or_strings(std::string_view place, const Node &node);
  [[nodiscard]] std::optional<std::uint16_t> port(std::string_view place, const Node &node);

  void refuse(std::string_view place, Position at, std::string_view what, std::string remedy = {},
              std::string code = "bad-value");
  void refuse_type(std::string_view place, const Node &node, std::string_view wanted, std::string remedy = {});

 private:
  const Flat &flat_;
  Expander &expander_;
  Findings &findings_;
};

}  // namespace skiff::compose::ctst
