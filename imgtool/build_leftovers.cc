#include "imgtool/build_leftovers.h"

#include <fmt/format.h>
#include <sys/file.h>

#include "imgtool/build_run.h"
#include "imgtool/tree_removal.h"
#include "imgtool/tree_walk.h"
#include "runtime/kernel/path.h"

namespace skiff::image {
namespace {

constexpr const char *builds = "build";
constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
constexpr std::uint64_t block = 512;  // of st_blocks, whatever the filesystem's are

Result<std::uint64_t> bytes_below(kernel::FdView directory) {
  const dev_t device = TRY(kernel::fstat(directory)).st_dev;
  std::uint64_t blocks = 0;
  TRY(walk_tree(directory, {.visit = [&](auto, const auto &, const TreeChild &child) -> Result<TreeStep> {
                  blocks += static_cast<std::uint64_t>(child.status.st_blocks);
                  // A container that runs has mounts in it.
                  const bool inside = S_ISDIR(child.status.st_mode) && child.status.st_dev == device;
                  return inside ? TreeStep::enter : TreeStep::skip;
                }}));
  return blocks * block;
}

Status remove_containers(const Layout &store, const kernel::Fd &build, const std::string &name) {
  const kernel::Fd containers = TRY(kernel::find_at(build, "run", directory_flags));
  if (!containers.valid()) return {};
  const std::vector<std::string> ids = TRY(kernel::list_directory(containers));
  if (ids.empty()) return {};
  const std::string runtime = TRY(kernel::readlinkat(build, runtime_link));
  const std::string root = fmt::format("{}/{}/{}/run", store.path(), builds, name);
  for (const std::string &id : ids) delete_container(runtime, root, id);
  return {};
}

}  // namespace

Result<BuildPlace> lock_builds(const Layout &store, LayoutAccess access) {
  if (access == LayoutAccess::write) TRY(kernel::make_directory(store.directory(), builds, 0700));
  BuildPlace place{.directory = TRY(kernel::find_at(store.directory(), builds, directory_flags))};
  if (place.directory.valid()) TRY(kernel::flock(place.directory, LOCK_EX));
  return place;
}

Result<BuildsThere> list_builds(const BuildPlace &place) {
  BuildsThere there;
  if (!place.directory.valid()) return there;
  for (const std::string &name : TRY(kernel::list_directory(place.directory))) {
    const kernel::Fd build = TRY(kernel::find_at(place.directory, name, directory_flags));
    if (!build.valid()) continue;
    const Status locked = kernel::flock(build, LOCK_EX | LOCK_NB);
    if (!locked && locked.error().number != EWOULDBLOCK) return std::unexpected(locked.error());
    (locked ? there.left : there.running).push_back({.name = name, .bytes = TRY(bytes_below(build))});
  }
  return there;
}

Status remove_build(const Layout &store, const BuildPlace &place, const std::string &name) {
  const auto remove = [&]() -> Status {
    const kernel::Fd build = TRY(kernel::openat(place.directory, name, directory_flags));
    TRY(remove_containers(store, build, name));
    return remove_tree(place.directory, name);
  };
  return in(fmt::format("{}: build {}", store.path(), name), remove());
}

}  // namespace skiff::image
