#include "compose/half_made.h"

#include <sys/file.h>

#include "compose/rootfs_mount.h"
#include "compose/shared_memory.h"
#include "compose/volume.h"
#include "compose/volume_parts.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {
namespace {

std::string marker(const Places &places, const std::string &id) { return places.half_made() + "/" + id; }

}  // namespace

Result<kernel::Fd> mark_half_made(const Places &places, const std::string &id) {
  while (true) {
    kernel::Fd mark = TRY(lock_file(marker(places, id), LOCK_EX));
    // Swept away between the open and the lock.
    if (TRY(kernel::fstat(mark)).st_nlink != 0) return mark;
  }
}

Status unmark_half_made(const Places &places, const std::string &id) {
  return kernel::unlinkat(kernel::cwd, marker(places, id));
}

Status remove_sockets(const Places &places, const std::string &id) {
  const kernel::Fd run = TRY(kernel::open(places.run, O_RDONLY | O_DIRECTORY));
  return kernel::remove_tree_at(run, id);
}

namespace {

// With the mark held. In an order that sweep_half_made can take up anywhere: the name and the marker last.
Status erase_marked(const Places &places, const ContainerRecord &record, bool volumes) {
  if (record.ready) {
    ContainerRecord going = record;
    going.ready = false;
    TRY(save_record(places, going));
  }
  TRY(unmount_rootfs(places, record));
  TRY(unmount_shared_memory(places, record));
  TRY(unmount_parts(places, record));
  if (volumes) {
    for (const MountRecord &mount : record.mounts) {
      if (mount.anonymous) TRY(remove_volume(places, mount.name));
    }
  }
  const kernel::Fd containers = TRY(kernel::open(places.containers(), O_RDONLY | O_DIRECTORY));
  TRY(kernel::remove_tree_at(containers, record.id));
  TRY(remove_sockets(places, record.id));
  TRY(release_name(places, record.name, record.id));
  return unmark_half_made(places, record.id);
}

}  // namespace

Status erase(const Places &places, const ContainerRecord &record, bool volumes) {
  const kernel::Fd mark = TRY(mark_half_made(places, record.id));
  return erase_marked(places, record, volumes);
}

Status sweep_half_made(const Places &places) {
  const kernel::Fd directory = TRY(kernel::open(places.half_made(), O_RDONLY | O_DIRECTORY));
  for (const std::string &id : TRY(kernel::list_directory(directory))) {
    const kernel::Fd mark = TRY(lock_file(marker(places, id), LOCK_EX | LOCK_NB));
    // Somebody is at it.
    if (!mark.valid() || TRY(kernel::fstat(mark)).st_nlink == 0) continue;
    Result<ContainerRecord> record = load_record(places, id);
    if (record && record->ready) {
      TRY(unmark_half_made(places, id));
      continue;
    }
    if (!record) {
      record = ContainerRecord();
      record->id = id;
    }
    // Not let go of before: its maker may wait for the mark that it has just written.
    TRY(erase_marked(places, *record, true));
  }
  return {};
}

}  // namespace skiff::compose
