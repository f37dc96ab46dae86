#include "compose/taken_ids.h"

#include <sys/file.h>

#include "compose/joined_namespaces.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {
namespace {

void append(const std::vector<spec::IdMapping> &mappings, std::vector<IdRange> &ranges) {
  for (const spec::IdMapping &one : mappings) ranges.push_back({.first = one.host_id, .size = one.size});
}

// Of those that are not ready yet as well.
Result<std::vector<IdRange>> find_taken(const Places &places) {
  std::vector<IdRange> taken;
  const kernel::Fd directory = TRY(kernel::open(places.containers(), O_RDONLY | O_DIRECTORY));
  for (const std::string &id : TRY(kernel::list_directory(directory))) {
    const Result<ContainerRecord> record = load_record(places, id);
    if (!record && record.error().number == ENOENT) continue;
    if (!record) return std::unexpected(record.error());
    if (!record->ids_are_reserved) continue;
    append(record->uid_mappings, taken);
    append(record->gid_mappings, taken);
  }
  return taken;
}

}  // namespace

Result<IdMaps> choose_id_maps(const Places &places, const Service &service, const HostFacts &host,
                              ContainerRecord &record) {
  const std::string shared = shared_with(service.userns_mode);
  const bool is_auto = service.userns_mode == "auto";
  kernel::Fd lock;
  std::vector<IdRange> taken;
  // Until it is written down that they are ours.
  if (is_auto) {
    lock = TRY(lock_file(places.data + "/ids.lock", LOCK_EX));
    taken = TRY(find_taken(places));
  }
  IdMaps maps = TRY(make_id_maps(service, host, taken));
  record.ids_are_reserved = is_auto || !service.uid_maps.empty() || !service.gid_maps.empty();
  if (!shared.empty()) {
    const ContainerRecord other = TRY(in("userns_mode", find_container(places, shared))).record;
    maps = {.uids = other.uid_mappings, .gids = other.gid_mappings};
    // Its files keep these ids when the other one is gone.
    record.ids_are_reserved = other.ids_are_reserved;
  }
  record.uid_mappings = maps.uids;
  record.gid_mappings = maps.gids;
  if (record.ids_are_reserved) TRY(save_record(places, record));
  return maps;
}

}  // namespace skiff::compose
