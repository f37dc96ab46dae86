// YAML text to values that know their places. JSON is YAML.
#pragma once

#include <vector>

#include "compose/finding.h"
#include "compose/value.h"

namespace skiff::compose {

// The documents of a file, each of them a value. Anchors and merge keys (`<<`) are resolved, a key given twice is a
// finding, `!reset` and `!override` become tags. A plain scalar is what YAML 1.2's core schema takes it for. With an
// error among the findings what is returned is what could be read. `source` outlives the values.
[[nodiscard]] std::vector<Value> parse_yaml(const Source &source, Findings &findings);

// What a plain scalar of this text is: null, boolean, number or string.
[[nodiscard]] Value::Kind kind_of_plain(std::string_view text);

}  // namespace skiff::compose
