#include "compose/half_made.h"

#include <sys/file.h>

#include "compose/granted_ids.h"
#include "compose/patient_lock.h"
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
  return remove_container_tree(run, id);
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
  TRY(remove_container_tree(containers, record.id));
  TRY(remove_sockets(places, record.id));
  TRY(release_name(places, record.name, record.id));
  return unmark_half_made(places, record.id);
}

}  // namespace

Status erase(const Places &places, const ContainerRecord &record, bool volumes) {
  const kernel::Fd mark = TRY(mark_half_made(places, record.id));
  return erase_marked(places, record, volumes);
}

namespace {

// Of one that was killed between taking its name and writing it down.
Result<std::string> find_name(const Places &places, const std::string &id) {
  const kernel::Fd names = TRY(kernel::open(places.names(), O_RDONLY | O_DIRECTORY));
  for (const std::string &name : TRY(kernel::list_directory(names))) {
    const Result<std::string> holder = kernel::readlinkat(names, name);
    if (holder && *holder == id) return name;
  }
  return std::string();
}

// Invalid: somebody is at it.
Status sweep_one(const Places &places, const std::string &id, const kernel::Fd &mark) {
  if (!mark.valid() || TRY(kernel::fstat(mark)).st_nlink == 0) return {};
  Result<ContainerRecord> record = load_record(places, id);
  if (record && record->ready) return unmark_half_made(places, id);
  if (!record) {
    record = ContainerRecord();
    record->id = id;
    record->name = TRY(find_name(places, id));
  }
  // Not let go of before: its maker may wait for the mark that it has just written.
  return erase_marked(places, *record, true);
}

Result<std::vector<std::string>> list_half_made(const Places &places) {
  return kernel::list_directory(TRY(kernel::open(places.half_made(), O_RDONLY | O_DIRECTORY)));
}

}  // namespace

Status sweep_half_made(const Places &places) {
  for (const std::string &id : TRY(list_half_made(places))) {
    TRY(sweep_one(places, id, TRY(lock_file(marker(places, id), LOCK_EX | LOCK_NB))));
  }
  return {};
}

Status sweep_half_made_of(const Places &places, const std::string &project) {
  TRY(sweep_half_made(places));
  for (const std::string &id : TRY(list_half_made(places))) {
    // Whose it is may not be written down yet.
    const Result<ContainerRecord> record = load_record(places, id);
    if (record && record->project != project) continue;
    TRY(sweep_one(places, id, TRY(lock_patiently(marker(places, id)))));
  }
  return {};
}

Result<bool> sweep_name(const Places &places, const std::string &name) {
  const Result<std::string> id = kernel::readlinkat(kernel::cwd, places.names() + "/" + name);
  if (!id) return id.error().number == ENOENT;
  if (!kernel::faccessat(kernel::cwd, marker(places, *id), F_OK)) return false;
  const kernel::Fd mark = TRY(lock_patiently(marker(places, *id)));
  TRY(sweep_one(places, *id, mark));
  return mark.valid();
}

}  // namespace skiff::compose
