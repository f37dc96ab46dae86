// A process of a container that tries to get hold of what runtimes bring in when they enter it: of their descriptors,
// directories and program, and of themselves.
#pragma once

#include <string>

namespace skiff::inside {

// Goes through all processes again and again until the file is there. JSON: "met" is how many times another program
// than this one was seen; "caught" how many of their files were opened by /proc/PID/exe; "descriptors", "directories"
// and "traced" say what was got hold of and should not have been; "writable" is a program of theirs that opened for
// writing once they were gone.
[[nodiscard]] std::string spy(const char *until);

}  // namespace skiff::inside
