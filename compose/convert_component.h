// One service as a COMPONENT with its EXPOSE and CONNECT.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compose/convert.h"

namespace skiff::compose {

struct ConvertedComponent {
  std::vector<std::string> lines;  // of the COMPONENT, with its comments
  std::vector<std::string> connects;
  std::vector<std::string> exposes;
};

[[nodiscard]] ConvertedComponent convert_component(const ConvertRequest &request, const Service &service,
                                                   const std::map<std::string, std::string> &names, Findings &findings);

// "// " in front of each line of what .ctst cannot say, as YAML.
[[nodiscard]] std::vector<std::string> comment_of(std::string_view key, const Value &value);

}  // namespace skiff::compose
