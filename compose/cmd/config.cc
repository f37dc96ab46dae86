#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "compose/changes.h"
#include "compose/cmd/format_flag.h"
#include "compose/cmd/project_flags.h"
#include "compose/interpolate.h"
#include "compose/model.h"
#include "compose/output.h"
#include "compose/value_text.h"
#include "compose/yaml.h"
#include "runtime/cli/nearest.h"
#include "runtime/kernel/fd.h"

namespace skiff::compose {
namespace {

using cli::Kind;

constexpr auto flags = std::to_array<cli::FlagSpec>({
    format_flag("yaml|json"),
    {.name = "services", .kind = Kind::Bool, .text = "print the services' names alone"},
    {.name = "images", .kind = Kind::Bool, .text = "print the images' names alone"},
    {.name = "volumes", .kind = Kind::Bool, .text = "print the volumes' names alone"},
    {.name = "networks", .kind = Kind::Bool, .text = "print the networks' names alone"},
    {.name = "profiles", .kind = Kind::Bool, .text = "print the profiles' names alone"},
    {.name = "variables", .kind = Kind::Bool, .text = "print the variables that the files use"},
    {.name = "environment", .kind = Kind::Bool, .text = "print the variables that the files are read with"},
    {.name = "hash", .value = "SERVICE", .text = "print the hash of this service's configuration, or of \"*\" all"},
    {.name = "no-interpolate", .kind = Kind::Bool, .text = "leave variables as they are"},
    {.name = "no-normalize", .kind = Kind::Bool, .text = "add no default network and no names"},
    {.name = "no-path-resolution", .kind = Kind::Bool, .text = "leave relative paths as they are"},
    {.name = "no-env-resolution", .kind = Kind::Bool, .text = "leave env_file and label_file as they are"},
    {.name = "no-consistency", .kind = Kind::Bool, .text = "do not look whether what is referred to exists"},
    {.name = "quiet", .letter = 'q', .kind = Kind::Bool, .text = "check only"},
    {.name = "output", .letter = 'o', .value = "FILE", .text = "write to this file"},
});

std::string lines(const std::set<std::string> &names) {
  std::string out;
  for (const std::string &name : names) out += name + '\n';
  return out;
}

std::string names_of(const Project &project, std::string_view kind) {
  std::set<std::string> names;
  if (const Value *all = project.canonical.find(kind)) {
    for (const Member &member : all->members) names.insert(member.key);
  }
  return lines(names);
}

std::string images_of(const Project &project) {
  std::set<std::string> images;
  const Value *services = project.canonical.find("services");
  for (const Member &member : services->members) {
    const Value *image = member.value.find("image");
    images.insert(image != nullptr ? image->text : fmt::format("{}-{}", project.name, member.key));
  }
  return lines(images);
}

Result<std::string> hashes_of(const Project &project, std::string_view wanted) {
  std::set<std::string> hashes;
  for (const Service &service : project.services) {
    if (wanted != "*" && wanted != service.name) continue;
    hashes.insert(fmt::format("{} {}", service.name, config_hash(project, service)));
  }
  if (hashes.empty() && wanted != "*") return fail(finding_number, fmt::format("there is no service {}", wanted));
  return lines(hashes);
}

Result<std::string> variables_of(const Loaded &loaded) {
  std::map<std::string, VariableUse> uses;
  for (const auto &source : loaded.sources) {
    if (std::ranges::find(loaded.project.files, source->path) == loaded.project.files.end()) continue;
    Findings ignored;  // told when the project was loaded
    for (const Value &document : parse_yaml(*source, ignored)) collect_variables(document, uses);
  }
  std::size_t width = 4;
  for (const auto &[name, use] : uses) width = std::max(width, name.size());
  std::string out =
      fmt::format("{:<{}}  {:<8}  {:<20}  {}\n", "NAME", width, "REQUIRED", "DEFAULT VALUE", "ALTERNATE VALUE");
  for (const auto &[name, use] : uses) {
    std::string line =
        fmt::format("{:<{}}  {:<8}  {:<20}  {}", name, width, use.required, use.default_value, use.alternate_value);
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  }
  return out;
}

std::string environment_of(const Project &project) {
  std::string out;
  for (const auto &[name, value] : project.environment) out += fmt::format("{}={}\n", name, value);
  return out;
}

// The services named, and those that they need.
Status select(Value &canonical, const std::vector<std::string> &names) {
  if (names.empty()) return {};
  Value &services = *canonical.find("services");
  std::set<std::string> kept;
  std::vector<std::string> open = names;
  while (!open.empty()) {
    const std::string name = std::move(open.back());
    open.pop_back();
    const Value *service = services.find(name);
    if (service == nullptr) {
      cli::Nearest nearest(name);
      for (const Member &member : services.members) nearest.offer(member.key);
      return fail(finding_number, fmt::format("there is no service {}", name),
                  nearest.found().empty() ? std::string() : fmt::format("did you mean {}?", nearest.found()));
    }
    if (!kept.insert(name).second) continue;
    if (const Value *needed = service->find("depends_on")) {
      for (const Member &member : needed->members) {
        if (services.find(member.key) != nullptr) open.push_back(member.key);
      }
    }
  }
  std::erase_if(services.members, [&](const Member &member) { return !kept.contains(member.key); });
  return {};
}

Result<std::string> whole(const Context &context, Loaded loaded, const std::vector<std::string> &services) {
  Value &canonical = loaded.project.canonical;
  TRY(select(canonical, services));
  if (!context.flags().boolean("no-interpolate")) escape_dollars(canonical);
  if (context.flag("format") == "json") return print_json(canonical) + '\n';
  return print_yaml(canonical);
}

Result<std::string> text_of(const Context &context, Loaded loaded, const std::vector<std::string> &services) {
  const cli::Flags &asked = context.flags();
  const Project &project = loaded.project;
  if (asked.boolean("quiet")) return std::string();
  for (const std::string_view kind : {"services", "volumes", "networks"}) {
    if (asked.boolean(kind)) return names_of(project, kind);
  }
  if (asked.boolean("images")) return images_of(project);
  if (asked.boolean("profiles")) return lines({project.profiles.begin(), project.profiles.end()});
  if (asked.boolean("environment")) return environment_of(project);
  if (asked.boolean("variables")) return variables_of(loaded);
  if (asked.given("hash")) return hashes_of(project, asked.string("hash"));
  return whole(context, std::move(loaded), services);
}

Result<int> config(const Context &context) {
  std::vector<std::string> services;
  for (const std::string_view name : context.invocation.positionals) services.emplace_back(name);
  LoadRequest request = TRY(make_load_request(context, services));
  const cli::Flags &asked = context.flags();
  request.interpolate = !asked.boolean("no-interpolate") && !asked.boolean("variables");
  request.normalize = !asked.boolean("no-normalize");
  request.resolve_paths = !asked.boolean("no-path-resolution");
  request.check = !asked.boolean("no-consistency");
  request.resolve_environment = !asked.boolean("no-env-resolution") && request.interpolate;
  const std::string text = TRY(text_of(context, TRY(load_project_for(context, request)), services));
  if (!asked.given("output")) return print(text);
  const kernel::Fd file = TRY(kernel::open(context.flag("output"), O_WRONLY | O_CREAT | O_TRUNC, 0644));
  TRY(in(context.flag("output"), kernel::write_all(file, text)));
  return 0;
}

}  // namespace

const CommandEntry config_command = {
    .command = {.name = "config",
                .usage = "[SERVICE...]",
                .summary = "check the project's files and print what they come to",
                .description = "Merges the files, fills in variables, and prints everything in its long form.",
                .flags = flags,
                .max_positionals = cli::kUnlimited},
    .run = config,
    .dry_run = DryRun::reads};

}  // namespace skiff::compose
