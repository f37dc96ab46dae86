#include "compose/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "compose/convert_component.h"
#include "compose/ctst_lexer.h"
#include "compose/ctst_text.h"
#include "compose/value_text.h"

namespace skiff::compose {
namespace {

std::string fitting_name(std::string_view service) {
  std::string out;
  for (const char letter : service) out += ctst::continues_name(letter) ? letter : '_';
  if (out.empty() || !ctst::starts_name(out.front())) out.insert(out.begin(), '_');
  if (ctst::is_reserved(out)) out += '_';
  return out;
}

void append(std::string &out, const std::vector<std::string> &lines) {
  for (const std::string &line : lines) out += line + "\n";
}

// Of what networks and volumes are beside their names.
bool says_nothing(std::string_view kind, const Value &definition, const Project &project, std::string_view key) {
  return std::ranges::all_of(definition.members, [&](const Member &member) {
    const bool own_name = member.key == "name" && member.value.text == fmt::format("{}_{}", project.name, key);
    const bool empty = member.key == "ipam" && member.value.members.empty();
    return own_name || empty || (kind == "networks" && member.key == "driver" && member.value.text == "bridge");
  });
}

void leave_definitions(const Project &project, std::string &out, Findings &findings) {
  for (const std::string_view kind : {"networks", "volumes", "secrets", "configs", "models"}) {
    const Value *all = project.canonical.find(kind);
    if (all == nullptr) continue;
    for (const Member &member : all->members) {
      // A network needs no more than its name; without a mount of it a volume is nothing.
      if (kind == "networks" && says_nothing(kind, member.value, project, member.key)) continue;
      const std::string key = fmt::format("{}.{}", kind, member.key);
      findings.warn(member.at, "not-in-ctst", fmt::format("{}: .ctst cannot say it", key));
      append(out, comment_of(key, member.value));
    }
  }
  for (const Member &member : project.canonical.members) {
    constexpr std::array<std::string_view, 8> known = {"name",    "services", "networks", "volumes",
                                                       "secrets", "configs",  "models",   "version"};
    if (std::ranges::find(known, member.key) != known.end()) continue;
    findings.warn(member.at, "not-in-ctst", fmt::format("{}: .ctst cannot say it", member.key));
    append(out, comment_of(member.key, member.value));
  }
}

}  // namespace

std::vector<std::string> comment_of(std::string_view key, const Value &value) {
  Value map = Value::of_map();
  map.get(key) = value;
  std::vector<std::string> lines;
  const std::string yaml = print_yaml(map);
  for (std::string_view rest = yaml; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    lines.push_back(fmt::format("// {}", line));
  }
  return lines;
}

std::map<std::string, std::string> component_names(const Project &project) {
  std::map<std::string, std::string> names;
  std::set<std::string> taken;
  for (const Service &service : project.services) {
    if (fitting_name(service.name) == service.name) taken.insert(names[service.name] = service.name);
  }
  for (const Service &service : project.services) {
    if (names.contains(service.name)) continue;
    std::string name = fitting_name(service.name);
    while (!taken.insert(name).second) name += '_';
    names[service.name] = name;
  }
  return names;
}

std::string convert_to_ctst(const ConvertRequest &request, Findings &findings) {
  const Project &project = request.project;
  const std::map<std::string, std::string> names = component_names(project);
  std::string out;
  std::vector<std::string> connects;
  std::vector<std::string> exposes;
  for (const Service &service : project.services) {
    const ConvertedComponent one = convert_component(request, service, names, findings);
    if (!out.empty()) out += "\n";
    append(out, one.lines);
    connects.insert(connects.end(), one.connects.begin(), one.connects.end());
    exposes.insert(exposes.end(), one.exposes.begin(), one.exposes.end());
  }
  if (!connects.empty()) out += "\n";
  append(out, connects);
  if (!exposes.empty()) out += "\n";
  append(out, exposes);
  std::string left;
  leave_definitions(project, left, findings);
  return left.empty() ? out : out + "\n// What .ctst cannot say:\n" + left;
}

}  // namespace skiff::compose
