// Ids: those of the configuration against the user namespace's mappings, the mappings against what the host grants.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "runtime/cgroup_file.h"
#include "runtime/host_check_parts.h"
#include "runtime/kernel/path.h"

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

std::string host_ids(const spec::IdMapping &mapping) {
  if (mapping.size == 1) return fmt::format("host id {} is", mapping.host_id);
  return fmt::format("host ids {} to {} are", mapping.host_id, std::uint64_t{mapping.host_id} + mapping.size - 1);
}

// A mapping that is the container's in part only is common; one that shares no id with it shows nobody's files.
void check_mount_mapping(HostChecker &c, std::size_t mount, const char *field,
                         const std::vector<spec::IdMapping> &mappings, const std::vector<spec::IdMapping> &container) {
  if (container.empty()) return;
  for (std::size_t i = 0; i < mappings.size(); ++i) {
    if (std::ranges::any_of(container, [&](const auto &each) { return overlaps_on_host(mappings[i], each); })) continue;
    c.add(at("mounts", mount, field, i),
          fmt::format("{} not mapped in the user namespace: every file would be nobody's", host_ids(mappings[i])),
          fmt::format("map to host ids that linux.{} has", field));
  }
}

// ---- outside: host ids ----

struct HostUser {
  std::uint32_t uid = 0;
  std::string name;  // empty where /etc/passwd has none
};

HostUser read_user(std::uint32_t uid) {
  HostUser user{.uid = uid, .name = {}};
  const Result<std::string> passwd = read_host_file("/etc/passwd");
  if (!passwd) return user;
  std::string_view text = *passwd;
  while (const std::optional<std::string_view> line = next_line(text)) {
    const std::size_t name = line->find(':');
    const std::size_t password = line->find(':', name == std::string_view::npos ? name : name + 1);
    if (password == std::string_view::npos) continue;
    const std::string_view rest = line->substr(password + 1);
    if (parse_cgroup_number(rest.substr(0, rest.find(':'))) != uid) continue;
    user.name = line->substr(0, name);
    break;
  }
  return user;
}

struct Grant {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

// subuid(5): "name:100000:65536", or the uid in the name's place.
std::vector<Grant> read_grants(kernel::CString file, const HostUser &user) {
  std::vector<Grant> out;
  const Result<std::string> text = read_host_file(file);
  if (!text) return out;
  std::string_view rest = *text;
  while (const std::optional<std::string_view> line = next_line(rest)) {
    const std::size_t first = line->find(':');
    const std::size_t second = line->rfind(':');
    if (first == std::string_view::npos || second == first) continue;
    const std::string_view owner = line->substr(0, first);
    const bool own = (!user.name.empty() && owner == user.name) || owner == std::to_string(user.uid);
    const auto start = parse_cgroup_number(line->substr(first + 1, second - first - 1));
    const auto count = parse_cgroup_number(line->substr(second + 1));
    if (own && start && count) out.push_back({*start, *count});
  }
  return out;
}

// Entries that follow one another grant what lies across their border.
bool is_granted(const spec::IdMapping &mapping, const std::vector<Grant> &grants) {
  std::uint64_t next = mapping.host_id;
  const std::uint64_t end = next + mapping.size;
  while (next < end) {
    const auto grant = std::ranges::find_if(
        grants, [&](const Grant &each) { return next >= each.first && next - each.first < each.count; });
    if (grant == grants.end()) return false;
    next = grant->first + grant->count;
  }
  return true;
}

// login.defs(5), SUB_UID_MIN and SUB_GID_MIN: those below belong to the host's own users, and are nobody's to grant.
constexpr std::uint32_t first_subordinate = 100000;

struct Side {
  const char *field;    // uidMappings
  const char *program;  // newuidmap
  const char *file;     // /etc/subuid
  std::uint32_t own_id;
};

bool is_installed(std::string_view program) {
  constexpr std::array<std::string_view, 3> directories = {"/usr/bin", "/bin", "/usr/local/bin"};
  return std::ranges::any_of(directories, [&](std::string_view directory) {
    return kernel::fstatat(kernel::cwd, fmt::format("{}/{}", directory, program)).has_value();
  });
}

void check_side(HostChecker &c, const Side &side, const std::vector<spec::IdMapping> &mappings, const HostUser &user) {
  const auto is_own = [&](const spec::IdMapping &mapping) {
    return mapping.host_id == side.own_id && mapping.size == 1;
  };
  if (mappings.size() == 1 && is_own(mappings.front())) return;  // the kernel lets everybody map himself
  if (!is_installed(side.program)) {
    c.add(at("linux", side.field), fmt::format("{} is not installed, which writes such a mapping", side.program),
          "install the package uidmap, or map your own id alone");
  }
  const std::vector<Grant> grants = read_grants(side.file, user);
  for (std::size_t i = 0; i < mappings.size(); ++i) {
    const spec::IdMapping &mapping = mappings[i];
    if (mapping.size == 0 || is_own(mapping) || is_granted(mapping, grants)) continue;
    const std::string name = user.name.empty() ? std::to_string(user.uid) : user.name;
    c.add(at("linux", side.field, i), fmt::format("{} not granted to {} in {}", host_ids(mapping), name, side.file),
          mapping.host_id < first_subordinate
              ? fmt::format("map to your own id, {}, or to ids that are granted there", side.own_id)
              : fmt::format("add the line {}:{}:{} there, or map to ids that it grants", name, mapping.host_id,
                            mapping.size));
  }
}

// nsswitch.conf(5), "subid": the ids may come from a directory service, which a static program cannot ask.
bool has_other_source() {
  const Result<std::string> text = read_host_file("/etc/nsswitch.conf");
  if (!text) return false;
  std::string_view rest = *text;
  while (std::optional<std::string_view> line = next_line(rest)) {
    if (!line->starts_with("subid:")) continue;
    line->remove_prefix(std::min(line->find_first_not_of(" \t", 6), line->size()));
    return *line != "files";
  }
  return false;
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
  if (has_other_source()) return c.note("/etc/nsswitch.conf: who is granted which ids is kept elsewhere than in files");
  c.clause("newuidmap(1)");
  const HostUser user = read_user(c.host().uid);
  check_side(c, {"uidMappings", "newuidmap", "/etc/subuid", c.host().uid}, linux_.uid_mappings, user);
  check_side(c, {"gidMappings", "newgidmap", "/etc/subgid", c.host().gid}, linux_.gid_mappings, user);
}

}  // namespace skiff
