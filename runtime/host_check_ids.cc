// Ids: those of the configuration against the user namespace's mappings, the mappings against what the host grants.
#include <fmt/format.h>

#include <algorithm>

#include "runtime/granted_ids.h"
#include "runtime/host_check_parts.h"

namespace skiff {
namespace {

// ---- inside: container ids ----

enum class IdKind { user, group };

struct Maps {
  const std::vector<spec::IdMapping> &uids;
  const std::vector<spec::IdMapping> &gids;
};

void check_id(HostChecker &c, std::string pointer, IdKind kind, std::uint32_t id, const Maps &maps) {
  const bool user = kind == IdKind::user;
  const auto &mappings = user ? maps.uids : maps.gids;
  if (mappings.empty() || find_mapping(id, mappings) != nullptr) return;
  c.add(std::move(pointer), fmt::format("{} {} is not mapped in the user namespace", user ? "uid" : "gid", id),
        fmt::format("map it in linux.{}, or use an id that is", user ? "uidMappings" : "gidMappings"));
}

void check_user(HostChecker &c, const spec::User &user, const Maps &maps) {
  c.clause("config.md, POSIX-platform User");
  check_id(c, at("process", "user", "uid"), IdKind::user, user.uid, maps);
  check_id(c, at("process", "user", "gid"), IdKind::group, user.gid, maps);
  for (std::size_t i = 0; i < user.additional_gids.size(); ++i) {
    check_id(c, at("process", "user", "additionalGids", i), IdKind::group, user.additional_gids[i], maps);
  }
}

void check_device_owners(HostChecker &c, const Maps &maps) {
  c.clause("config-linux.md, Devices");
  const std::vector<spec::Device> &devices = c.config().linux_.devices;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    if (devices[i].uid) check_id(c, at("linux", "devices", i, "uid"), IdKind::user, *devices[i].uid, maps);
    if (devices[i].gid) check_id(c, at("linux", "devices", i, "gid"), IdKind::group, *devices[i].gid, maps);
  }
}

bool overlaps_on_host(const spec::IdMapping &one, const spec::IdMapping &other) {
  return one.host_id < std::uint64_t{other.host_id} + other.size &&
         other.host_id < std::uint64_t{one.host_id} + one.size;
}

// A mapping that is the container's in part only is common; one that shares no id with it shows nobody's files.
void check_mount_mapping(HostChecker &c, std::size_t mount, const char *field,
                         const std::vector<spec::IdMapping> &mappings, const std::vector<spec::IdMapping> &container) {
  if (container.empty()) return;
  for (std::size_t i = 0; i < mappings.size(); ++i) {
    if (std::ranges::any_of(container, [&](const auto &each) { return overlaps_on_host(mappings[i], each); })) continue;
    c.add(at("mounts", mount, field, i),
          fmt::format("{} not mapped in the user namespace: every file would be nobody's",
                      describe_host_ids(mappings[i])),
          fmt::format("map to host ids that linux.{} has", field));
  }
}

// ---- outside: host ids ----

void check_side(HostChecker &c, const IdSide &side, const std::vector<spec::IdMapping> &mappings, const HostUser &user,
                std::uint32_t own_id) {
  for (const MapRefusal &refusal : find_map_refusals(side, mappings, user, own_id)) {
    c.add(refusal.mapping ? at("linux", side.field, *refusal.mapping) : at("linux", side.field), refusal.text,
          refusal.remedy);
  }
}

}  // namespace

void check_mapped_ids(HostChecker &c) {
  const spec::Linux &linux_ = c.config().linux_;
  if (new_user_namespace(linux_) == nullptr) return;
  const Maps maps{.uids = linux_.uid_mappings, .gids = linux_.gid_mappings};
  if (c.config().process) check_user(c, c.config().process->user, maps);
  check_device_owners(c, maps);
  c.clause("config.md, POSIX-platform Mounts");
  for (std::size_t i = 0; i < c.config().mounts.size(); ++i) {
    const spec::Mount &mount = c.config().mounts[i];
    check_mount_mapping(c, i, "uidMappings", mount.uid_mappings, maps.uids);
    check_mount_mapping(c, i, "gidMappings", mount.gid_mappings, maps.gids);
  }
}

void check_granted_ids(HostChecker &c) {
  const spec::Linux &linux_ = c.config().linux_;
  if (c.host().privileged || new_user_namespace(linux_) == nullptr) return;
  if (grants_are_elsewhere()) {
    return c.note("/etc/nsswitch.conf: who is granted which ids is kept elsewhere than in files");
  }
  c.clause("newuidmap(1)");
  const HostUser user = read_host_user(c.host().uid);
  check_side(c, uid_side, linux_.uid_mappings, user, c.host().uid);
  check_side(c, gid_side, linux_.gid_mappings, user, c.host().gid);
}

}  // namespace skiff
