// The canonical tree of a project to the typed Project.
#pragma once

#include "compose/finding.h"
#include "compose/project.h"
#include "compose/value.h"

namespace skiff::compose {

// `canonical` has long forms, absolute paths and the names that finish_project gives (finish.h): call that for anything
// else. Every value that is no port, no size, no duration is told with its place. Name, directory and files of the
// project are the caller's to fill.
[[nodiscard]] Project decode_project(const Value &canonical, Findings &findings);

}  // namespace skiff::compose
