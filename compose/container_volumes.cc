#include "compose/container_volumes.h"

#include <algorithm>

#include "compose/volume.h"
#include "compose/volume_parts.h"

namespace skiff::compose {
namespace {

class Maker {
 public:
  Maker(const Places &places, kernel::FdView rootfs, ContainerRecord &record)
      : places_(places), rootfs_(rootfs), record_(record) {}

  Status add(const Mount &mount);
  Status add_image_volumes(const spec::ImageDefaults &image);
  Status add_from(const std::string &word);
  [[nodiscard]] ContainerVolumes take() { return std::move(made_); }

 private:
  [[nodiscard]] bool has(const std::string &target) const {
    return std::ranges::any_of(made_.records, [&](const MountRecord &one) { return one.target == target; });
  }
  Status add_volume(const Mount &mount);
  Status add_source(MountRecord record);

  const Places &places_;
  kernel::FdView rootfs_;
  ContainerRecord &record_;
  ContainerVolumes made_;
};

Status Maker::add_source(MountRecord record) {
  const std::string path = TRY(volume_source(places_, record_.id, record, made_.records.size()));
  made_.paths.push_back({.target = record.target, .path = path, .read_only = record.read_only});
  made_.records.push_back(std::move(record));
  return {};
}

Status Maker::add_volume(const Mount &mount) {
  MountRecord record{.kind = Mount::Kind::volume,
                     .name = mount.source,
                     .source = {},
                     .target = mount.target,
                     .read_only = mount.read_only,
                     .anonymous = mount.source.empty()};
  if (record.anonymous) record.name = TRY(make_id());
  // Written down before it is made: whoever sweeps up after a SIGKILL knows of it.
  if (record.anonymous) {
    record_.mounts.push_back(record);
    TRY(save_record(places_, record_));
  }
  const MadeVolume volume =
      TRY(create_volume(places_, {.name = record.name, .driver = "local", .anonymous = record.anonymous}));
  // One that was another container's, which this one follows, goes with this one.
  if (!volume.made && volume.record.anonymous) record.anonymous = true;
  record.source = TRY(use_volume(places_, volume.record, mount, rootfs_));
  record.subpath = mount.subpath;
  return add_source(std::move(record));
}

Status Maker::add(const Mount &mount) {
  if (mount.kind == Mount::Kind::volume) return add_volume(mount);
  made_.records.push_back({.kind = mount.kind,
                           .name = {},
                           .source = mount.source,
                           .target = mount.target,
                           .read_only = mount.read_only,
                           .anonymous = false});
  return {};
}

Status Maker::add_image_volumes(const spec::ImageDefaults &image) {
  for (const auto &[target, nothing] : image.volumes) {
    if (has(target)) continue;
    Mount mount;
    mount.target = target;
    TRY(add_volume(mount));
  }
  return {};
}

// "NAME[:ro]" or "container:NAME[:ro]"
Status Maker::add_from(const std::string &word) {
  std::string name = word.starts_with("container:") ? word.substr(10) : word;
  const std::size_t colon = name.rfind(':');
  const bool read_only = colon != std::string::npos && name.substr(colon + 1) == "ro";
  if (colon != std::string::npos) name.resize(colon);
  const Container other = TRY(in("volumes_from", find_container(places_, name)));
  for (MountRecord mount : other.record.mounts) {
    if (mount.kind == Mount::Kind::tmpfs || has(mount.target)) continue;
    mount.read_only = mount.read_only || read_only;
    // It goes with the container that it was made for.
    mount.anonymous = false;
    TRY(add_source(std::move(mount)));
  }
  return {};
}

}  // namespace

Result<ContainerVolumes> make_container_volumes(const Places &places, const Service &service,
                                                const spec::ImageDefaults *image, kernel::FdView rootfs,
                                                ContainerRecord &record) {
  Maker maker(places, rootfs, record);
  for (const Mount &mount : service.mounts) TRY(in(mount.target, maker.add(mount)));
  for (const std::string &other : service.volumes_from) TRY(maker.add_from(other));
  if (image != nullptr) TRY(maker.add_image_volumes(*image));
  return maker.take();
}

}  // namespace skiff::compose
