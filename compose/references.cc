#include "compose/references.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "compose/schema.h"
#include "runtime/cli/nearest.h"

namespace skiff::compose {
namespace {

const Value &map_of(const Value &model, std::string_view key) {
  static const Value nothing;
  const Value *found = model.find(key);
  return found == nullptr ? nothing : *found;
}

bool is_yes(const Value &map, std::string_view key, bool otherwise) {
  const Value *value = map.find(key);
  return value == nullptr ? otherwise : value->text == "true";
}

std::string did_you_mean(const Value &there, std::string_view name, std::string_view otherwise) {
  cli::Nearest nearest(name);
  for (const Member &member : there.members) nearest.offer(member.key);
  return nearest.found().empty() ? std::string(otherwise) : fmt::format("did you mean {}?", nearest.found());
}

class References {
 public:
  References(const Value &model, const Value &disabled, Findings &findings)
      : model_(model), services_(map_of(model, "services")), disabled_(disabled), findings_(findings) {}

  void check() {
    for (const Member &member : services_.members) service(member);
    cycles();
    ports();
  }

 private:
  void service(const Member &member) {
    const std::string place = join_path("services", member.key);
    const Value &service = member.value;
    source_of(member, place);
    for (const Member &dependency : map_of(service, "depends_on").members) depends_on(dependency, member.key, place);
    for (const std::string_view key : {"network_mode", "ipc", "pid", "uts", "userns_mode"}) {
      shared(service, key, member.key, place);
    }
    for (const Value &from : map_of(service, "volumes_from").items) volumes_from(from, place);
    for (const Member &network : map_of(service, "networks").members) {
      if (network.key != "default") expect("networks", network.key, network.at, join_path(place, "networks"));
    }
    networks_or_mode(service, place);
    for (const Value &mount : map_of(service, "volumes").items) mounted(mount, place);
    for (const std::string_view key : {"secrets", "configs"}) {
      for (const Value &file : map_of(service, key).items) {
        if (const Value *source = file.find("source")) expect(key, source->text, source->at, join_path(place, key));
      }
    }
    replicas(service, place);
  }

  void source_of(const Member &member, const std::string &place) {
    const Value &service = member.value;
    if (service.find("image") != nullptr || service.find("build") != nullptr || service.find("provider") != nullptr) {
      return;
    }
    const Value *own = service.find("x-skiff");
    if (own != nullptr && own->find("rootfs") != nullptr) return;
    findings_.error(member.at, "no-image", fmt::format("{}: it has neither an image nor a build context", place),
                    "give it image: or build:");
  }

  void depends_on(const Member &dependency, const std::string &self, const std::string &place) {
    if (dependency.key == self) return;  // a cycle of one, told as such
    if (services_.find(dependency.key) != nullptr || !is_yes(dependency.value, "required", true)) return;
    named_service(dependency.key, dependency.at, join_path(place, "depends_on"));
  }

  void named_service(const std::string &name, Position at, const std::string &place) {
    const Value *off = disabled_.find(name);
    if (off == nullptr) {
      findings_.error(at, "undefined-service", fmt::format("{}: there is no service {}", place, name),
                      did_you_mean(services_, name, "define it under services:"));
      return;
    }
    std::string profiles;
    for (const Value &profile : map_of(*off, "profiles").items) profiles += " --profile " + profile.text;
    findings_.error(at, "disabled-service",
                    fmt::format("{}: the service {} belongs to a profile that is not active", place, name),
                    fmt::format("activate it with{}", profiles));
  }

  void shared(const Value &service, std::string_view key, const std::string &self, const std::string &place) {
    const Value *mode = service.find(key);
    if (mode == nullptr || !mode->text.starts_with("service:")) return;
    const std::string name = mode->text.substr(8);
    if (name == self) {
      findings_.error(mode->at, "dependency-cycle", fmt::format("{}.{}: a service cannot share its own", place, key));
    } else if (services_.find(name) == nullptr) {
      named_service(name, mode->at, join_path(place, key));
    }
  }

  void volumes_from(const Value &from, const std::string &place) {
    if (from.text.starts_with("container:")) return;
    const std::string name = from.text.substr(0, from.text.find(':'));
    if (services_.find(name) == nullptr) named_service(name, from.at, join_path(place, "volumes_from"));
  }

  void expect(std::string_view kind, const std::string &name, Position at, const std::string &place) {
    const Value &there = map_of(model_, kind);
    if (there.find(name) != nullptr) return;
    const std::string one(kind.substr(0, kind.size() - 1));
    findings_.error(at, fmt::format("undefined-{}", one), fmt::format("{}: there is no {} {}", place, one, name),
                    did_you_mean(there, name, fmt::format("define it under the top level's {}:", kind)));
  }

  void networks_or_mode(const Value &service, const std::string &place) {
    const Value *mode = service.find("network_mode");
    if (mode == nullptr || map_of(service, "networks").members.empty()) return;
    findings_.error(mode->at, "network-mode", fmt::format("{}: networks and network_mode exclude each other", place),
                    "remove one of them");
  }

  void mounted(const Value &mount, const std::string &place) {
    const Value *type = mount.find("type");
    const Value *source = mount.find("source");
    const Value *target = mount.find("target");
    if (target == nullptr || target->text.empty()) {
      findings_.error(mount.at, "volume", fmt::format("{}.volumes: target is missing", place));
    }
    if (type == nullptr) return;
    if (type->text == "bind" && source == nullptr) {
      findings_.error(mount.at, "volume", fmt::format("{}.volumes: a bind needs a source", place));
    }
    if (type->text == "volume" && source != nullptr && !source->text.empty()) {
      expect("volumes", source->text, source->at, join_path(place, "volumes"));
    }
  }

  void replicas(const Value &service, const std::string &place) {
    const Value *name = service.find("container_name");
    const Value *scale = service.find("scale");
    const Value *count = map_of(service, "deploy").find("replicas");
    const Value *many = scale != nullptr ? scale : count;
    if (scale != nullptr && count != nullptr && scale->text != count->text) {
      findings_.error(scale->at, "scale", fmt::format("{}: scale and deploy.replicas differ", place),
                      "keep one of them");
    }
    if (name == nullptr || many == nullptr || many->text == "0" || many->text == "1") return;
    findings_.error(name->at, "container-name",
                    fmt::format("{}: container_name is one name, and {} containers want it", place, many->text),
                    "remove container_name");
  }

  // Depth first, each service once; the way down is what a cycle is printed of.
  void cycles() {
    std::map<std::string, int> seen;
    for (const Member &member : services_.members) {
      std::vector<std::string> way;
      visit(member.key, way, seen);
    }
  }

  void visit(const std::string &name, std::vector<std::string> &way, std::map<std::string, int> &seen) {
    const Value *service = services_.find(name);
    if (service == nullptr || seen[name] == 2) return;
    way.push_back(name);
    seen[name] = 1;
    for (const Member &dependency : map_of(*service, "depends_on").members) {
      const auto begin = std::ranges::find(way, dependency.key);
      if (begin == way.end()) {
        visit(dependency.key, way, seen);
      } else {
        tell_cycle({begin, way.end()}, dependency);
      }
    }
    seen[name] = 2;
    way.pop_back();
  }

  void tell_cycle(const std::vector<std::string> &way, const Member &last) {
    std::string path;
    for (const std::string &name : way) path += name + " -> ";
    findings_.error(last.at, "dependency-cycle",
                    fmt::format("services.{}.depends_on: a cycle: {}{}", way.back(), path, last.key),
                    "one of them has to start first");
  }

  // Two services that publish the same port: the second would fail, after the first has started.
  void ports() {
    std::map<std::string, std::string> taken;
    for (const Member &member : services_.members) {
      for (const Value &port : map_of(member.value, "ports").items) published(port, member.key, taken);
    }
  }

  void published(const Value &port, const std::string &service, std::map<std::string, std::string> &taken) {
    const Value *host = port.find("published");
    const Value *protocol = port.find("protocol");
    const Value *address = port.find("host_ip");
    if (host == nullptr || host->text.empty() || host->text == "0" || host->text.find('-') != std::string::npos) return;
    const std::string name = fmt::format("{}:{}/{}", address == nullptr ? "" : address->text, host->text,
                                         protocol == nullptr ? "tcp" : protocol->text);
    const auto [there, fresh] = taken.emplace(name, service);
    if (fresh) return;
    // A warning: people start one or the other of two.
    findings_.warn(port.at, "port-twice",
                   fmt::format("services.{}.ports: {} is published by {} already", service, host->text, there->second),
                   "publish another port where both are to run");
  }

  const Value &model_;
  const Value &services_;
  const Value &disabled_;
  Findings &findings_;
};

}  // namespace

void check_references(const Value &model, const Value &disabled, Findings &findings) {
  References(model, disabled, findings).check();
}

}  // namespace skiff::compose
