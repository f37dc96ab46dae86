// The network of an ordinary user's container: a namespace of its own, which pasta connects to the host's without any
// privilege. Connections to published ports keep their source address.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "compose/project.h"
#include "compose/state.h"

namespace skiff::compose {

[[nodiscard]] bool is_rootless();

// For the namespaces of that process, which is a container's first one and has not begun its program. pasta's pid is in
// RUN/ID/pasta.pid; it is ready when this returns.
[[nodiscard]] Status start_pasta(const Places &places, const std::string &id, pid_t pid,
                                 const std::vector<Port> &ports);
// None there is no error.
[[nodiscard]] Status stop_pasta(const Places &places, const std::string &id);

// Its words after the program's path.
[[nodiscard]] std::vector<std::string> pasta_words(const std::string &pid_file, pid_t pid,
                                                   const std::vector<Port> &ports);

}  // namespace skiff::compose
