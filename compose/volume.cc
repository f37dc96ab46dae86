#include "compose/volume.h"

#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>

#include "compose/container.h"
#include "compose/copy_tree.h"
#include "compose/granted_ids.h"
#include "compose/record_fields.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {

void fields(auto &v, spec::Like<VolumeRecord> auto &volume) {
  v.required("name", volume.name);
  v.optional("created", volume.created);
  v.optional("driver", volume.driver);
  v.free_text("options", volume.options);
  v.free_text("labels", volume.labels);
  v.optional("anonymous", volume.anonymous);
}

namespace {

std::string volumes_directory(const Places &places) { return places.data + "/volumes"; }

std::string directory_of(const Places &places, const std::string &name) {
  return fmt::format("{}/{}", volumes_directory(places), name);
}

std::string record_path(const Places &places, const std::string &name) {
  return directory_of(places, name) + "/record.json";
}

Status check_volume_name(const std::string &name) {
  return remedy("letters, digits, '_', '.' and '-'; the path of a directory begins with / or .",
                in("volume", check_name(name)));
}

Status check_driver(const VolumeRecord &volume) {
  if (!volume.driver.empty() && volume.driver != "local") {
    return fail(fmt::format("volume {}: there is no driver {}", volume.name, volume.driver), "local is what there is");
  }
  for (const auto &[name, value] : volume.options) {
    if (name == "type" || name == "o" || name == "device") continue;
    return fail(fmt::format("volume {}: the local driver has no option {}", volume.name, name),
                "it has type, o and device");
  }
  if (!volume.options.empty() && !volume.options.contains("device")) {
    return fail(fmt::format("volume {}: the local driver wants a device", volume.name),
                "add device; for a tmpfs device=tmpfs and type=tmpfs");
  }
  return {};
}

Status make_directories(const Places &places, const std::string &name) {
  const std::string directory = directory_of(places, name);
  TRY(kernel::make_directory(kernel::cwd, directory, 0711));
  return kernel::make_directory(kernel::cwd, directory + "/_data", 0755);
}

}  // namespace

std::string volume_path(const Places &places, const VolumeRecord &volume) {
  const auto options = volume.options.find("o");
  const std::string words = options == volume.options.end() ? "" : "," + options->second + ",";
  if (words.contains(",bind,") || words.contains(",rbind,")) return volume.options.at("device");
  return directory_of(places, volume.name) + "/_data";
}

std::string volume_path(const Places &places, const std::string &name) {
  const Result<VolumeRecord> volume = find_volume(places, name);
  return volume ? volume_path(places, *volume) : directory_of(places, name) + "/_data";
}

Result<MadeVolume> create_volume(const Places &places, const VolumeRecord &wanted) {
  TRY(check_volume_name(wanted.name));
  TRY(check_driver(wanted));
  TRY(kernel::make_parents(volumes_directory(places) + "/", 0711));
  const kernel::Fd lock = TRY(lock_file(places.data + "/volumes.lock", LOCK_EX));
  Result<VolumeRecord> present = find_volume(places, wanted.name);
  if (present) return MadeVolume{.record = std::move(*present), .made = false};
  if (present.error().number != ENOENT) return std::unexpected(present.error());
  MadeVolume made{.record = wanted, .made = true};
  made.record.created = time_now();
  TRY(make_directories(places, wanted.name));
  // The last: until then there is no volume.
  TRY(replace_file(record_path(places, wanted.name), spec::Writer("  ").document(made.record) + "\n"));
  return made;
}

Result<VolumeRecord> find_volume(const Places &places, const std::string &name) {
  TRY(check_volume_name(name));
  const std::string path = record_path(places, name);
  const std::string text = TRY(read_if_there(path));
  if (text.empty())
    return fail(ENOENT, fmt::format("volume {}", name), "skiff-compose volume ls shows those there are");
  return parse_document<VolumeRecord>(path, text);
}

Result<std::vector<VolumeRecord>> list_volumes(const Places &places) {
  std::vector<VolumeRecord> volumes;
  const kernel::Fd directory = TRY(kernel::find_at(kernel::cwd, volumes_directory(places), O_RDONLY | O_DIRECTORY));
  if (!directory.valid()) return volumes;
  std::vector<std::string> names = TRY(kernel::list_directory(directory));
  std::ranges::sort(names);
  for (const std::string &name : names) {
    Result<VolumeRecord> volume = find_volume(places, name);
    if (volume) volumes.push_back(std::move(*volume));
    // Half made, half removed.
    if (!volume && volume.error().number != ENOENT) return std::unexpected(volume.error());
  }
  return volumes;
}

Result<std::vector<std::string>> users_of_volume(const Places &places, const std::string &name) {
  std::vector<std::string> users;
  for (const Container &container : TRY(list_containers(places))) {
    if (std::ranges::any_of(container.record.mounts, [&](const MountRecord &one) { return one.name == name; })) {
      users.push_back(container.record.name);
    }
  }
  return users;
}

Status remove_volume(const Places &places, const std::string &name) {
  TRY(check_volume_name(name));
  TRY(release_volume(places, name, ""));
  const kernel::Fd lock = TRY(lock_file(places.data + "/volumes.lock", LOCK_EX));
  const kernel::Fd all = TRY(kernel::find_at(kernel::cwd, volumes_directory(places), O_RDONLY | O_DIRECTORY));
  if (!all.valid()) return {};
  const Status forgotten = kernel::unlinkat(kernel::cwd, record_path(places, name));
  if (!forgotten && forgotten.error().number != ENOENT) return forgotten;
  return remove_container_tree(all, name);
}

// Whoever makes or removes one has the lock: under it a directory without a record is nobody's.
Status sweep_volumes(const Places &places) {
  const kernel::Fd lock = TRY(lock_file(places.data + "/volumes.lock", LOCK_EX));
  const kernel::Fd all = TRY(kernel::find_at(kernel::cwd, volumes_directory(places), O_RDONLY | O_DIRECTORY));
  if (!all.valid()) return {};
  for (const std::string &name : TRY(kernel::list_directory(all))) {
    if (!kernel::faccessat(kernel::cwd, record_path(places, name), F_OK)) TRY(remove_container_tree(all, name));
  }
  return {};
}

}  // namespace skiff::compose
