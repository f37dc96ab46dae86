#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "spec/check.h"

namespace skiff::spec {

namespace {

constexpr std::array<std::string_view, 2> clock_names = {"boottime", "monotonic"};
constexpr std::size_t longest_host_name = 64;  // __NEW_UTS_LEN

std::string add_namespace(NamespaceType type) {
  return fmt::format(R"(add {{"type": "{}"}} to linux.namespaces)",
                     namespace_type_names[static_cast<std::size_t>(type)]);
}

// The field acts inside a namespace of that type: without one it would change the host.
void needs(Checker &c, const Place &place, bool given, const Linux &linux_, NamespaceType type) {
  if (!given || linux_.find(type) != nullptr) return;
  const std::string_view name = namespace_type_names[static_cast<std::size_t>(type)];
  c.add(place, fmt::format("is given without a {} namespace, and would change the host's", name), add_namespace(type));
}

void check_list(Checker &c, const Place &at, const std::vector<Namespace> &namespaces) {
  c.clause("config-linux.md, Namespaces");
  std::array<bool, namespace_type_names.size()> seen{};
  for (std::size_t i = 0; i < namespaces.size(); ++i) {
    const Namespace &entry = namespaces[i];
    const Place here = at / i;
    if (!entry.path.empty()) c.absolute(here / "path", entry.path);
    // What could not be read stands here as the default type.
    if (c.doubtful(here / "type")) continue;
    bool &before = seen[static_cast<std::size_t>(entry.type)];
    if (before) {
      c.add(here / "type", fmt::format("{} is given twice", namespace_type_names[static_cast<std::size_t>(entry.type)]),
            "keep one of the two");
    }
    before = true;
  }
}

void check_user_mappings(Checker &c, const Place &at, const Linux &linux_) {
  c.clause("config-linux.md, User namespace mappings");
  check_id_mappings(c, at / "uidMappings", linux_.uid_mappings);
  check_id_mappings(c, at / "gidMappings", linux_.gid_mappings);
  const Namespace *user = linux_.find(NamespaceType::user);
  if (user == nullptr) {
    needs(c, at / "uidMappings", !linux_.uid_mappings.empty(), linux_, NamespaceType::user);
    needs(c, at / "gidMappings", !linux_.gid_mappings.empty(), linux_, NamespaceType::user);
    return;
  }
  // Mappings beside a namespace that is joined are for whoever knows that namespace: callers give both.
  if (!user->path.empty()) return;
  const std::string remedy = R"(add [{"containerID": 0, "hostID": ..., "size": ...}])";
  if (linux_.uid_mappings.empty()) c.add(at / "uidMappings", "is required by a new user namespace", remedy);
  if (linux_.gid_mappings.empty()) c.add(at / "gidMappings", "is required by a new user namespace", remedy);
}

void check_time_offsets(Checker &c, const Place &at, const Linux &linux_) {
  c.clause("config-linux.md, Offset for Time Namespace");
  needs(c, at, !linux_.time_offsets.empty(), linux_, NamespaceType::time);
  const Namespace *time = linux_.find(NamespaceType::time);
  if (time != nullptr && !time->path.empty() && !linux_.time_offsets.empty()) {
    c.add(at, "is given beside a time namespace to join, whose clocks can no longer be set",
          "leave out one of the two");
  }
}

void check_clocks(Checker &c, const Place &at, const Linux &linux_) {
  c.clause("config-linux.md, Offset for Time Namespace");
  for (const auto &[clock, offset] : linux_.time_offsets) {
    const Place here = at / clock;
    if (c.known(here, clock, clock_names)) c.in_range(here / "nanosecs", offset.nanosecs, 0, 999'999'999, "use secs");
  }
}

void check_host_name(Checker &c, const Place &place, std::string_view name, std::string_view clause,
                     const Linux &linux_, bool namespaces_read) {
  c.clause(clause);
  if (name.size() > longest_host_name) {
    c.add(place, fmt::format("{} characters are more than the kernel's {}", name.size(), longest_host_name),
          "shorten it");
  }
  if (namespaces_read) needs(c, place, !name.empty(), linux_, NamespaceType::uts);
}

void check_mount_users(Checker &c, const Place &at, const Config &config) {
  const Linux &linux_ = config.linux_;
  c.clause("config.md, Mounts");
  // Root of a user namespace may mount in a mount namespace of its own only; anybody else below the rootfs.
  const bool own_users = linux_.find(NamespaceType::user) != nullptr;
  needs(c, at / "mounts", own_users && !config.mounts.empty(), linux_, NamespaceType::mount);
  const Place inside = at / "linux";
  c.clause("config-linux.md, Masked Paths");
  needs(c, inside / "maskedPaths", !linux_.masked_paths.empty(), linux_, NamespaceType::mount);
  c.clause("config-linux.md, Readonly Paths");
  needs(c, inside / "readonlyPaths", !linux_.readonly_paths.empty(), linux_, NamespaceType::mount);
  c.clause("config-linux.md, Network Devices");
  needs(c, inside / "netDevices", !linux_.net_devices.empty(), linux_, NamespaceType::network);
}

}  // namespace

void check_id_mappings(Checker &c, const Place &at, const std::vector<IdMapping> &mappings) {
  constexpr std::uint64_t ids = std::uint64_t{1} << 32;
  std::vector<std::pair<IdMapping, std::size_t>> sorted;
  sorted.reserve(mappings.size());
  for (std::size_t i = 0; i < mappings.size(); ++i) {
    const IdMapping &mapping = mappings[i];
    const Place here = at / i;
    if (mapping.size == 0) c.add(here / "size", "0 maps nothing", "give the number of ids");
    if (mapping.container_id + std::uint64_t{mapping.size} > ids ||
        mapping.host_id + std::uint64_t{mapping.size} > ids) {
      c.add(here / "size", fmt::format("{} ids from there reach beyond 4294967295", mapping.size), "lower it");
    }
    sorted.emplace_back(mapping, i);
  }
  // user_namespaces(7): ranges of one map must not overlap, on either side.
  const auto overlap = [&](std::uint32_t IdMapping::*start, const char *name) {
    std::ranges::sort(sorted, {}, [&](const auto &entry) { return entry.first.*start; });
    for (std::size_t i = 1; i < sorted.size(); ++i) {
      const auto &[before, before_index] = sorted[i - 1];
      const auto &[mapping, index] = sorted[i];
      if (before.*start + std::uint64_t{before.size} <= mapping.*start || mapping.size == 0) continue;
      c.add(at / index / name, fmt::format("overlaps with the range of entry {}", before_index));
    }
  };
  overlap(&IdMapping::container_id, "containerID");
  overlap(&IdMapping::host_id, "hostID");
}

void check_namespaces(Checker &c, const Place &at, const Config &config) {
  const Linux &linux_ = config.linux_;
  const Place inside = at / "linux";
  check_list(c, inside / "namespaces", linux_.namespaces);
  // A namespace whose type could not be read may be the very one that a field needs.
  const bool namespaces_read = !c.doubtful(inside / "namespaces");
  check_host_name(c, at / "hostname", config.hostname, "config.md, Hostname", linux_, namespaces_read);
  check_host_name(c, at / "domainname", config.domainname, "config.md, Domainname", linux_, namespaces_read);
  check_clocks(c, inside / "timeOffsets", linux_);
  if (!namespaces_read) return;
  check_mount_users(c, at, config);
  check_user_mappings(c, inside, linux_);
  check_time_offsets(c, inside / "timeOffsets", linux_);
  check_sysctl(c, inside / "sysctl", linux_);
}

}  // namespace skiff::spec
