// Files of --env-file and --label-file: one NAME=VALUE a line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compose/project.h"
#include "spec/error.h"

namespace skiff::compose {

// docker's format: blanks in front of a line and lines that start with # do not count, everything after the first = is
// the value, without quotes or escapes. A name alone takes the caller's own variable, or none where it has none.
// `name` is the file's, for errors: "web.env:3: ...".
[[nodiscard]] Result<Environment> parse_env_file(std::string_view text, std::string_view name);
[[nodiscard]] Result<Environment> load_env_file(const std::string &path);

// "NAME=VALUE", or NAME alone for the caller's own.
[[nodiscard]] Result<Environment::value_type> parse_variable(std::string_view text);
// Puts it in the place of one with the same name, else at the end.
void set_variable(Environment &environment, Environment::value_type variable);

}  // namespace skiff::compose
