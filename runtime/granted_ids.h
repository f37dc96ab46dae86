// Which ids of the host an ordinary user may map: himself, and what /etc/subuid and /etc/subgid grant him (subuid(5)),
// for which newuidmap(1) and newgidmap(1) are needed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "spec/config.h"

namespace skiff {

// uids or gids.
struct IdSide {
  const char *field;    // uidMappings
  const char *program;  // newuidmap
  const char *file;     // /etc/subuid
};
inline constexpr IdSide uid_side = {"uidMappings", "newuidmap", "/etc/subuid"};
inline constexpr IdSide gid_side = {"gidMappings", "newgidmap", "/etc/subgid"};

struct HostUser {
  std::uint32_t uid = 0;
  std::string name;  // empty where /etc/passwd has none
};
[[nodiscard]] HostUser read_host_user(std::uint32_t uid);

// Why this host would not let the user have these mappings.
struct MapRefusal {
  std::optional<std::size_t> mapping;  // its index; none where it is not about one of them
  std::string text;
  std::string remedy;
};
// `own_id` is the user's own on this side, which the kernel lets everybody map. Empty where all of it is granted.
[[nodiscard]] std::vector<MapRefusal> find_map_refusals(const IdSide &side,
                                                        const std::vector<spec::IdMapping> &mappings,
                                                        const HostUser &user, std::uint32_t own_id);

// nsswitch.conf(5), "subid": the ids may come from a directory service, which a static program cannot ask. Then the
// files say nothing.
[[nodiscard]] bool grants_are_elsewhere();

// A single mapping of the user's own id: needs no program.
[[nodiscard]] bool is_own_id_alone(const std::vector<spec::IdMapping> &mappings, std::uint32_t own_id);

// "host id 7 is", "host ids 7 to 9 are".
[[nodiscard]] std::string describe_host_ids(const spec::IdMapping &mapping);

// Where the program is: in $PATH or where distributions install it. Empty: nowhere.
[[nodiscard]] std::string find_mapper(const char *program);

}  // namespace skiff
