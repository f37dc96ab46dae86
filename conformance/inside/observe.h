// What a process can see of itself, as JSON.
#pragma once

#include <string>

#include "conformance/inside/text.h"

namespace skiff::inside {

// Every identity, limit and attribute of this process, and what it sees of the system. What needs /proc is left out
// where none is mounted.
void observe_process(Text &out, int argc, char **argv);
void observe_system(Text &out);

// {"pid": "pid:[4026531836]", ...} of /proc/self/ns.
[[nodiscard]] std::string namespaces();

}  // namespace skiff::inside
