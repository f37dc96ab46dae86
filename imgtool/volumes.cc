#include "imgtool/volumes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "imgtool/digest.h"
#include "runtime/kernel/path.h"
#include "spec/names.h"
#include "spec/path.h"

namespace skiff::image {
namespace {

// Where the configuration's own mounts are: a tmpfs over /proc would take the masks of it away.
constexpr std::array<std::string_view, 3> taken = {"/proc", "/sys", "/dev"};

bool is_taken(const std::string &path) {
  return path == "/" || std::ranges::any_of(taken, [&](std::string_view place) {
           return path == place || path.starts_with(std::string(place) + "/");
         });
}

// A host's id as the container sees it, where the root filesystem was shifted.
std::uint32_t to_container(const std::vector<spec::IdMapping> &mappings, std::uint32_t id) {
  for (const spec::IdMapping &each : mappings) {
    if (id >= each.host_id && id - each.host_id < each.size) return id - each.host_id + each.container_id;
  }
  return 0;
}

std::uint32_t to_host(const std::vector<spec::IdMapping> &mappings, std::uint32_t id) {
  for (const spec::IdMapping &each : mappings) {
    if (id >= each.container_id && id - each.container_id < each.size) return id - each.container_id + each.host_id;
  }
  return id;
}

// Owner and mode of the image's directory, as the container sees them.
struct Owner {
  mode_t mode = 0755;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

Result<Owner> owner_of(const std::string &path, kernel::FdView rootfs, const RuntimeOptions &options) {
  const Result<kernel::Fd> found = kernel::find_in_root(rootfs, path, O_PATH | O_DIRECTORY);
  if (!found || !found->valid()) return Owner{};  // the runtime makes it
  const struct stat status = TRY(kernel::fstat(*found));
  Owner owner{.mode = status.st_mode & 01777U, .uid = status.st_uid, .gid = status.st_gid};
  if (options.rootless && options.uid_mappings.empty()) return Owner{.mode = owner.mode};
  if (options.shifted_rootfs) {
    owner.uid = to_container(options.uid_mappings, owner.uid);
    owner.gid = to_container(options.gid_mappings, owner.gid);
  }
  return owner;
}

spec::Mount make_mount(const std::string &destination, std::string type, std::string source,
                       std::vector<std::string> options) {
  spec::Mount mount;
  mount.destination = destination;
  mount.type = std::move(type);
  mount.source = std::move(source);
  mount.options = std::move(options);
  return mount;
}

void add_tmpfs(RuntimeConfig &out, const std::string &path, const Owner &owner) {
  std::vector<std::string> options = {"nosuid", "nodev", fmt::format("mode={:o}", owner.mode)};
  if (owner.uid != 0) options.push_back(fmt::format("uid={}", owner.uid));
  if (owner.gid != 0) options.push_back(fmt::format("gid={}", owner.gid));
  out.config.mounts.push_back(make_mount(path, "tmpfs", "tmpfs", std::move(options)));
}

// The directory's name says nothing of the path: that is the image's, and no part of the host's.
void add_bind(RuntimeConfig &out, const std::string &path, const Owner &owner, const RuntimeOptions &options) {
  const std::string source = fmt::format("{}/{}", options.volume_directory, digest_of(path).short_hex());
  out.config.mounts.push_back(make_mount(path, "none", source, {"rbind", "nosuid", "nodev", "rprivate"}));
  out.volumes.push_back({.source = source,
                         .destination = path,
                         .mode = owner.mode,
                         .uid = to_host(options.uid_mappings, owner.uid),
                         .gid = to_host(options.gid_mappings, owner.gid)});
}

Status make_volume(kernel::FdView bundle, const BindVolume &volume) {
  const kernel::Place place = TRY(kernel::make_parent_in_root(bundle, volume.source, 0755));
  const Status made = kernel::mkdirat(place.parent, place.name, 0700);
  if (!made && made.error().number == EEXIST) return {};
  TRY(Status(made));
  const kernel::Fd directory = TRY(kernel::openat(place.parent, place.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  const Status owned = kernel::fchownat(directory, "", volume.uid, volume.gid, AT_EMPTY_PATH);
  if (!owned && owned.error().number != EPERM) return owned;
  return kernel::fchmod(directory, volume.mode);
}

}  // namespace

Status add_volumes(RuntimeConfig &out, const spec::ImageConfig &image, kernel::FdView rootfs,
                   const RuntimeOptions &options) {
  if (options.volumes == VolumeStyle::none) return {};
  std::set<std::string> paths;  // a parent comes before what is in it
  for (const auto &[volume, nothing] : image.config.volumes) {
    std::string path = spec::clean_path(volume);
    if (!is_taken(path)) {
      paths.insert(std::move(path));
    } else {
      out.warnings.push_back(fmt::format("volume {}: {} is no place for one; left out", spec::quote(volume), path));
    }
  }
  for (const std::string &path : paths) {
    const Owner owner = TRY(owner_of(path, rootfs, options));
    if (options.volumes == VolumeStyle::tmpfs) {
      add_tmpfs(out, path, owner);
    } else {
      add_bind(out, path, owner, options);
    }
  }
  return {};
}

Status make_volumes(kernel::FdView bundle, const std::vector<BindVolume> &volumes) {
  for (const BindVolume &volume : volumes) {
    TRY(in(fmt::format("volume {}", volume.destination), make_volume(bundle, volume)));
  }
  return {};
}

}  // namespace skiff::image
