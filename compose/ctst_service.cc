#include "compose/ctst_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "compose/ctst_values.h"
#include "runtime/cli/nearest.h"
#include "spec/text.h"

namespace skiff::compose::ctst {
namespace {

constexpr Allowed with_secrets_allowed = {.components = true, .secrets = true};

Value scalar(Value::Kind kind, std::string text, Position at) {
  Value value;
  value.kind = kind;
  value.text = std::move(text);
  value.at = at;
  return value;
}

Value number(std::uint64_t value, Position at) { return scalar(Value::Kind::number, fmt::format("{}", value), at); }
Value boolean(bool value, Position at) { return scalar(Value::Kind::boolean, value ? "true" : "false", at); }

Value list_of(const std::vector<At> &items, Position at) {
  Value list = Value::of_list(at);
  for (const At &item : items) list.items.push_back(Value::of_string(item.text, item.at));
  return list;
}

void put(Value &map, std::string_view key, Value value, Position at) {
  map.members.push_back({.key = std::string(key), .at = at, .value = std::move(value)});
}

class ServiceWriter {
 public:
  ServiceWriter(const ServiceParts &parts, Typed &typed, Findings &findings)
      : parts_(parts),
        flat_(parts.flat),
        facts_(parts.facts.at(parts.flat.name.text)),
        typed_(typed),
        findings_(findings) {}

  Value write();
  static bool knows(std::string_view key);
  static std::string_view nearest(std::string_view key);

 private:
  using Method = void (ServiceWriter::*)(const Entry &);
  struct Property {
    std::string_view key;
    Method write;  // null: of read_facts
  };
  static const std::array<Property, 28> properties;

  void put_at(const Entry &entry, std::string_view key, Value value) {
    put(service_, key, std::move(value), entry.key.at);
  }
  void text_as(const Entry &entry, std::string_view key) {
    if (const auto text = typed_.string(entry.key.text, entry.value)) {
      put_at(entry, key, Value::of_string(text->text, text->at));
    }
  }
  void words_as(const Entry &entry, std::string_view key);
  void duration_as(const Entry &entry, std::string_view key);
  std::optional<std::string> duration(std::string_view place, const Node &node);

  void memory(const Entry &entry);
  void cpu(const Entry &entry);
  void env(const Entry &entry);
  void variable(const Entry &entry, Value &map);
  void volumes(const Entry &entry);
  std::optional<Value> volume(std::string_view place, const At &text);
  void command(const Entry &entry) { words_as(entry, "command"); }
  void entrypoint(const Entry &entry) { words_as(entry, "entrypoint"); }
  void readonly(const Entry &entry) {
    if (const auto on = typed_.boolean("readonly", entry.value)) read_only_ = {*on, entry.value.at};
  }
  void workdir(const Entry &entry) { text_as(entry, "working_dir"); }
  void user(const Entry &entry) { text_as(entry, "user"); }
  void hostname(const Entry &entry) { text_as(entry, "hostname"); }
  void restart(const Entry &entry);
  void healthcheck(const Entry &entry);
  void health_command(const Node &node, Position key, Value &check);
  void caps(const Entry &entry) {
    if (const auto names = typed_.strings("caps", entry.value))
      put_at(entry, "cap_add", list_of(*names, entry.value.at));
  }
  void tmpfs(const Entry &entry) {
    if (const auto paths = typed_.string_or_strings("tmpfs", entry.value)) {
      put_at(entry, "tmpfs", list_of(*paths, entry.value.at));
    }
  }
  void pids(const Entry &entry) {
    if (const auto count = typed_.integer("pids", entry.value)) {
      put_at(entry, "pids_limit", number(*count, entry.value.at));
    }
  }
  void replicas(const Entry &entry) { put_at(entry, "scale", number(facts_.replicas, entry.value.at)); }
  void stop_signal(const Entry &entry) { text_as(entry, "stop_signal"); }
  void stop_timeout(const Entry &entry);
  void seccomp(const Entry &entry);
  void devices(const Entry &entry) {
    if (const auto all = typed_.strings("devices", entry.value))
      put_at(entry, "devices", list_of(*all, entry.value.at));
  }
  void labels(const Entry &entry);

  void put_image();
  void put_defaults();
  void put_environment();
  void inject(const Link &link);
  void inject_one(const Link &link, const std::string &key, std::string text);
  void put_ports();
  void put_network();
  void put_dependencies();
  void put_secrets();
  void put_extension();

  const ServiceParts &parts_;
  const Flat &flat_;
  const Facts &facts_;
  Typed &typed_;
  Findings &findings_;
  Value service_;
  Value environment_ = Value::of_map();
  std::pair<bool, Position> read_only_ = {true, {}};
  std::vector<At> references_;
  std::optional<At> seccomp_;
};

constexpr std::array<ServiceWriter::Property, 28> ServiceWriter::properties = {
    {{"image", nullptr},
     {"port", nullptr},
     {"ports", nullptr},
     {"network", nullptr},
     {"protocol", nullptr},
     {"template", nullptr},
     {"memory", &ServiceWriter::memory},
     {"cpu", &ServiceWriter::cpu},
     {"env", &ServiceWriter::env},
     {"volume", &ServiceWriter::volumes},
     {"volumes", &ServiceWriter::volumes},
     {"command", &ServiceWriter::command},
     {"entrypoint", &ServiceWriter::entrypoint},
     {"readonly", &ServiceWriter::readonly},
     {"workdir", &ServiceWriter::workdir},
     {"user", &ServiceWriter::user},
     {"hostname", &ServiceWriter::hostname},
     {"restart", &ServiceWriter::restart},
     {"healthcheck", &ServiceWriter::healthcheck},
     {"caps", &ServiceWriter::caps},
     {"tmpfs", &ServiceWriter::tmpfs},
     {"pids", &ServiceWriter::pids},
     {"replicas", &ServiceWriter::replicas},
     {"stop_signal", &ServiceWriter::stop_signal},
     {"stop_timeout", &ServiceWriter::stop_timeout},
     {"seccomp", &ServiceWriter::seccomp},
     {"devices", &ServiceWriter::devices},
     {"labels", &ServiceWriter::labels}}};

bool ServiceWriter::knows(std::string_view key) {
  return std::ranges::find(properties, key, &Property::key) != properties.end();
}

std::string_view ServiceWriter::nearest(std::string_view key) {
  cli::Nearest found(key);
  for (const Property &one : properties) found.offer(one.key);
  return found.found();
}

Value ServiceWriter::write() {
  service_ = Value::of_map(flat_.name.at);
  read_only_.second = flat_.name.at;
  put_image();
  for (const Entry &entry : flat_.properties) {
    const auto *const property = std::ranges::find(properties, entry.key.text, &Property::key);
    // The others are told already.
    if (property != properties.end() && property->write != nullptr) (this->*property->write)(entry);
  }
  put_defaults();
  put_environment();
  put_ports();
  put_network();
  put_dependencies();
  put_secrets();
  put_extension();
  return std::move(service_);
}

void ServiceWriter::words_as(const Entry &entry, std::string_view key) {
  const auto words = typed_.strings(entry.key.text, entry.value, with_secrets_allowed);
  if (!words) return;
  const bool secret = std::ranges::any_of(*words, &At::has_secret);
  if (secret) {
    // All of its texts are read in one way.
    references_.push_back({.text = std::string(key), .at = entry.value.at});
    findings_.warn(entry.key.at, "secret-in-command",
                   fmt::format("{}.{}: whoever lists processes sees the secret", flat_.name.text, entry.key.text),
                   "put it into env, or read it from /run/secrets");
  }
  Value list = Value::of_list(entry.value.at);
  for (const At &word : *words) {
    std::string text = word.text;
    if (secret && !word.has_secret) {
      text.clear();
      for (const char letter : word.text) text.append(letter == '$' ? 2 : 1, letter);
    }
    list.items.push_back(Value::of_string(std::move(text), word.at));
  }
  put_at(entry, key, std::move(list));
}

std::optional<std::string> ServiceWriter::duration(std::string_view place, const Node &node) {
  const std::optional<At> text = typed_.string(place, node);
  if (!text) return std::nullopt;
  const std::optional<std::string> parsed = parse_duration(text->text);
  if (!parsed)
    typed_.refuse(place, node.at, fmt::format("\"{}\" is no duration", text->text), "write 30s, 1m30s or 250ms");
  return parsed;
}

void ServiceWriter::memory(const Entry &entry) {
  const std::optional<At> text = typed_.string("memory", entry.value);
  if (!text) return;
  const std::optional<Size> size = parse_size(text->text);
  if (!size) {
    return typed_.refuse("memory", text->at, fmt::format("\"{}\" is no size", text->text),
                         "write 64MiB, 1GB or bytes alone");
  }
  if (size->docker_suffix) {
    findings_.warn(text->at, "size-suffix",
                   fmt::format("{}.memory: \"{}\" is taken for {} bytes", flat_.name.text, text->text, size->bytes),
                   "write KiB, MiB, GiB or KB, MB, GB");
  }
  put_at(entry, "mem_limit", number(size->bytes, text->at));
}

void ServiceWriter::cpu(const Entry &entry) {
  const std::optional<At> text = typed_.string("cpu", entry.value);
  if (!text) return;
  const std::optional<Cpu> cpu = parse_cpu(text->text);
  if (!cpu) {
    return typed_.refuse("cpu", text->at, fmt::format("\"{}\" is neither shares nor cores", text->text),
                         "write \"512\" for shares (2 to 262144), \"1.5\" for cores");
  }
  put_at(entry, cpu->is_shares ? "cpu_shares" : "cpus", scalar(Value::Kind::number, cpu->number, text->at));
}

void ServiceWriter::env(const Entry &entry) {
  if (entry.value.kind != Node::Kind::map)
    return typed_.refuse_type("env", entry.value, "a map", "write { NAME = \"value\" }");
  environment_.at = entry.value.at;
  for (const Entry &one : entry.value.entries) variable(one, environment_);
}

void ServiceWriter::variable(const Entry &entry, Value &map) {
  const std::string place = "env." + entry.key.text;
  if (entry.value.kind == Node::Kind::integer) {
    return put(map, entry.key.text, Value::of_string(entry.value.word, entry.value.at), entry.key.at);
  }
  const std::optional<At> text = typed_.string(place, entry.value, with_secrets_allowed);
  if (!text) return;
  if (text->has_secret) references_.push_back({.text = "environment." + entry.key.text, .at = text->at});
  put(map, entry.key.text, Value::of_string(text->text, text->at), entry.key.at);
}

void ServiceWriter::volumes(const Entry &entry) {
  const bool one = entry.key.text == "volume";
  std::optional<std::vector<At>> texts;
  if (one) {
    if (std::optional<At> text = typed_.string("volume", entry.value)) texts = {{std::move(*text)}};
  } else {
    texts = typed_.strings("volumes", entry.value);
  }
  if (!texts) return;
  Value list = Value::of_list(entry.value.at);
  for (std::size_t i = 0; i < texts->size(); ++i) {
    const std::string place = one ? "volume" : fmt::format("volumes[{}]", i);
    if (std::optional<Value> mount = volume(place, (*texts)[i])) list.items.push_back(std::move(*mount));
  }
  put_at(entry, "volumes", std::move(list));
}

std::optional<Value> ServiceWriter::volume(std::string_view place, const At &text) {
  constexpr std::string_view remedy = "write SOURCE:/TARGET or SOURCE:/TARGET:ro";
  const std::size_t first = text.text.find(':');
  const std::size_t second = first == std::string::npos ? first : text.text.find(':', first + 1);
  const std::string source = text.text.substr(0, first);
  const std::string target = first == std::string::npos ? "" : text.text.substr(first + 1, second - first - 1);
  const std::string option = second == std::string::npos ? "" : text.text.substr(second + 1);
  const auto refuse = [&](std::string_view what) {
    typed_.refuse(place, text.at, fmt::format("\"{}\": {}", text.text, what), std::string(remedy));
    return std::nullopt;
  };
  if (source.empty() || target.empty()) return refuse("no source and target");
  if (!target.starts_with('/')) return refuse("the target is no absolute path");
  if (second != std::string::npos && option != "ro") return refuse(fmt::format("{} is no option", option));
  const std::string path = absolute(source, parts_.library.folder_of(text.at));
  if (path.empty()) return refuse("a relative source in a file that came by https");
  Value mount = Value::of_map(text.at);
  put(mount, "type", Value::of_string("bind", text.at), text.at);
  put(mount, "source", Value::of_string(path, text.at), text.at);
  put(mount, "target", Value::of_string(target, text.at), text.at);
  if (option == "ro") put(mount, "read_only", boolean(true, text.at), text.at);
  // As the same words mean in compose.yaml.
  mount.get("bind").get("create_host_path") = boolean(true, text.at);
  return mount;
}

void ServiceWriter::restart(const Entry &entry) {
  const std::optional<At> text = typed_.string("restart", entry.value);
  if (!text) return;
  constexpr std::array<std::string_view, 4> names = {"never", "no", "on-failure", "always"};
  if (std::ranges::find(names, text->text) == names.end()) {
    cli::Nearest nearest(text->text);
    for (const std::string_view name : names) nearest.offer(name);
    return typed_.refuse("restart", text->at, fmt::format("\"{}\" is no policy", text->text),
                         nearest.found().empty() ? "write never, on-failure or always"
                                                 : fmt::format("did you mean {}?", nearest.found()));
  }
  put_at(entry, "restart", Value::of_string(text->text == "never" ? "no" : text->text, text->at));
}

void ServiceWriter::healthcheck(const Entry &entry) {
  if (entry.value.kind != Node::Kind::map) {
    return typed_.refuse_type("healthcheck", entry.value, "a map", "write { command = [\"...\"] }");
  }
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> durations = {
      {{"interval", "30s"}, {"timeout", "5s"}, {"start_period", "0s"}}};
  const Position at = entry.value.at;
  Value check = Value::of_map(at);
  const auto find = [&](std::string_view key) {
    const auto found = std::ranges::find_if(entry.value.entries, [&](const Entry &one) { return one.key.text == key; });
    return found == entry.value.entries.end() ? nullptr : &*found;
  };
  if (const Entry *one = find("command")) {
    health_command(one->value, one->key.at, check);
  } else {
    typed_.refuse("healthcheck", at, "it has no command", "add command = [\"...\"]");
  }
  for (const auto &[key, initial] : durations) {
    const Entry *one = find(key);
    const std::optional<std::string> text =
        one == nullptr ? std::string(initial) : duration(fmt::format("healthcheck.{}", key), one->value);
    if (text) put(check, key, Value::of_string(*text, one == nullptr ? at : one->value.at), at);
  }
  const Entry *retries = find("retries");
  const std::optional<std::uint64_t> count =
      retries == nullptr ? 3 : typed_.integer("healthcheck.retries", retries->value);
  if (count && *count == 0) typed_.refuse("healthcheck.retries", retries->value.at, "0 is too few", "write 1 or more");
  if (count) put(check, "retries", number(*count, retries == nullptr ? at : retries->value.at), at);
  for (const Entry &one : entry.value.entries) {
    constexpr std::array<std::string_view, 5> known = {"command", "interval", "timeout", "retries", "start_period"};
    if (std::ranges::find(known, one.key.text) != known.end()) continue;
    cli::Nearest nearest(one.key.text);
    for (const std::string_view name : known) nearest.offer(name);
    typed_.refuse("healthcheck", one.key.at, fmt::format("there is no {}", one.key.text),
                  nearest.found().empty() ? "it has command, interval, timeout, retries and start_period"
                                          : fmt::format("did you mean {}?", nearest.found()),
                  "unknown-property");
  }
  put_at(entry, "healthcheck", std::move(check));
}

void ServiceWriter::health_command(const Node &node, Position key, Value &check) {
  const auto words = typed_.strings("healthcheck.command", node);
  if (!words) return;
  if (words->empty()) return typed_.refuse("healthcheck.command", node.at, "it is empty", "add the words of a command");
  Value test = list_of(*words, node.at);
  test.items.insert(test.items.begin(), Value::of_string("CMD", node.at));
  put(check, "test", std::move(test), key);
}

void ServiceWriter::stop_timeout(const Entry &entry) {
  // docker's --stop-timeout are whole seconds.
  const std::optional<std::string> text = entry.value.kind == Node::Kind::integer
                                              ? parse_duration(entry.value.word)
                                              : duration("stop_timeout", entry.value);
  if (text) put_at(entry, "stop_grace_period", Value::of_string(*text, entry.value.at));
}

void ServiceWriter::seccomp(const Entry &entry) {
  constexpr std::array<std::string_view, 4> profiles = {"default", "minimal", "strict", "disabled"};
  seccomp_ = typed_.string("seccomp", entry.value);
  if (!seccomp_ || std::ranges::find(profiles, seccomp_->text) != profiles.end()) return;
  const std::string path = absolute(seccomp_->text, parts_.library.folder_of(seccomp_->at));
  if (path.empty()) return typed_.refuse("seccomp", seccomp_->at, "a relative path in a file that came by https");
  seccomp_->text = path;
}

void ServiceWriter::labels(const Entry &entry) {
  if (entry.value.kind == Node::Kind::list) {
    if (const auto all = typed_.strings("labels", entry.value)) put_at(entry, "labels", list_of(*all, entry.value.at));
    return;
  }
  if (entry.value.kind != Node::Kind::map) {
    return typed_.refuse_type("labels", entry.value, "a map or a list",
                              "write { name = \"value\" } or [\"name=value\"]");
  }
  Value map = Value::of_map(entry.value.at);
  for (const Entry &one : entry.value.entries) {
    const bool digits = one.value.kind == Node::Kind::integer;
    const std::optional<At> text =
        digits ? At{.text = one.value.word, .at = one.value.at} : typed_.string("labels." + one.key.text, one.value);
    if (text) put(map, one.key.text, Value::of_string(text->text, text->at), one.key.at);
  }
  put_at(entry, "labels", std::move(map));
}

void ServiceWriter::put_image() {
  if (!facts_.image || facts_.image->image.empty()) return;
  put(service_, "image", Value::of_string(facts_.image->image, facts_.image_at), facts_.image_at);
  if (facts_.image->local) put(service_, "pull_policy", Value::of_string("never", facts_.image_at), facts_.image_at);
}

void ServiceWriter::put_defaults() {
  const Position at = flat_.name.at;
  if (flat_.find("hostname") == nullptr) put(service_, "hostname", Value::of_string(flat_.name.text, at), at);
  put(service_, "read_only", boolean(read_only_.first, read_only_.second), read_only_.second);
  // CTST.md, "Properties": all capabilities are dropped unless `caps` lists them.
  Value all = Value::of_list(at);
  all.items.push_back(Value::of_string("ALL", at));
  put(service_, "cap_drop", std::move(all), at);
}

void ServiceWriter::put_environment() {
  for (const Link &link : parts_.wiring.links) {
    if (link.from == flat_.name.text) inject(link);
  }
  if (!environment_.members.empty()) put(service_, "environment", std::move(environment_), environment_.at);
}

void ServiceWriter::inject(const Link &link) {
  const Endpoint &endpoint = parts_.facts.at(link.to).endpoint;
  const std::string prefix = variable_prefix(link.to);
  inject_one(link, prefix + "_HOST", endpoint.host);
  if (!endpoint.port) return;
  inject_one(link, prefix + "_PORT", fmt::format("{}", *endpoint.port));
  inject_one(link, prefix + "_CONNECTION_STRING", endpoint.connection_string());
}

void ServiceWriter::inject_one(const Link &link, const std::string &key, std::string text) {
  const auto by_hand = std::ranges::find(environment_.members, key, &Member::key);
  if (by_hand != environment_.members.end()) {
    findings_.note(by_hand->at, "env-by-hand",
                   fmt::format("{}.env.{} stays as it is written here, in place of {} by CONNECT {} -> {}",
                               flat_.name.text, key, text, link.from, link.to));
    return;
  }
  put(environment_, key, Value::of_string(std::move(text), link.at), link.at);
}

void ServiceWriter::put_ports() {
  const auto found = parts_.wiring.published.find(flat_.name.text);
  const bool any = found != parts_.wiring.published.end() && !found->second.empty();
  Value ports = Value::of_list(flat_.name.at);
  for (std::size_t i = 0; any && i < found->second.size(); ++i) {
    const Published &one = found->second[i];
    Value port = Value::of_map(one.at);
    put(port, "target", number(one.container, one.at), one.at);
    put(port, "published", Value::of_string(fmt::format("{}", one.host), one.at), one.at);
    put(port, "protocol", Value::of_string("tcp", one.at), one.at);
    ports.items.push_back(std::move(port));
  }
  if (any) put(service_, "ports", std::move(ports), found->second.front().at);
  if (facts_.publishes || facts_.ports.empty()) return;
  Value expose = Value::of_list(facts_.ports.front().at);
  for (const DeclaredPort &port : facts_.ports) {
    expose.items.push_back(Value::of_string(fmt::format("{}", port.number), port.at));
  }
  put(service_, "expose", std::move(expose), facts_.ports.front().at);
}

void ServiceWriter::put_network() {
  if (facts_.network == "bridge") return;
  if (facts_.network == "host" || facts_.network == "none") {
    return put(service_, "network_mode", Value::of_string(facts_.network, facts_.network_at), facts_.network_at);
  }
  Value networks = Value::of_map(facts_.network_at);
  put(networks, facts_.network, Value{}, facts_.network_at);
  put(service_, "networks", std::move(networks), facts_.network_at);
}

// CTST.md, "CONNECT": a waits until b is healthy, or started where b has no healthcheck.
void ServiceWriter::put_dependencies() {
  Value map = Value::of_map(flat_.name.at);
  for (const Link &link : parts_.wiring.links) {
    if (link.from != flat_.name.text) continue;
    const bool healthy = parts_.facts.at(link.to).has_health_check;
    Value dependency = Value::of_map(link.at);
    put(dependency, "condition", Value::of_string(healthy ? "service_healthy" : "service_started", link.at), link.at);
    put(dependency, "required", boolean(true, link.at), link.at);
    put(map, link.to, std::move(dependency), link.at);
  }
  if (map.members.empty()) return;
  const Position at = map.members.front().at;
  put(service_, "depends_on", std::move(map), at);
}

void ServiceWriter::put_secrets() {
  if (parts_.secrets.empty()) return;
  Value list = Value::of_list(flat_.name.at);
  for (const auto &[name, at] : parts_.secrets) {
    Value secret = Value::of_map(at);
    put(secret, "source", Value::of_string(name, at), at);
    put(secret, "target", Value::of_string("/run/secrets/" + name, at), at);
    list.items.push_back(std::move(secret));
  }
  put(service_, "secrets", std::move(list), flat_.name.at);
}

void ServiceWriter::put_extension() {
  Value extension = Value::of_map(flat_.name.at);
  if (facts_.image && !facts_.image->rootfs.empty()) {
    put(extension, "rootfs", Value::of_string(facts_.image->rootfs, facts_.image_at), facts_.image_at);
  }
  if (seccomp_) put(extension, "seccomp", Value::of_string(seccomp_->text, seccomp_->at), seccomp_->at);
  if (!references_.empty()) put(extension, "secret_references", list_of(references_, flat_.name.at), flat_.name.at);
  if (!extension.members.empty()) put(service_, "x-skiff", std::move(extension), flat_.name.at);
}

}  // namespace

Value make_service(const ServiceParts &parts, Typed &typed, Findings &findings) {
  return ServiceWriter(parts, typed, findings).write();
}

bool is_property(std::string_view key) { return ServiceWriter::knows(key); }

std::string nearest_property(std::string_view key) {
  return std::string(ServiceWriter::nearest(spec::lower_case(key)));
}

}  // namespace skiff::compose::ctst
