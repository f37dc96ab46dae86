// What of a project stands on its containers, networks and volumes, so that `down` and `ls` need no file. The labels
// are docker compose's own: what filters by them finds ours.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compose/container.h"
#include "compose/project.h"

namespace skiff::compose {

inline constexpr const char *project_label = "com.docker.compose.project";
inline constexpr const char *service_label = "com.docker.compose.service";
inline constexpr const char *number_label = "com.docker.compose.container-number";
inline constexpr const char *one_off_label = "com.docker.compose.oneoff";
inline constexpr const char *hash_label = "com.docker.compose.config-hash";
inline constexpr const char *depends_label = "com.docker.compose.depends_on";
inline constexpr const char *directory_label = "com.docker.compose.project.working_dir";
inline constexpr const char *files_label = "com.docker.compose.project.config_files";
inline constexpr const char *network_label = "com.docker.compose.network";
inline constexpr const char *volume_label = "com.docker.compose.volume";

struct ContainerPlace {  // of a container in its project
  std::uint32_t number = 1;
  bool one_off = false;
  std::string config_hash;
};
// The service's own labels with these over them.
[[nodiscard]] Labels container_labels(const Project &project, const Service &service, const ContainerPlace &place);
[[nodiscard]] Labels network_labels(const Project &project, const Network &network);
[[nodiscard]] Labels volume_labels(const Project &project, const Volume &volume);

// "db:service_healthy:false,cache:service_started:true": service, condition, restart.
[[nodiscard]] std::string print_dependencies(const Service &service);
// Parts that are none are left out: an order is found all the same.
[[nodiscard]] std::vector<Dependency> parse_dependencies(std::string_view text);

// Empty where the label is missing.
[[nodiscard]] std::string label_of(const Labels &labels, const std::string &name);

}  // namespace skiff::compose
