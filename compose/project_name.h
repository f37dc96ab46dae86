// The name of a project: what its containers, networks and volumes begin with.
#pragma once

#include <string>
#include <string_view>

namespace skiff::compose {

// compose-spec, "Name top-level element": lower case letters, digits, - and _, begun with a letter or a digit.
[[nodiscard]] bool is_project_name(std::string_view name);

// The name of a folder, as a project's: in lower case, without what no name may have. Empty where nothing is left.
[[nodiscard]] std::string make_project_name(std::string_view folder);

}  // namespace skiff::compose
