#include "compose/volume_parts.h"

#include <fmt/format.h>
#include <sys/mount.h>

#include "compose/granted_ids.h"
#include "compose/user_network.h"
#include "runtime/kernel/mount.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {
namespace {

std::string part_path(const Places &places, const std::string &id, std::size_t index) {
  return fmt::format("{}/parts/{}", places.directory(id), index);
}

Result<kernel::Fd> open_part(const MountRecord &mount) {
  const kernel::Fd top = TRY(kernel::open(mount.source, O_PATH | O_DIRECTORY));
  return remedy("make it in the volume first; it must not lead over a symbolic link",
                in(fmt::format("volumes: subpath {} of {}", mount.subpath, mount.name),
                   kernel::openat2(top, mount.subpath, O_PATH, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS)));
}

// In an ordinary user's volumes are directories that are closed to him.
Status check_part(const MountRecord &mount) {
  return work_with_granted_ids([&]() -> Status {
    TRY(open_part(mount));
    return {};
  });
}

// A directory or a file, as the part is.
Result<kernel::Fd> make_target(const std::string &path, const kernel::Fd &part) {
  TRY(kernel::make_parents(path, 0711));
  if (S_ISDIR(TRY(kernel::fstat(part)).st_mode)) {
    TRY(kernel::make_directory(kernel::cwd, path, 0700));
  } else {
    TRY(kernel::open(path, O_WRONLY | O_CREAT | O_NOFOLLOW, 0600));
  }
  return kernel::open(path, O_PATH | O_NOFOLLOW);
}

Status unmount_part(const std::string &path) {
  const Status done = kernel::umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
  // EINVAL: nothing is mounted there; ENOENT: it was never made.
  if (!done && done.error().number != EINVAL && done.error().number != ENOENT) return done;
  return {};
}

}  // namespace

Result<std::string> volume_source(const Places &places, const std::string &id, const MountRecord &mount,
                                  std::size_t index) {
  if (mount.subpath.empty()) return mount.source;
  TRY(check_part(mount));
  return is_rootless() ? mount.source + "/" + mount.subpath : part_path(places, id, index);
}

Status mount_parts(const Places &places, const ContainerRecord &record) {
  for (std::size_t i = 0; i < record.mounts.size(); ++i) {
    if (record.mounts[i].subpath.empty()) continue;
    if (is_rootless()) {
      TRY(check_part(record.mounts[i]));
      continue;
    }
    const kernel::Fd part = TRY(open_part(record.mounts[i]));
    const std::string path = part_path(places, record.id, i);
    // What a killed start has left is of another run.
    TRY(unmount_part(path));
    const kernel::Fd tree = TRY(kernel::open_tree(part, "", OPEN_TREE_CLONE | AT_RECURSIVE | AT_EMPTY_PATH));
    TRY(in(path, kernel::move_mount(tree, TRY(make_target(path, part)))));
  }
  return {};
}

Status unmount_parts(const Places &places, const ContainerRecord &record) {
  for (std::size_t i = 0; i < record.mounts.size(); ++i) {
    if (!record.mounts[i].subpath.empty()) TRY(unmount_part(part_path(places, record.id, i)));
  }
  return {};
}

}  // namespace skiff::compose
