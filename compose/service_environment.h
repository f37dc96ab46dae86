// What env_file and label_file add to a service, and the variables that it takes from here.
#pragma once

#include <map>
#include <string>

#include "compose/finding.h"
#include "compose/project_files.h"
#include "compose/value.h"

namespace skiff::compose {

// compose-spec, "env_file", "environment", "label_file": later files win over earlier ones, what the service says
// itself over all; `KEY` alone takes the value from `environment`, and stays unset where that has none. env_file and
// label_file are gone then.
void read_service_environment(Value &service, const std::map<std::string, std::string> &environment,
                              SourceFiles &sources, Findings &findings);

}  // namespace skiff::compose
