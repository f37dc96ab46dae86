#include "compose/convert_component.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "compose/ctst_text.h"
#include "compose/ctst_values.h"
#include "compose/lower.h"
#include "compose/scalars.h"

namespace skiff::compose {
namespace {

using ctst::is_name;
using ctst::quote_text;

std::string list_text(const std::vector<std::string> &words) {
  std::vector<std::string> quoted;
  for (const std::string &word : words) quoted.push_back(quote_text(word));
  return fmt::format("[{}]", fmt::join(quoted, ", "));
}

bool is_one_of(std::string_view key, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, key) != names.end();
}

// "${X}", "$X" and "${X:-default}" alone: the name, and ":-default".
std::optional<std::string> variable_alone(std::string_view written) {
  if (!written.starts_with('$')) return std::nullopt;
  std::string_view inside = written.substr(1);
  const bool braces = inside.starts_with('{');
  if (braces && !inside.ends_with('}')) return std::nullopt;
  if (braces) inside = inside.substr(1, inside.size() - 2);
  const std::size_t mark = braces ? inside.find(":-") : std::string_view::npos;
  const std::string_view name = inside.substr(0, mark);
  const std::string_view initial = mark == std::string_view::npos ? "" : inside.substr(mark + 2);
  if (!is_name(name) || name.find('-') != std::string_view::npos) return std::nullopt;
  if (initial.find_first_of("${}\"\\\n\t") != std::string_view::npos) return std::nullopt;
  return fmt::format("\"${{env.{}}}\"", inside);
}

class ComponentWriter {
 public:
  ComponentWriter(const ConvertRequest &request, const Service &service,
                  const std::map<std::string, std::string> &names, Findings &findings)
      : request_(request), service_(service), names_(names), findings_(findings), name_(names.at(service.name)) {
    if (const Value *all = request.project.canonical.find("services")) canonical_ = all->find(service.name);
  }

  ConvertedComponent write();

 private:
  void property(std::string_view key, std::string value) {
    properties_.push_back(fmt::format("  {} = {}", key, value));
  }
  [[nodiscard]] Position at(std::string_view key) const {
    const Value *value = canonical_ == nullptr ? nullptr : canonical_->find(key);
    return value == nullptr || value->at.line == 0 ? service_.at : value->at;
  }
  // What is only a comment: "ports 127.0.0.1:80:80".
  void leave(std::string_view what, Position place) {
    findings_.warn(place, "not-in-ctst", fmt::format("services.{}.{}: .ctst cannot say it", service_.name, what));
    comments_.push_back(fmt::format("  // {}", what));
  }
  void leave_key(const Member &member);

  void image();
  void command();
  void environment();
  void names();
  void labels();
  void ports();
  void publish(const std::vector<Port> &published);
  void volumes();
  void volume(const Mount &mount, Position place, std::vector<std::string> &binds, std::vector<std::string> &tmpfs);
  void network();
  void dependencies();
  void health_check();
  void health_command(const HealthCheck &check);
  void restart();
  void stopping();
  void resources();
  void capabilities();
  void security();
  void devices();
  void others();
  void deploy(const Value &value);

  const ConvertRequest &request_;
  const Service &service_;
  const std::map<std::string, std::string> &names_;
  Findings &findings_;
  const std::string &name_;
  const Value *canonical_ = nullptr;
  std::vector<std::string> properties_;
  std::vector<std::string> comments_;
  ConvertedComponent out_;
};

ConvertedComponent ComponentWriter::write() {
  image();
  command();
  environment();
  names();
  ports();
  volumes();
  network();
  health_check();
  restart();
  stopping();
  resources();
  capabilities();
  security();
  devices();
  labels();
  dependencies();
  others();
  if (name_ != service_.name) leave(fmt::format("name {}", service_.name), service_.at);
  out_.lines.push_back(fmt::format("COMPONENT {} {{", name_));
  for (std::vector<std::string> *lines : {&properties_, &comments_}) {
    out_.lines.insert(out_.lines.end(), lines->begin(), lines->end());
  }
  out_.lines.emplace_back("}");
  return std::move(out_);
}

void ComponentWriter::image() {
  if (!service_.rootfs.empty()) return property("image", quote_text("file://" + service_.rootfs));
  if (service_.image.empty()) {
    // What docker compose calls an image that is only built.
    property("image", quote_text(fmt::format("image://{}-{}", request_.project.name, service_.name)));
  } else if (ctst::parse_image(service_.image, request_.folder)) {
    const bool local = service_.pull_policy == "never" && service_.image.find("://") == std::string::npos;
    property("image", quote_text((local ? "image://" : "") + service_.image));
    if (local) return;
  } else {
    property("image", quote_text("image://" + service_.name));
    leave(fmt::format("image {}", service_.image), at("image"));
  }
  if (!service_.pull_policy.empty() && service_.pull_policy != "missing" && service_.pull_policy != "if_not_present") {
    leave(fmt::format("pull_policy {}", service_.pull_policy), at("pull_policy"));
  }
}

void ComponentWriter::command() {
  if (service_.entrypoint) property("entrypoint", list_text(*service_.entrypoint));
  if (service_.command) property("command", list_text(*service_.command));
}

void ComponentWriter::environment() {
  if (service_.environment.empty()) return;
  const Value *services = request_.written == nullptr ? nullptr : request_.written->find("services");
  const Value *service = services == nullptr ? nullptr : services->find(service_.name);
  const Value *written = service == nullptr ? nullptr : service->find("environment");
  std::vector<std::string> lines;
  for (const auto &[key, value] : service_.environment) {
    if (!is_name(key) || !value) {
      leave(value ? fmt::format("environment {}={}", key, *value) : fmt::format("environment {}", key),
            at("environment"));
      continue;
    }
    const Value *raw = written == nullptr ? nullptr : written->find(key);
    const std::optional<std::string> variable = raw == nullptr ? std::nullopt : variable_alone(raw->text);
    lines.push_back(fmt::format("    {} = {}", key, variable ? *variable : quote_text(*value)));
  }
  if (lines.empty()) return;
  properties_.emplace_back("  env = {");
  properties_.insert(properties_.end(), lines.begin(), lines.end());
  properties_.emplace_back("  }");
}

void ComponentWriter::names() {
  if (!service_.hostname.empty() && service_.hostname != name_) property("hostname", quote_text(service_.hostname));
  if (!service_.user.empty()) property("user", quote_text(service_.user));
  if (!service_.working_dir.empty()) property("workdir", quote_text(service_.working_dir));
  if (!service_.read_only) property("readonly", "false");
  if (service_.replicas != 1) property("replicas", fmt::format("{}", service_.replicas));
}

void ComponentWriter::labels() {
  if (service_.labels.empty()) return;
  std::vector<std::string> all;
  for (const auto &[key, value] : service_.labels) all.push_back(fmt::format("{}={}", key, value));
  property("labels", list_text(all));
}

void ComponentWriter::ports() {
  std::vector<Port> published;
  for (const Port &port : service_.ports) {
    if (port.protocol == "tcp" && port.host && port.host_address.empty()) {
      published.push_back(port);
      continue;
    }
    const std::string host = port.host ? fmt::format("{}", *port.host) : std::string();
    leave(fmt::format("ports {}{}{}:{}/{}", port.host_address, port.host_address.empty() ? "" : ":", host,
                      port.container, port.protocol),
          at("ports"));
  }
  std::vector<std::string> only_named;
  for (const std::string &text : service_.expose) {
    const std::string_view digits = std::string_view(text).substr(0, text.find("/tcp"));
    const std::optional<std::uint16_t> number = ctst::parse_port(digits);
    const auto same = [&](const Port &port) { return number && port.container == *number; };
    if (std::ranges::any_of(published, same)) continue;
    only_named.emplace_back(number ? digits : std::string_view(text));
  }
  if (published.empty() && !only_named.empty() && ctst::parse_port(only_named.front())) {
    property("port", only_named.front());
    only_named.erase(only_named.begin());
  }
  for (const std::string &text : only_named) leave(fmt::format("expose {}", text), at("expose"));
  publish(published);
}

void ComponentWriter::publish(const std::vector<Port> &published) {
  std::vector<std::string> numbers;
  bool all_own = true;
  for (const Port &port : published) {
    const std::string number = fmt::format("{}", port.container);
    if (std::ranges::find(numbers, number) == numbers.end()) numbers.push_back(number);
    all_own = all_own && port.container == *port.host;
  }
  if (numbers.empty()) return;
  if (numbers.size() == 1 && !all_own) {
    property("port", numbers.front());
  } else {
    property("ports", fmt::format("[{}]", fmt::join(numbers, ", ")));
  }
  for (const Port &port : published) {
    const auto others = std::ranges::count(published, port.container, &Port::container);
    // Under its own number it is published by `ports` already, unless another EXPOSE takes its place.
    if (*port.host == port.container && others == 1) continue;
    out_.exposes.push_back(fmt::format("EXPOSE {} {}:{}", name_, *port.host, port.container));
  }
}

void ComponentWriter::volumes() {
  std::vector<std::string> binds;
  std::vector<std::string> tmpfs;
  for (const Mount &mount : service_.mounts) {
    volume(mount, at(mount.kind == Mount::Kind::tmpfs ? "tmpfs" : "volumes"), binds, tmpfs);
  }
  if (binds.size() == 1) property("volume", quote_text(binds.front()));
  if (binds.size() > 1) property("volumes", list_text(binds));
  if (!tmpfs.empty()) property("tmpfs", list_text(tmpfs));
}

void ComponentWriter::volume(const Mount &mount, Position place, std::vector<std::string> &binds,
                             std::vector<std::string> &tmpfs) {
  if (mount.kind == Mount::Kind::tmpfs && !mount.size && !mount.mode && !mount.read_only) {
    tmpfs.push_back(mount.options.empty() ? mount.target
                                          : fmt::format("{}:{}", mount.target, fmt::join(mount.options, ",")));
    return;
  }
  const bool plain = mount.propagation.empty() && mount.recursive.empty() && mount.options.empty();
  const bool colon = mount.source.find(':') != std::string::npos || mount.target.find(':') != std::string::npos;
  if (mount.kind != Mount::Kind::bind || !plain || colon) {
    return leave(fmt::format("volumes {}{}{}{}", mount.source, mount.source.empty() ? "" : ":", mount.target,
                             mount.read_only ? ":ro" : ""),
                 place);
  }
  const std::string below = request_.folder + "/";
  const std::string source = mount.source.starts_with(below) ? "./" + mount.source.substr(below.size()) : mount.source;
  binds.push_back(fmt::format("{}:{}{}", source, mount.target, mount.read_only ? ":ro" : ""));
  if (!mount.create_host_path) {
    leave(fmt::format("volumes {}: create_host_path false", mount.source), place);
  }
}

void ComponentWriter::network() {
  if (service_.network_mode == "host" || service_.network_mode == "none") {
    return property("network", quote_text(service_.network_mode));
  }
  if (!service_.network_mode.empty() && service_.network_mode != "bridge") {
    return leave(fmt::format("network_mode {}", service_.network_mode), at("network_mode"));
  }
  bool said = false;
  for (const Attachment &one : service_.networks) {
    const bool plain = one.aliases.empty() && one.ipv4_address.empty() && one.ipv6_address.empty() &&
                       one.mac_address.empty() && one.interface_name.empty() && one.priority == 0;
    if (!plain) leave(fmt::format("networks {}: aliases and addresses", one.network), at("networks"));
    if (said) {
      leave(fmt::format("networks {}", one.network), at("networks"));
    } else if (one.network != "default") {
      property("network", quote_text(one.network));
    }
    said = true;
  }
}

// CONNECT waits until the other is healthy, or started where it has no healthcheck.
void ComponentWriter::dependencies() {
  for (const Dependency &one : service_.depends_on) {
    const auto other = names_.find(one.service);
    if (other == names_.end()) {
      leave(fmt::format("depends_on {}", one.service), at("depends_on"));
      continue;
    }
    out_.connects.push_back(fmt::format("CONNECT {} -> {}", name_, other->second));
    const auto found = std::ranges::find(request_.project.services, one.service, &Service::name);
    const bool checked = found->health_check && !found->health_check->disable && !found->health_check->test.empty();
    const Dependency::Condition becomes = checked ? Dependency::Condition::healthy : Dependency::Condition::started;
    constexpr std::array<std::string_view, 3> conditions = {"service_started", "service_healthy",
                                                            "service_completed_successfully"};
    if (one.condition != becomes) {
      leave(
          fmt::format("depends_on {}: condition {}", one.service, conditions[static_cast<std::size_t>(one.condition)]),
          at("depends_on"));
    }
    if (one.restart) leave(fmt::format("depends_on {}: restart true", one.service), at("depends_on"));
    if (!one.required) leave(fmt::format("depends_on {}: required false", one.service), at("depends_on"));
  }
}

void ComponentWriter::health_check() {
  if (!service_.health_check) return;
  const HealthCheck &check = *service_.health_check;
  if (check.disable || check.test.empty() || check.test.front() == "NONE") {
    return leave(check.disable ? "healthcheck disable" : "healthcheck without a test", at("healthcheck"));
  }
  properties_.emplace_back("  healthcheck = {");
  health_command(check);
  // Docker's own defaults, which are not those of .ctst.
  using std::chrono::seconds;
  const auto time = [&](std::string_view key, std::optional<Duration> value, seconds initial) {
    properties_.push_back(
        fmt::format("    {} = {}", key, quote_text(print_duration(value.value_or(Duration(initial))))));
  };
  time("interval", check.interval, seconds(30));
  time("timeout", check.timeout, seconds(30));
  time("start_period", check.start_period, seconds(0));
  properties_.push_back(fmt::format("    retries = {}", check.retries.value_or(3)));
  properties_.emplace_back("  }");
  if (check.start_interval) {
    leave(fmt::format("healthcheck start_interval {}", print_duration(*check.start_interval)), at("healthcheck"));
  }
}

void ComponentWriter::health_command(const HealthCheck &check) {
  std::vector<std::string> words(check.test.begin() + 1, check.test.end());
  if (check.test.front() == "CMD-SHELL") words.insert(words.begin(), {"/bin/sh", "-c"});
  properties_.push_back(fmt::format("    command = {}", list_text(words)));
}

void ComponentWriter::restart() {
  const Restart &restart = service_.restart;
  if (restart.policy == Restart::Policy::no) return;
  const bool failure = restart.policy == Restart::Policy::on_failure;
  property("restart", failure ? "\"on-failure\"" : "\"always\"");
  if (restart.policy == Restart::Policy::unless_stopped) leave("restart unless-stopped", at("restart"));
  if (restart.max_retries) leave(fmt::format("restart on-failure:{}", *restart.max_retries), at("restart"));
}

void ComponentWriter::stopping() {
  if (!service_.stop_signal.empty()) property("stop_signal", quote_text(service_.stop_signal));
  if (service_.stop_grace_period) {
    property("stop_timeout", quote_text(print_duration(*service_.stop_grace_period)));
  }
}

void ComponentWriter::resources() {
  const Resources &limits = service_.resources;
  if (limits.memory && *limits.memory > 0) property("memory", quote_text(fmt::format("{}", *limits.memory)));
  if (limits.cpus && *limits.cpus > 0) {
    const std::string cores = fmt::format("{}", *limits.cpus);
    property("cpu", quote_text(cores.find('.') == std::string::npos ? cores + ".0" : cores));
    if (limits.cpu_shares) leave(fmt::format("cpu_shares {}", *limits.cpu_shares), at("cpu_shares"));
  } else if (limits.cpu_shares && *limits.cpu_shares > 0) {
    property("cpu", quote_text(fmt::format("{}", *limits.cpu_shares)));
  }
  if (limits.pids && *limits.pids > 0) property("pids", fmt::format("{}", *limits.pids));
}

// What a compose service has without saying so, a component has to list.
void ComponentWriter::capabilities() {
  const auto plain = [](std::string name) {
    for (char &letter : name) letter = letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 32) : letter;
    return name.starts_with("CAP_") ? name.substr(4) : name;
  };
  std::vector<std::string> names;
  const auto add = [&](const std::string &name) {
    if (std::ranges::find(names, plain(name)) == names.end()) names.push_back(plain(name));
  };
  const bool none = service_.drops_all_capabilities ||
                    std::ranges::any_of(service_.cap_drop, [&](const std::string &one) { return plain(one) == "ALL"; });
  if (!none) {
    for (const std::string &name : usual_capabilities()) add(name);
    for (const std::string &name : service_.cap_drop) std::erase(names, plain(name));
  }
  for (const std::string &name : service_.cap_add) add(name);
  if (std::ranges::find(names, "ALL") != names.end()) {
    names = {"ALL"};
    for (const std::string &name : none ? std::vector<std::string>() : service_.cap_drop) {
      leave(fmt::format("cap_drop {}", name), at("cap_drop"));
    }
  }
  if (!names.empty()) property("caps", list_text(names));
}

void ComponentWriter::security() {
  std::string seccomp = service_.seccomp;
  for (const std::string &option : service_.security_opt) {
    const std::size_t sign = option.find_first_of("=:");
    if (option.substr(0, sign) == "seccomp" && sign != std::string::npos && seccomp.empty()) {
      seccomp = option.substr(sign + 1);
    } else {
      leave(fmt::format("security_opt {}", option), at("security_opt"));
    }
  }
  if (seccomp == "unconfined") seccomp = "disabled";
  if (!seccomp.empty()) property("seccomp", quote_text(seccomp));
}

void ComponentWriter::devices() {
  std::vector<std::string> all;
  for (const Device &device : service_.devices) {
    all.push_back(device.target.empty() ? device.source
                                        : fmt::format("{}:{}:{}", device.source, device.target, device.permissions));
  }
  if (!all.empty()) property("devices", list_text(all));
}

// All keys that nothing above speaks of.
void ComponentWriter::others() {
  if (canonical_ == nullptr) return;
  for (const Member &member : canonical_->members) {
    if (member.key == "deploy") {
      deploy(member.value);
    } else if (!is_one_of(
                   member.key,
                   {"image",        "pull_policy", "command",     "entrypoint",        "environment",  "env_file",
                    "label_file",   "hostname",    "user",        "working_dir",       "labels",       "ports",
                    "expose",       "volumes",     "tmpfs",       "networks",          "network_mode", "depends_on",
                    "healthcheck",  "restart",     "stop_signal", "stop_grace_period", "scale",        "mem_limit",
                    "cpus",         "cpu_shares",  "pids_limit",  "cap_add",           "cap_drop",     "read_only",
                    "security_opt", "devices",     "x-skiff"})) {
      leave_key(member);
    }
  }
}

void ComponentWriter::leave_key(const Member &member) {
  const Value &value = member.value;
  // Docker's habit of writing out what is so anyway.
  if (value.kind == Value::Kind::null || value.text == "false" ||
      (value.kind == Value::Kind::map && value.members.empty()) ||
      (value.kind == Value::Kind::list && value.items.empty())) {
    return;
  }
  findings_.warn(member.at, "not-in-ctst",
                 fmt::format("services.{}.{}: .ctst cannot say it", service_.name, member.key));
  for (const std::string &line : comment_of(member.key, value)) comments_.push_back("  " + line);
}

void ComponentWriter::deploy(const Value &value) {
  Value rest = value;
  rest.remove("replicas");
  if (Value *resources = rest.find("resources")) {
    if (Value *limits = resources->find("limits")) {
      for (const std::string_view key : {"cpus", "memory", "pids"}) limits->remove(key);
      if (limits->members.empty()) resources->remove("limits");
    }
    if (resources->members.empty()) rest.remove("resources");
  }
  if (Value *policy = rest.find("restart_policy")) {
    policy->remove("condition");
    policy->remove("max_attempts");
    if (policy->members.empty()) rest.remove("restart_policy");
  }
  leave_key({.key = "deploy", .at = value.at, .value = std::move(rest)});
}

}  // namespace

ConvertedComponent convert_component(const ConvertRequest &request, const Service &service,
                                     const std::map<std::string, std::string> &names, Findings &findings) {
  return ComponentWriter(request, service, names, findings).write();
}

}  // namespace skiff::compose
