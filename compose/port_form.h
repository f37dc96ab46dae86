// Ports as one word says them: docker's --publish and --expose.
#pragma once

#include <string_view>
#include <vector>

#include "compose/project.h"
#include "spec/error.h"

namespace skiff::compose {

// "[[IP:]HOST:]CONTAINER[/PROTOCOL]", each port a number or a range of the same length; an IPv6 address in brackets or
// without. An empty HOST is a free port. Errors have no place: the caller adds the flag.
[[nodiscard]] Result<std::vector<Port>> parse_ports(std::string_view text);
// "80", "80/udp", "8000-8010/tcp": each as "80/tcp".
[[nodiscard]] Result<std::vector<std::string>> parse_exposed(std::string_view text);

}  // namespace skiff::compose
