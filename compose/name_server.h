// aardvark-dns, which answers containers' questions for names at their networks' gateways: told by files, a network
// each, and by SIGHUP. It runs while there is a file.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compose/network.h"

namespace skiff::compose {

// Whom the names of all attached containers lead to, from now on. It is started where that is missing, and ended with
// the last of them. The caller holds lock_networks and is where the bridges are.
[[nodiscard]] Status tell_name_server(const Places &places, const std::vector<NetworkRecord> &networks,
                                      const std::vector<NetworkState> &attached);
// None there is no error.
[[nodiscard]] Status end_name_server(const Places &places);

// What it reads: text by file. `networks` lacks none that a container is attached to.
[[nodiscard]] std::map<std::string, std::string> name_server_files(const std::vector<NetworkRecord> &networks,
                                                                   const std::vector<NetworkState> &attached);

}  // namespace skiff::compose
