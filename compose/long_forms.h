// The short forms of the compose-spec, each of them turned into its long one: after this every rule has one shape to
// know, and two files can be merged.
#pragma once

#include <string>
#include <vector>

#include "compose/finding.h"
#include "compose/value.h"

namespace skiff::compose {

struct LongForms {
  // A text with a "$" that is no short form stays as it is (config --no-interpolate).
  bool lenient = false;
  Findings &findings;
};

// A whole file, in place. A value of a wrong shape stays: check_keys tells (schema.h).
void make_long(Value &file, const LongForms &how);

// One entry of a service's list each; more than one comes out of a range of ports.
[[nodiscard]] std::vector<Value> make_long_port(const Value &entry, const std::string &path, const LongForms &how);
[[nodiscard]] Value make_long_mount(const Value &entry, const std::string &path, const LongForms &how);
[[nodiscard]] Value make_long_device(const Value &entry, const std::string &path, const LongForms &how);

// A boolean or a number as a value of the tree.
[[nodiscard]] Value make_boolean(bool yes, Position at);
[[nodiscard]] Value make_number(std::string text, Position at);

}  // namespace skiff::compose
