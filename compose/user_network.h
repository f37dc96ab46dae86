// The networks of an ordinary user: one user, mount and network namespace for all of his containers, in which there
// are bridges as root has them. A small process holds them, and one pasta connects them with the host's network.
//
//   RUN/networks/holder      who that process is (process_mark.h)
//   RUN/networks/pasta.pid   pasta's
//
// Containers are made inside that user namespace, in one of their own below it: so their networks may be entered.
#pragma once

#include <functional>
#include <string>

#include "compose/lower.h"
#include "compose/process_mark.h"
#include "compose/state.h"

namespace skiff::compose {

[[nodiscard]] bool is_rootless();

// The host's ids as that user namespace has them: himself is 0, what he is granted follows.
[[nodiscard]] Result<IdMaps> make_user_network_maps(const HostFacts &host);
// The same mappings, as who is inside `outer` writes them. An id that is not in there is an error.
[[nodiscard]] Result<std::vector<spec::IdMapping>> map_inside(const std::vector<spec::IdMapping> &mappings,
                                                              const std::vector<spec::IdMapping> &outer);

// Makes it where it is not there. `lock` is of lock_networks: killed in the middle, whoever comes next waits until
// nobody is left who still makes something.
[[nodiscard]] Status ensure_user_network(const Places &places, const kernel::Fd &lock);
// Its processes, and with them every bridge and rule. None there is no error.
[[nodiscard]] Status end_user_network(const Places &places);
// Its holder; an invalid descriptor where there is none.
[[nodiscard]] Result<MarkedProcess> find_user_network(const Places &places);

// What `work` returns, run as root in there by a child.
[[nodiscard]] Result<std::string> inside_user_network(const Places &places,
                                                      const std::function<Result<std::string>()> &work);

// The holder itself: its standard input is a socket to ensure_user_network.
[[nodiscard]] Status hold_user_network(const Places &places);

// pasta's words after its path. Ports are not its task: it cannot be told of another one while it runs.
[[nodiscard]] std::vector<std::string> pasta_words(const std::string &pid_file, pid_t pid);

}  // namespace skiff::compose
