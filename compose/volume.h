// Named volumes: directories of the host that outlive containers. DATA/volumes/NAME/record.json makes one; its files
// are in DATA/volumes/NAME/_data, or where the options of the local driver say.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compose/project.h"
#include "compose/state.h"
#include "runtime/kernel/fd.h"
#include "spec/error.h"

namespace skiff::compose {

struct VolumeRecord {
  std::string name = {};
  std::string created = {};                         // time_text
  std::string driver = {};                          // local, or empty for it
  std::map<std::string, std::string> options = {};  // type, o and device of the local driver
  Labels labels = {};
  bool anonymous = false;  // made for one container, and removed with it
};

// Its directory for the containers, what `inspect` calls the mountpoint. Of a bind (`o=bind`) it is the device.
[[nodiscard]] std::string volume_path(const Places &places, const std::string &name);
[[nodiscard]] std::string volume_path(const Places &places, const VolumeRecord &volume);

struct MadeVolume {
  VolumeRecord record = {};
  bool made = false;
};
// One that is there already is no error; `made` tells. An option that the local driver lacks is one.
[[nodiscard]] Result<MadeVolume> create_volume(const Places &places, const VolumeRecord &wanted);
// ENOENT without one.
[[nodiscard]] Result<VolumeRecord> find_volume(const Places &places, const std::string &name);
// By name.
[[nodiscard]] Result<std::vector<VolumeRecord>> list_volumes(const Places &places);
// The names of the containers whose records name it, running or not.
[[nodiscard]] Result<std::vector<std::string>> users_of_volume(const Places &places, const std::string &name);
// One that is not there is no error. Whether containers use it the caller has asked.
[[nodiscard]] Status remove_volume(const Places &places, const std::string &name);
// What a command that was killed while it made or removed one has left.
[[nodiscard]] Status sweep_volumes(const Places &places);

// The directory to bind into a container. A device is mounted
// first. An empty volume gets what the image has at mount.target below `rootfs`, unless mount.no_copy says otherwise or
// `rootfs` is none; a command that is killed meanwhile leaves it empty.
[[nodiscard]] Result<std::string> use_volume(const Places &places, const VolumeRecord &volume, const Mount &mount,
                                             kernel::FdView rootfs);
// Mounts its device where it is not mounted, before a container is started that has been made already.
[[nodiscard]] Status mount_volume(const Places &places, const std::string &name);
// Unmounts its device where no running container but `container` uses it: after that container's end. One without a
// device, or a name that is no volume's, is no error.
[[nodiscard]] Status release_volume(const Places &places, const std::string &name, const std::string &container);

}  // namespace skiff::compose
