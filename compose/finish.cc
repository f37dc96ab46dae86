#include "compose/finish.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "compose/decode.h"
#include "compose/long_forms.h"
#include "compose/merge.h"
#include "compose/references.h"
#include "compose/resolve_paths.h"
#include "compose/schema.h"

namespace skiff::compose {
namespace {

void prepare(Value &model, const ProjectFacts &facts, Findings &findings) {
  make_long(model, {.findings = findings});
  check_keys(model, false, findings);
  enforce_unique(model);
  drop_tags(model);
  if (facts.resolve_paths) resolve_paths(model, {facts.directory, facts.home});
}

bool contains(const std::vector<std::string> &list, std::string_view text) {
  return std::ranges::find(list, text) != list.end();
}

// compose-spec, "Profiles": a service without any is always active; one that a command names brings its own.
Value take_disabled(Value &services, const ProjectFacts &facts) {
  std::vector<std::string> active = facts.profiles;
  for (const std::string &target : facts.targets) {
    const Value *service = services.find(target);
    const Value *profiles = service == nullptr ? nullptr : service->find("profiles");
    if (profiles == nullptr) continue;
    for (const Value &profile : profiles->items) active.push_back(profile.text);
  }
  Value disabled = Value::of_map(services.at);
  for (Member &member : services.members) {
    const Value *profiles = member.value.find("profiles");
    if (profiles == nullptr || profiles->items.empty() || contains(active, "*")) continue;
    const bool on = std::ranges::any_of(profiles->items, [&](const Value &one) { return contains(active, one.text); });
    if (!on) disabled.members.push_back(member);
  }
  for (const Member &member : disabled.members) services.remove(member.key);
  return disabled;
}

std::vector<std::string> all_profiles(const Value &services) {
  std::set<std::string> all;
  for (const Member &member : services.members) {
    const Value *profiles = member.value.find("profiles");
    if (profiles == nullptr) continue;
    for (const Value &profile : profiles->items) all.insert(profile.text);
  }
  return {all.begin(), all.end()};
}

void depend(Value &service, const std::string &name, Position at) {
  Value &all = service.get("depends_on");
  if (all.kind == Value::Kind::map && all.find(name) != nullptr) return;
  if (all.kind != Value::Kind::map) all = Value::of_map(at);
  Value &one = all.get(name);
  one = Value::of_map(at);
  one.get("condition") = Value::of_string("service_started", at);
  one.get("restart") = make_boolean(true, at);
  one.get("required") = make_boolean(true, at);
  all.members.back().at = at;
}

// What shares a namespace or volumes of another service, or links to it, starts after it.
void add_implied_dependencies(Value &service) {
  std::vector<std::pair<std::string, Position>> names;
  for (const std::string_view key : {"network_mode", "ipc", "pid", "uts", "userns_mode"}) {
    const Value *mode = service.find(key);
    if (mode != nullptr && mode->text.starts_with("service:")) names.emplace_back(mode->text.substr(8), mode->at);
  }
  for (const std::string_view key : {"links", "volumes_from"}) {
    const Value *list = service.find(key);
    if (list == nullptr) continue;
    for (const Value &item : list->items) {
      if (!item.text.starts_with("container:")) names.emplace_back(item.text.substr(0, item.text.find(':')), item.at);
    }
  }
  for (const auto &[name, at] : names) depend(service, name, at);
}

void default_networks(Value &service) {
  const Value *mode = service.find("network_mode");
  // The words of docker's own bridge: here it is the project's.
  if (mode != nullptr && (mode->text == "bridge" || mode->text == "default")) service.remove("network_mode");
  if (service.find("network_mode") != nullptr || service.find("provider") != nullptr) return;
  Value &networks = service.get("networks");
  if (!networks.members.empty()) return;
  networks = Value::of_map(service.at);
  networks.get("default") = {};
}

void default_build(Value &service, const ProjectFacts &facts) {
  Value *build = service.find("build");
  if (build == nullptr || build->kind != Value::Kind::map) return;
  if (build->find("context") == nullptr) {
    build->get("context") = Value::of_string(facts.resolve_paths ? facts.directory : ".", build->at);
  }
  if (build->find("dockerfile") == nullptr && build->find("dockerfile_inline") == nullptr) {
    build->get("dockerfile") = Value::of_string("Dockerfile", build->at);
  }
}

// docker prints and mounts it there whatever the service says of its path.
void default_secret_targets(Value &service) {
  Value *secrets = service.find("secrets");
  if (secrets == nullptr) return;
  for (Value &one : secrets->items) {
    const Value *source = one.find("source");
    if (source == nullptr || one.find("target") != nullptr) continue;
    const Value target = Value::of_string("/run/secrets/" + source->text, source->at);
    one.get("target") = target;
  }
}

void normalize_service(Value &service, const ProjectFacts &facts) {
  add_implied_dependencies(service);
  default_networks(service);
  default_build(service, facts);
  default_secret_targets(service);
  if (Value *hosts = service.find("extra_hosts")) std::ranges::stable_sort(hosts->items, {}, &Value::text);
}

void name_all(Value &model, std::string_view kind, const std::string &project) {
  Value *all = model.find(kind);
  if (all == nullptr) return;
  for (Member &member : all->members) {
    if (member.value.kind == Value::Kind::null) member.value = Value::of_map(member.at);
    if (member.value.kind != Value::Kind::map || member.value.find("name") != nullptr) continue;
    const Value *external = member.value.find("external");
    const bool outside = external != nullptr && external->text == "true";
    member.value.get("name") = Value::of_string(outside ? member.key : project + "_" + member.key, member.at);
  }
}

void collect(const Value &service, std::string_view key, std::string_view source, std::set<std::string> &used) {
  const Value *list = service.find(key);
  if (list == nullptr) return;
  for (const Member &member : list->members) used.insert(member.key);
  for (const Value &item : list->items) {
    if (const Value *name = item.find(source)) used.insert(name->text);
  }
}

// What no active service uses is not made, and not printed.
void drop_unused(Value &model) {
  const Value services = *model.find("services");
  for (const std::string_view kind : {"networks", "volumes", "secrets", "configs"}) {
    Value *all = model.find(kind);
    if (all == nullptr) continue;
    std::set<std::string> used;
    for (const Member &member : services.members) collect(member.value, kind, "source", used);
    std::erase_if(all->members, [&](const Member &member) { return !used.contains(member.key); });
    if (all->members.empty()) model.remove(kind);
  }
}

bool is_used(const Value &services, const std::string &network) {
  return std::ranges::any_of(services.members, [&](const Member &member) {
    const Value *networks = member.value.find("networks");
    return networks != nullptr && networks->find(network) != nullptr;
  });
}

void normalize(Value &model, const ProjectFacts &facts) {
  Value &services = *model.find("services");
  for (Member &member : services.members) normalize_service(member.value, facts);
  if (is_used(services, "default")) {
    Value &networks = model.get("networks");
    if (networks.kind != Value::Kind::map) networks = Value::of_map(model.at);
    networks.get("default");
  }
  for (const std::string_view kind : {"networks", "volumes", "secrets", "configs"}) name_all(model, kind, facts.name);
}

// An empty list says nothing, but an empty command does.
void drop_empty(Value &model) {
  model.remove("version");
  for (Member &member : model.find("services")->members) {
    std::erase_if(member.value.members, [](const Member &one) {
      const bool command = one.key == "command" || one.key == "entrypoint";
      const bool list = one.value.kind == Value::Kind::list && one.value.items.empty();
      return !command && (list || one.value.kind == Value::Kind::null);
    });
  }
}

void set_name(Value &model, const std::string &name) {
  const Value *there = model.find("name");
  const Position at = there == nullptr ? Position{} : there->at;
  model.remove("name");
  model.members.insert(model.members.begin(), {.key = "name", .at = at, .value = Value::of_string(name, at)});
}

// A profile of seccomp is a file of the project.
void resolve_seccomp(Service &service, const std::string &directory) {
  std::string &profile = service.seccomp;
  const bool file = profile.find('/') != std::string::npos || profile.ends_with(".json");
  if (file && !profile.starts_with('/')) profile = absolute_path(profile, {directory, {}});
}

}  // namespace

Project finish_project(Value model, const ProjectFacts &facts, Findings &findings) {
  if (!facts.prepared) prepare(model, facts, findings);
  Project failed;
  failed.name = facts.name;
  if (findings.has_errors()) return failed;
  if (model.kind != Value::Kind::map) model = Value::of_map(model.at);
  Value &services = model.get("services");
  if (services.kind != Value::Kind::map) services = Value::of_map(model.at);
  for (Member &member : services.members) {
    if (member.value.kind == Value::Kind::null) member.value = Value::of_map(member.at);
  }
  std::vector<std::string> profiles = all_profiles(services);
  const Value disabled = take_disabled(services, facts);
  if (facts.read_environment) {
    for (Member &member : services.members) facts.read_environment(member.value, findings);
  }
  if (facts.normalize) normalize(model, facts);
  if (facts.check) check_references(model, disabled, findings);
  if (facts.normalize) drop_unused(model);
  drop_empty(model);
  set_name(model, facts.name);
  Project project = facts.decode ? decode_project(model, findings) : Project();
  project.name = facts.name;
  project.directory = facts.directory;
  project.files = facts.files;
  project.profiles = std::move(profiles);
  for (const Member &member : disabled.members) project.disabled.push_back(member.key);
  for (Service &service : project.services) resolve_seccomp(service, facts.directory);
  sort_keys(model);
  project.canonical = std::move(model);
  return project;
}

}  // namespace skiff::compose
