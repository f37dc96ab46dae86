// compose-spec, "Merge and override": what a later file says, over what the earlier ones said.
#pragma once

#include "compose/finding.h"
#include "compose/value.h"

namespace skiff::compose {

// Both in long forms. `!reset` and `!override` of the later one are done and gone.
void merge_file(Value &file, Value later, Findings &findings);

// The same for one service alone: `extends` adds what a service says to what it extends.
void merge_service(Value &service, Value later, Findings &findings);

// Takes the values away that `!reset` marks, and the tags: for a file that nothing was before.
void drop_tags(Value &value);

// One entry of each unique key stays, the last: what a single file says twice.
void enforce_unique(Value &file);

}  // namespace skiff::compose
