// A volume as a container finds it: its device mounted, and filled with what the image has there.
#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>

#include "compose/container.h"
#include "compose/copy_tree.h"
#include "compose/granted_ids.h"
#include "compose/program.h"
#include "compose/volume.h"
#include "runtime/kernel/mount.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {
namespace {

std::string option_of(const VolumeRecord &volume, const std::string &name) {
  const auto option = volume.options.find(name);
  return option == volume.options.end() ? "" : option->second;
}

bool has_device(const VolumeRecord &volume) {
  return !option_of(volume, "device").empty() && volume_path(Places{}, volume) != option_of(volume, "device");
}

Result<bool> is_mount_point(const std::string &directory) {
  const struct stat about = TRY(kernel::fstatat(kernel::cwd, directory));
  return about.st_dev != TRY(kernel::fstatat(kernel::cwd, directory + "/..")).st_dev;
}

// By mount(8), which knows network file systems and their names.
Status mount_device(const std::string &directory, const VolumeRecord &volume) {
  Words words = {TRY(find_program("mount"))};
  for (const auto &[flag, option] : {std::pair{"-t", "type"}, std::pair{"-o", "o"}}) {
    const std::string value = option_of(volume, option);
    if (!value.empty()) words.insert(words.end(), {flag, value});
  }
  words.insert(words.end(), {"--", option_of(volume, "device"), directory});
  TRY(in(fmt::format("volume {}", volume.name), call_program(words)));
  return {};
}

Result<bool> is_empty(kernel::FdView directory) {
  std::vector<std::string> names = TRY(kernel::list_directory(directory));
  // What mke2fs leaves.
  std::erase(names, "lost+found");
  return names.empty();
}

// Into a directory beside it, which takes its place when it is whole. A mount cannot be exchanged: there the copy is
// made where it stands.
Status fill(const std::string &data, kernel::FdView source, bool mounted) {
  if (mounted) return copy_tree(source, TRY(kernel::open(data, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)));
  const std::string fresh = data + ".new";
  TRY(kernel::remove_tree_at(kernel::cwd, fresh));
  TRY(kernel::mkdirat(kernel::cwd, fresh, 0700));
  TRY(copy_tree(source, TRY(kernel::open(fresh, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))));
  return kernel::renameat2(kernel::cwd, fresh, kernel::cwd, data);
}

Status copy_up(const VolumeRecord &volume, const std::string &data, const Mount &mount, kernel::FdView rootfs) {
  if (mount.no_copy || !rootfs.valid()) return {};
  if (!TRY(is_empty(TRY(kernel::open(data, O_RDONLY | O_DIRECTORY))))) return {};
  const std::string place = fmt::format("volume {}: copying the image's {}", volume.name, mount.target);
  Result<kernel::Fd> source = kernel::open_in_root(rootfs, mount.target, O_RDONLY | O_DIRECTORY);
  // The image has nothing there, or a file.
  if (!source && (source.error().number == ENOENT || source.error().number == ENOTDIR)) return {};
  const kernel::Fd from = TRY(in(place, std::move(source)));
  return in(place, fill(data, from, TRY(is_mount_point(data))));
}

}  // namespace

Result<std::string> use_volume(const Places &places, const VolumeRecord &volume, const Mount &mount,
                               kernel::FdView rootfs) {
  const kernel::Fd lock = TRY(lock_file(places.data + "/volumes.lock", LOCK_EX));
  std::string data = volume_path(places, volume);
  if (has_device(volume) && !TRY(is_mount_point(data))) TRY(mount_device(data, volume));
  // Owners are those that the image's files have in the container's root filesystem.
  TRY(work_with_granted_ids([&] { return copy_up(volume, data, mount, rootfs); }));
  return data;
}

Status mount_volume(const Places &places, const std::string &name) {
  const VolumeRecord volume = TRY(find_volume(places, name));
  if (!has_device(volume)) return {};
  const kernel::Fd lock = TRY(lock_file(places.data + "/volumes.lock", LOCK_EX));
  const std::string data = volume_path(places, volume);
  if (TRY(is_mount_point(data))) return {};
  return mount_device(data, volume);
}

Status release_volume(const Places &places, const std::string &name, const std::string &container) {
  const Result<VolumeRecord> volume = find_volume(places, name);
  if (!volume || !has_device(*volume)) return {};
  for (const Container &one : TRY(list_containers(places))) {
    if (one.id() == container || !one.state.is_running()) continue;
    if (std::ranges::any_of(one.record.mounts, [&](const MountRecord &mount) { return mount.name == name; })) {
      return {};
    }
  }
  const kernel::Fd lock = TRY(lock_file(places.data + "/volumes.lock", LOCK_EX));
  const std::string data = volume_path(places, *volume);
  if (!TRY(is_mount_point(data))) return {};
  return in("volume " + name, kernel::umount2(data, MNT_DETACH | UMOUNT_NOFOLLOW));
}

}  // namespace skiff::compose
