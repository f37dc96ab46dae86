// What builds leave in the store when they are killed: build/NAME, whose lock is free then.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "imgtool/layout.h"

namespace skiff::image {

// The place of all builds; held as `directory` it keeps two processes from taking a build that has just begun for one
// that has ended.
struct BuildPlace {
  kernel::Fd directory;  // none where there never was a build
};
[[nodiscard]] Result<BuildPlace> lock_builds(const Layout &store, LayoutAccess access);

struct BuildLeftover {
  std::string name;
  std::uint64_t bytes = 0;  // on the disk
};
// Of both kinds, to tell them apart by `running`.
struct BuildsThere {
  std::vector<BuildLeftover> running;
  std::vector<BuildLeftover> left;
};
[[nodiscard]] Result<BuildsThere> list_builds(const BuildPlace &place);
// Its containers, which the runtime that made them removes, and its directory.
[[nodiscard]] Status remove_build(const Layout &store, const BuildPlace &place, const std::string &name);

// In a build's directory: a symlink to the runtime that its RUN instructions use.
inline constexpr const char *runtime_link = "runtime";

}  // namespace skiff::image
