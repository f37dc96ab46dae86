#include "compose/host_service.h"

#include <fmt/format.h>

#include <algorithm>

#include "compose/contains.h"

namespace skiff::compose {
namespace {

constexpr std::string_view service_prefix = "service:";

Status name_container(std::string &mode, const FindContainer &find) {
  if (!mode.starts_with(service_prefix)) return {};
  mode = "container:" + TRY(in(mode, find(std::string_view(mode).substr(service_prefix.size()))));
  return {};
}

Status name_volumes_from(std::string &word, const FindContainer &find) {
  if (word.starts_with("container:")) return {};
  const std::size_t colon = std::min(word.find(':'), word.size());
  const std::string id = TRY(in("volumes_from", find(std::string_view(word).substr(0, colon))));
  word = "container:" + id + word.substr(colon);
  return {};
}

template <class Resource>
void name_resource(std::string &key, const std::vector<Resource> &resources) {
  const auto found = std::ranges::find(resources, key, &Resource::key);
  if (found != resources.end()) key = found->name;
}

}  // namespace

Result<Service> host_service(const Project &project, Service service, const FindContainer &find,
                             const HostServiceOptions &options) {
  service.labels = container_labels(project, service, options.place);
  for (Attachment &attachment : service.networks) {
    name_resource(attachment.network, project.networks);
    if (options.service_alias && !contains(attachment.aliases, service.name))
      attachment.aliases.push_back(service.name);
  }
  for (Mount &mount : service.mounts) {
    if (mount.kind == Mount::Kind::volume && !mount.source.empty()) name_resource(mount.source, project.volumes);
  }
  for (std::string *mode : {&service.network_mode, &service.pid_mode, &service.ipc_mode, &service.uts_mode,
                            &service.cgroup_mode, &service.userns_mode}) {
    TRY(name_container(*mode, find));
  }
  for (std::string &word : service.volumes_from) TRY(name_volumes_from(word, find));
  return service;
}

}  // namespace skiff::compose
