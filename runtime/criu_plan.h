// What of a container CRIU has to be told about, because it lies outside: decided from its plan. The names are those
// that runc gives, so that the images of either are restored by the other.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/criu_message.h"
#include "runtime/plan.h"

namespace skiff {

// A mount whose content is the host's, by its place in the container as the plan has it: a symbolic link on the way is
// still to be followed.
struct ExternalMount {
  std::string destination;
  std::string source;  // on the host
};
// Binds, devices that are bound, and of cgroup v1 without a cgroup namespace the one directory of each hierarchy.
[[nodiscard]] std::vector<ExternalMount> find_external_mounts(const Plan &plan,
                                                              const std::vector<CgroupDirectory> &cgroups);

// linux.maskedPaths: those that are files are covered with /dev/null, which is also what the mount is called.
[[nodiscard]] std::vector<std::string> find_masked_paths(const Plan &plan);
inline constexpr const char *mask_of_files = "/dev/null";

// The namespaces that CRIU leaves alone at a dump, and is handed as descriptors at a restore: network and pid. The
// others that have a path it joins by that.
[[nodiscard]] bool is_external_namespace(const Join &join);
[[nodiscard]] std::string external_namespace_key(const Join &join);                   // extRootNetNS
[[nodiscard]] std::string external_namespace(const Join &join, std::uint64_t inode);  // net[INODE]:extRootNetNS
[[nodiscard]] Result<std::vector<CriuNamespace>> find_joined_namespaces(const Plan &plan);

// Network devices are the engine's, which gives them to the restored container again: CRIU is to leave the network
// namespace empty.
inline constexpr std::uint32_t emptied_namespaces = 0x40000000;  // CLONE_NEWNET

// The host's number of the container's group 0, where it has a user namespace of its own: the root of that, who is
// nobody else on the host, reads the images of a restore.
[[nodiscard]] std::optional<std::uint32_t> find_reading_group(const Plan &plan);

// Settings that an administrator has for CRIU, which count more than the command line: what the annotation
// org.criu.config names, none where it is empty, and without it /etc/criu/skiff.conf, or runc's where that is not
// there.
[[nodiscard]] std::string choose_criu_config(const spec::StringMap &annotations, bool has_own);
inline constexpr const char *own_criu_config = "/etc/criu/skiff.conf";

// The roots of /proc/PID/cgroup (cgroups(7)), under which the images' cgroups are restored.
[[nodiscard]] std::vector<CriuCgroupRoot> parse_cgroup_roots(std::string_view text);

}  // namespace skiff
