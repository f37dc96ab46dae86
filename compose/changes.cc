#include "compose/changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "spec/sha256.h"

namespace skiff::compose {
namespace {

using Kind = Action::Kind;

void write_text(std::string &out, std::string_view text) {
  // With its length in front no text can be taken for two.
  out += fmt::format("{}:{}", text.size(), text);
}

void write_value(std::string &out, const Value &value) {
  if (value.kind == Value::Kind::list) {
    out += '[';
    for (const Value &item : value.items) write_value(out, item);
    out += ']';
  } else if (value.kind == Value::Kind::map) {
    std::vector<const Member *> members;
    for (const Member &member : value.members) members.push_back(&member);
    std::ranges::sort(members, {}, [](const Member *member) -> std::string_view { return member->key; });
    out += '{';
    for (const Member *member : members) {
      write_text(out, member->key);
      write_value(out, member->value);
    }
    out += '}';
  } else if (value.kind == Value::Kind::null) {
    out += 'n';
  } else {
    // 80 and "80" are one: which of them it is does not reach a container.
    write_text(out, value.text);
  }
}

// docker compose leaves out the same.
void remove_what_no_container_shows(Value &service) {
  for (const std::string_view key : {"build", "pull_policy", "scale", "depends_on", "profiles", "develop", "attach"}) {
    service.remove(key);
  }
  Value *deploy = service.find("deploy");
  if (deploy == nullptr) return;
  deploy->remove("replicas");
  if (deploy->members.empty()) service.remove("deploy");
}

// The definitions behind a service's secrets and configs; that of a network or a volume is not its container's.
void write_files(std::string &out, const Project &project, std::string_view kind, const std::vector<FileMount> &files) {
  const Value *all = project.canonical.find(kind);
  for (const FileMount &file : files) {
    const Value *definition = all == nullptr ? nullptr : all->find(file.source);
    if (definition != nullptr) write_value(out, *definition);
  }
}

class ChangeMaker {
 public:
  ChangeMaker(const ChangeRequest &request, const Running &running)
      : request_(request), project_(request.project), running_(running) {}

  Changes make() {
    for (const OrderStep &step : request_.order.steps) add_resources(*step.service);
    for (const OrderStep &step : request_.order.steps) add_service(step);
    add_orphans();
    return std::move(changes_);
  }

 private:
  void add_resources(const Service &service) {
    for (const Attachment &attachment : service.networks) {
      const auto found = std::ranges::find(project_.networks, attachment.network, &Network::key);
      if (found != project_.networks.end()) add_resource(*found, running_.networks, Kind::create_network, "network");
    }
    for (const Mount &mount : service.mounts) {
      const auto found = std::ranges::find(project_.volumes, mount.source, &Volume::key);
      if (mount.kind != Mount::Kind::volume || mount.source.empty() || found == project_.volumes.end()) continue;
      add_resource(*found, running_.volumes, Kind::create_volume, "volume");
    }
  }

  void add_resource(const auto &wanted, const std::vector<std::string> &there, Kind kind, std::string_view word) {
    if (!seen_.emplace(kind, wanted.name).second) return;
    if (std::ranges::find(there, wanted.name) != there.end()) return;
    if (wanted.external) {
      changes_.missing.push_back(fmt::format("{} {}", word, wanted.name));
      return;
    }
    const auto place = std::ranges::find_if(changes_.actions, [&](const Action &one) { return one.kind > kind; });
    changes_.actions.insert(place, {.kind = kind, .name = wanted.name, .service = {}, .id = {}, .reason = {}});
  }

  std::vector<const RunningContainer *> containers_of(std::string_view service) const {
    std::vector<const RunningContainer *> out;
    for (const RunningContainer &one : running_.containers) {
      if (one.service == service) out.push_back(&one);
    }
    std::ranges::sort(out, {}, &RunningContainer::number);
    return out;
  }

  void add_service(const OrderStep &step) {
    const Service &service = *step.service;
    const std::vector<const RunningContainer *> there = containers_of(service.name);
    const std::string hash = config_hash(project_, service);
    std::set<std::uint32_t> numbers;
    std::size_t kept = 0;
    for (const RunningContainer *container : there) {
      if (kept >= service.replicas) {
        too_many_.push_back(
            of(Kind::remove, *container, fmt::format("{} of {} are wanted", service.replicas, service.name)));
        continue;
      }
      ++kept;
      numbers.insert(container->number);
      add_existing(step, *container, hash);
    }
    for (std::uint32_t number = 1; kept < service.replicas; ++number) {
      if (!numbers.insert(number).second) continue;
      ++kept;
      changes_.actions.push_back({.kind = Kind::create,
                                  .name = container_name(project_, service, number),
                                  .service = service.name,
                                  .number = number,
                                  .id = {},
                                  .reason = {}});
      renewed_.insert(service.name);
    }
  }

  static Action of(Kind kind, const RunningContainer &container, std::string reason = {}) {
    return {.kind = kind,
            .name = container.name,
            .service = container.service,
            .number = container.number,
            .id = container.id,
            .reason = std::move(reason)};
  }

  void add_existing(const OrderStep &step, const RunningContainer &container, const std::string &hash) {
    std::string reason = why_anew(step, container, hash);
    if (!reason.empty()) {
      renewed_.insert(step.service->name);
      changes_.actions.push_back(of(Kind::recreate, container, std::move(reason)));
    } else if (container.paused) {
      changes_.actions.push_back(of(Kind::unpause, container, "it is paused"));
    } else {
      changes_.actions.push_back(of(container.running ? Kind::keep : Kind::start, container));
    }
  }

  std::string why_anew(const OrderStep &step, const RunningContainer &container, const std::string &hash) const {
    if (request_.no_recreate) return {};
    if (request_.force_recreate) return "asked for";
    if (container.config_hash != hash) return "its configuration has changed";
    const auto image = request_.image_ids.find(step.service->name);
    if (image != request_.image_ids.end() && image->second != container.image_id) return "its image has changed";
    for (const Dependency &wait : step.waits) {
      if (!renewed_.contains(wait.service)) continue;
      if (request_.renew_dependents) return fmt::format("{} is made anew", wait.service);
      if (shares(*step.service, wait.service))
        return fmt::format("{}, whose namespace it is in, is made anew", wait.service);
    }
    return {};
  }

  static bool shares(const Service &service, const std::string &other) {
    const std::string mode = "service:" + other;
    return service.network_mode == mode || service.pid_mode == mode || service.ipc_mode == mode;
  }

  void add_orphans() {
    changes_.actions.insert(changes_.actions.end(), too_many_.begin(), too_many_.end());
    for (const RunningContainer &container : running_.containers) {
      const bool known =
          std::ranges::find(project_.services, container.service, &Service::name) != project_.services.end() ||
          std::ranges::find(project_.disabled, container.service) != project_.disabled.end();
      if (known) continue;
      changes_.actions.push_back(of(request_.remove_orphans ? Kind::remove_orphan : Kind::leave_orphan, container,
                                    fmt::format("the project has no {}", container.service)));
    }
  }

  const ChangeRequest &request_;
  const Project &project_;
  const Running &running_;
  Changes changes_;
  std::vector<Action> too_many_;
  std::set<std::pair<Kind, std::string>> seen_;
  std::set<std::string> renewed_;  // services of which a container is created or made anew
};

struct Word {
  std::string_view sign;
  std::string_view action;
  std::string_view kind;
};
constexpr std::array<Word, 10> words = {{{"+", "create", "network"},
                                         {"+", "create", "volume"},
                                         {"+", "create", "container"},
                                         {"~", "recreate", "container"},
                                         {">", "start", "container"},
                                         {">", "unpause", "container"},
                                         {" ", "keep", "container"},
                                         {"-", "remove", "container"},
                                         {"-", "remove", "orphan"},
                                         {"!", "leave", "orphan"}}};

const Word &word_of(const Action &action) { return words[static_cast<std::size_t>(action.kind)]; }

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') out += '\\';
    if (static_cast<unsigned char>(letter) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(letter));
    } else {
      out += letter;
    }
  }
  return out + '"';
}

}  // namespace

std::string config_hash(const Project &project, const Service &service) {
  const Value *services = project.canonical.find("services");
  const Value *written = services == nullptr ? nullptr : services->find(service.name);
  Value copy = written == nullptr ? Value::of_map() : *written;
  remove_what_no_container_shows(copy);
  std::string text;
  write_value(text, copy);
  write_files(text, project, "secrets", service.secrets);
  write_files(text, project, "configs", service.configs);
  return spec::sha256_hex(text);
}

std::string container_name(const Project &project, const Service &service, std::uint32_t number) {
  return service.container_name.empty() ? fmt::format("{}-{}-{}", project.name, service.name, number)
                                        : service.container_name;
}

bool Changes::none() const {
  return missing.empty() && std::ranges::all_of(actions, [](const Action &one) {
           return one.kind == Kind::keep || one.kind == Kind::leave_orphan;
         });
}

Changes make_changes(const ChangeRequest &request, const Running &running) {
  return ChangeMaker(request, running).make();
}

std::string print_changes(const Changes &changes, bool all) {
  std::string out;
  std::map<std::string_view, std::size_t> counts;
  std::size_t width = 0;
  for (const Action &action : changes.actions) width = std::max(width, action.name.size());
  for (const Action &action : changes.actions) {
    const Word &word = word_of(action);
    ++counts[word.sign];
    if (action.kind == Kind::keep && !all) continue;
    const std::string what = fmt::format("{} {}", word.action, word.kind);
    out += action.reason.empty()
               ? fmt::format("{} {:<{}}  {}\n", word.sign, action.name, width, what)
               : fmt::format("{} {:<{}}  {}: {}\n", word.sign, action.name, width, what, action.reason);
  }
  for (const std::string &one : changes.missing) out += fmt::format("! {}: it is external and not there\n", one);
  if (changes.none()) return out + "Nothing to change.\n";
  return out + fmt::format("{} to create, {} to recreate, {} to start, {} to remove, {} as they are.\n", counts["+"],
                           counts["~"], counts[">"], counts["-"], counts[" "]);
}

std::string print_changes_json(const Changes &changes) {
  std::string out;
  for (const Action &action : changes.actions) {
    const Word &word = word_of(action);
    out +=
        fmt::format("{{\"action\":\"{}\",\"kind\":\"{}\",\"name\":{}", word.action, word.kind, json_text(action.name));
    if (!action.service.empty()) {
      out += fmt::format(",\"service\":{},\"number\":{}", json_text(action.service), action.number);
    }
    if (!action.id.empty()) out += fmt::format(",\"id\":{}", json_text(action.id));
    if (!action.reason.empty()) out += fmt::format(",\"reason\":{}", json_text(action.reason));
    out += "}\n";
  }
  for (const std::string &one : changes.missing) {
    out += fmt::format("{{\"action\":\"missing\",\"name\":{}}}\n", json_text(one));
  }
  return out;
}

}  // namespace skiff::compose
