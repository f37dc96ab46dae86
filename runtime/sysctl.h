// Kernel parameters by name: config-linux.md, "Sysctl".
#pragma once

#include <string>
#include <string_view>

#include "spec/error.h"

namespace skiff {

// The file of a parameter below /proc, as sysctl(8) reads the name: where a dot comes before any slash, dots separate
// and a slash stands for a dot within a name ("net.ipv4.conf.eth0/100.forwarding"); otherwise slashes separate and dots
// are themselves ("net/ipv4/conf/eth0.100/forwarding"). EINVAL for a name with an empty, "." or ".." part.
[[nodiscard]] Result<std::string> sysctl_file(std::string_view key);

}  // namespace skiff
