// Who is compared: the runtime built beside this program, the floor, and the other runtimes of this host.
#pragma once

#include "tests/bench/stage.h"
#include "tests/bench/wish.h"

namespace skiff::bench {

// Those that the wish admits: skiff, the floor, then the peers named, then runc and crun of $PATH. A peer is named with
// its version: "crun-1.28".
[[nodiscard]] std::vector<Contestant> find_contestants(const Wish &wish);

// Starts the resident container of each. One that cannot start a container here is left out, which is said on stderr
// with its own words for the reason.
[[nodiscard]] Result<std::vector<Contestant>> admit(Stage &stage, const std::vector<Contestant> &all);

// The process of the first resident container, which the floor joins; 0 without one.
[[nodiscard]] int pid_of_resident(const Stage &stage, const std::vector<Contestant> &all);

}  // namespace skiff::bench
