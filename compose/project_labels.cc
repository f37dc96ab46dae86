#include "compose/project_labels.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <utility>

#include "compose/split.h"

namespace skiff::compose {
namespace {

using Condition = Dependency::Condition;

constexpr std::array<std::pair<Condition, std::string_view>, 3> conditions = {
    {{Condition::started, "service_started"},
     {Condition::healthy, "service_healthy"},
     {Condition::completed, "service_completed_successfully"}}};

std::string_view name_of(Condition condition) {
  for (const auto &[one, name] : conditions) {
    if (one == condition) return name;
  }
  return {};
}

// Whose namespaces and volumes it takes count as well: `down` stops it before them.
std::vector<Dependency> all_dependencies(const Service &service) {
  std::vector<Dependency> all = service.depends_on;
  const auto add = [&](std::string_view name) {
    for (const Dependency &one : all) {
      if (one.service == name) return;
    }
    all.push_back({.service = std::string(name)});
  };
  for (const std::string *mode :
       {&service.network_mode, &service.pid_mode, &service.ipc_mode, &service.uts_mode, &service.userns_mode}) {
    if (mode->starts_with("service:")) add(std::string_view(*mode).substr(8));
  }
  for (const std::string &from : service.volumes_from) {
    if (!from.starts_with("container:")) add(std::string_view(from).substr(0, from.find(':')));
  }
  return all;
}

}  // namespace

std::string label_of(const Labels &labels, const std::string &name) {
  const auto found = labels.find(name);
  return found == labels.end() ? std::string() : found->second;
}

std::string print_dependencies(const Service &service) {
  std::string text;
  for (const Dependency &one : all_dependencies(service)) {
    text += fmt::format("{}{}:{}:{}", text.empty() ? "" : ",", one.service, name_of(one.condition), one.restart);
  }
  return text;
}

std::vector<Dependency> parse_dependencies(std::string_view text) {
  std::vector<Dependency> all;
  for (const std::string_view part : split_at(text, ',')) {
    const auto words = split_at(part, ':');
    if (words[0].empty()) continue;
    Dependency one;
    one.service = words[0];
    for (const auto &[condition, name] : conditions) {
      if (words.size() > 1 && words[1] == name) one.condition = condition;
    }
    one.restart = words.size() > 2 && words[2] == "true";
    all.push_back(std::move(one));
  }
  return all;
}

Labels container_labels(const Project &project, const Service &service, const ContainerPlace &place) {
  Labels labels = service.labels;
  labels[project_label] = project.name;
  labels[service_label] = service.name;
  labels[number_label] = std::to_string(place.number);
  labels[one_off_label] = place.one_off ? "True" : "False";
  labels[hash_label] = place.config_hash;
  labels[depends_label] = print_dependencies(service);
  labels[directory_label] = project.directory;
  labels[files_label] = fmt::format("{}", fmt::join(project.files, ","));
  return labels;
}

Labels network_labels(const Project &project, const Network &network) {
  Labels labels = network.labels;
  labels[project_label] = project.name;
  labels[network_label] = network.key;
  return labels;
}

Labels volume_labels(const Project &project, const Volume &volume) {
  Labels labels = volume.labels;
  labels[project_label] = project.name;
  labels[volume_label] = volume.key;
  return labels;
}

}  // namespace skiff::compose
