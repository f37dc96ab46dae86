#include "compose/project_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "compose/contains.h"
#include "compose/network.h"
#include "compose/project_labels.h"
#include "compose/volume.h"
#include "runtime/cli/nearest.h"

namespace skiff::compose {

Result<std::vector<Container>> containers_of_project(const Places &places, const std::string &project) {
  std::vector<Container> all = TRY(list_containers(places));
  std::erase_if(all, [&](const Container &one) { return one.record.project != project; });
  std::ranges::sort(all, {}, [](const Container &one) {
    return std::tuple(one.record.service, one.record.one_off, one.record.number, one.record.created);
  });
  return all;
}

Result<Running> running_of_project(const Places &places, const std::string &project) {
  using Phase = ContainerState::Phase;
  Running running;
  for (const Container &one : TRY(containers_of_project(places, project))) {
    if (one.record.one_off) continue;
    running.containers.push_back({.id = one.id(),
                                  .name = one.record.name,
                                  .service = one.record.service,
                                  .number = one.record.number,
                                  .config_hash = one.record.config_hash,
                                  .image_id = one.record.image_id,
                                  .running = one.state.is_running() || one.state.phase == Phase::restarting,
                                  .paused = one.state.phase == Phase::paused});
  }
  for (const NetworkRecord &network : TRY(list_networks(places))) running.networks.push_back(network.name);
  for (const VolumeRecord &volume : TRY(list_volumes(places))) running.volumes.push_back(volume.name);
  return running;
}

Project project_of_containers(const std::string &name, const std::vector<Container> &containers) {
  Project project;
  project.name = name;
  for (const Container &one : containers) {
    if (contains(project.services, one.record.service, &Service::name)) continue;
    Service service;
    service.name = one.record.service;
    service.image = one.record.image;
    service.depends_on = parse_dependencies(label_of(one.record.labels, depends_label));
    project.services.push_back(std::move(service));
  }
  // What is gone, or was never made, nobody waits for.
  for (Service &service : project.services) {
    std::erase_if(service.depends_on,
                  [&](const Dependency &one) { return !contains(project.services, one.service, &Service::name); });
  }
  return project;
}

Result<std::vector<Container>> choose_containers(const std::vector<Container> &all,
                                                 const std::vector<std::string> &wanted) {
  const auto service_of = [](const Container &one) { return one.record.service; };
  for (const std::string &name : wanted) {
    if (contains(all, name, service_of)) continue;
    cli::Nearest nearest(name);
    for (const Container &one : all) nearest.offer(one.record.service);
    return fail(ENOENT, fmt::format("service {}: it has no container", name),
                nearest.found().empty() ? "up makes it" : fmt::format("did you mean {}?", nearest.found()));
  }
  std::vector<Container> chosen;
  for (const Container &one : all) {
    if (!one.record.one_off && (wanted.empty() || contains(wanted, one.record.service))) chosen.push_back(one);
  }
  return chosen;
}

}  // namespace skiff::compose
