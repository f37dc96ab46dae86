// What a 401 asks for: the WWW-Authenticate fields of RFC 9110, 11.6.1, as values.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace skiff::image {

struct Challenge {
  std::string scheme;                             // in lower case: "bearer", "basic"
  std::map<std::string, std::string> parameters;  // names in lower case, values unquoted
  std::string token68;                            // in place of parameters

  // Empty where there is none of that name.
  [[nodiscard]] std::string_view parameter(std::string_view name) const;
};

// One field's value, which may hold several challenges. What does not follow the grammar is left out: a registry's
// answer that cannot be read is no challenge.
[[nodiscard]] std::vector<Challenge> parse_challenges(std::string_view field);

}  // namespace skiff::image
