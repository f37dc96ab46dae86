// Files of NAME=VALUE lines: .env and what env_file and label_file name.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compose/finding.h"
#include "compose/interpolate.h"
#include "compose/value.h"

namespace skiff::compose {

struct DotenvEntry {
  std::string name;
  std::optional<std::string> value;  // absent: a name alone that `variables` has not
};

// In the order of the file; a later line of a name wins. `export ` in front, NAME: VALUE, blanks around the sign and
// `#` comments after a blank are taken as docker compose does. Single quotes keep everything, over several lines;
// double quotes know \n \r \t \" \\ \$ and variables; without quotes variables alone. `variables` are asked before the
// file's own earlier lines.
[[nodiscard]] std::vector<DotenvEntry> parse_dotenv(const Source &source, const Variables &variables,
                                                    Findings &findings);

// `format: raw`: every line as it is; no quotes, no variables.
[[nodiscard]] std::vector<DotenvEntry> parse_raw_env(const Source &source, Findings &findings);

}  // namespace skiff::compose
