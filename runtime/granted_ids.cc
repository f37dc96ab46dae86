#include "runtime/granted_ids.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/cgroup_file.h"
#include "runtime/host_check_parts.h"
#include "runtime/kernel/path.h"

namespace skiff {
namespace {

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

}  // namespace

HostUser read_host_user(std::uint32_t uid) {
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

std::vector<MapRefusal> find_map_refusals(const IdSide &side, const std::vector<spec::IdMapping> &mappings,
                                          const HostUser &user, std::uint32_t own_id) {
  std::vector<MapRefusal> out;
  if (is_own_id_alone(mappings, own_id)) return out;
  if (find_mapper(side.program).empty()) {
    out.push_back({.mapping = {},
                   .text = fmt::format("{} is not installed, which writes such a mapping", side.program),
                   .remedy = "install the package uidmap, or map your own id alone"});
  }
  const std::vector<Grant> grants = read_grants(side.file, user);
  const std::string name = user.name.empty() ? std::to_string(user.uid) : user.name;
  for (std::size_t i = 0; i < mappings.size(); ++i) {
    const spec::IdMapping &mapping = mappings[i];
    const bool own = mapping.host_id == own_id && mapping.size == 1;
    if (mapping.size == 0 || own || is_granted(mapping, grants)) continue;
    out.push_back({.mapping = i,
                   .text = fmt::format("{} not granted to {} in {}", describe_host_ids(mapping), name, side.file),
                   .remedy = mapping.host_id < first_subordinate
                                 ? fmt::format("map to your own id, {}, or to ids that are granted there", own_id)
                                 : fmt::format("add the line {}:{}:{} there, or map to ids that it grants", name,
                                               mapping.host_id, mapping.size)});
  }
  return out;
}

bool grants_are_elsewhere() {
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

bool is_own_id_alone(const std::vector<spec::IdMapping> &mappings, std::uint32_t own_id) {
  return mappings.size() == 1 && mappings.front().host_id == own_id && mappings.front().size == 1;
}

std::string describe_host_ids(const spec::IdMapping &mapping) {
  if (mapping.size == 1) return fmt::format("host id {} is", mapping.host_id);
  return fmt::format("host ids {} to {} are", mapping.host_id, std::uint64_t{mapping.host_id} + mapping.size - 1);
}

std::string find_mapper(const char *program) {
  const char *path = ::getenv("PATH");
  std::string all = fmt::format("{}:/usr/bin:/bin:/usr/local/bin", path == nullptr ? "" : path);
  std::string_view rest = all;
  while (!rest.empty()) {
    const std::size_t end = rest.find(':');
    const std::string file = fmt::format("{}/{}", rest.substr(0, end), program);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (file.starts_with('/') && kernel::faccessat(kernel::cwd, file, X_OK)) return file;
  }
  return {};
}

}  // namespace skiff
