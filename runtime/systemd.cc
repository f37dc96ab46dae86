#include "runtime/systemd.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>

#include "runtime/kernel/environment.h"

namespace skiff {
namespace {

// What a job may take: a slice that is started may wait for others. As long as its callers are used to wait.
constexpr std::chrono::seconds patience{30};

constexpr const char *destination = "org.freedesktop.systemd1";
constexpr const char *object = "/org/freedesktop/systemd1";
constexpr const char *interface = "org.freedesktop.systemd1.Manager";

struct Place {
  std::string socket;
  Bus::Kind kind = Bus::Kind::service;
};

std::vector<Place> places(bool user) {
  if (!user) {
    std::string bus = find_socket(kernel::environment_variable("DBUS_SYSTEM_BUS_ADDRESS"));
    if (bus.empty()) bus = "/run/dbus/system_bus_socket";
    return {{"/run/systemd/private", Bus::Kind::service}, {std::move(bus), Bus::Kind::bus}};
  }
  std::vector<Place> out;
  std::string directory = kernel::environment_variable("XDG_RUNTIME_DIR");
  // The usual place. In a user namespace our uid is another one outside.
  if (directory.empty()) directory = fmt::format("/run/user/{}", ::geteuid());
  out.push_back({directory + "/systemd/private", Bus::Kind::service});
  if (std::string bus = find_socket(kernel::environment_variable("DBUS_SESSION_BUS_ADDRESS")); !bus.empty()) {
    out.push_back({std::move(bus), Bus::Kind::bus});
  }
  out.push_back({directory + "/bus", Bus::Kind::bus});
  return out;
}

constexpr std::string_view system_remedy =
    "boot a system with systemd as its first process, or use --cgroup-manager cgroupfs with a linux.cgroupsPath that "
    "is a path";
constexpr std::string_view user_remedy =
    "run in a session that has a systemd of the user's: loginctl enable-linger USER starts one, and XDG_RUNTIME_DIR "
    "must "
    "be set to /run/user/UID; or use --cgroup-manager cgroupfs";

std::string_view remedy_for(const BusRefusal &refusal) {
  if (refusal.name.ends_with(".PropertyReadOnly") || refusal.name.ends_with(".UnknownProperty")) {
    return "this version of systemd does not have that property, or not for such a unit: leave it out";
  }
  if (refusal.name.ends_with(".InvalidArgs")) return "give the value and the type that systemd wants for that property";
  if (refusal.name.ends_with(".UnitExists")) {
    return "another container or service has that name: give another one in linux.cgroupsPath, or end it with "
           "systemctl "
           "stop";
  }
  if (refusal.name.ends_with("Denied") || refusal.name.ends_with(".InteractiveAuthorizationRequired"))
    return user_remedy;
  return "";
}

// Which of the properties the words of a refusal are about: systemd quotes its name.
const UnitProperty *find_culprit(const std::vector<UnitProperty> &properties, const std::string &text) {
  const UnitProperty *found = nullptr;
  for (const UnitProperty &property : properties) {
    const std::size_t at = text.find(property.name);
    const bool word =
        at != std::string::npos && (at + property.name.size() == text.size() ||
                                    std::isalpha(static_cast<unsigned char>(text[at + property.name.size()])) == 0);
    if (word && (found == nullptr || property.name.size() > found->name.size())) found = &property;
  }
  return found;
}

std::unexpected<Error> refused(const char *member, const std::string &unit, const BusRefusal &refusal,
                               const std::vector<UnitProperty> &properties = {}) {
  std::string text = fmt::format("systemd: {}(\"{}\")", member, unit);
  const UnitProperty *culprit = find_culprit(properties, refusal.text);
  if (culprit != nullptr) {
    text = fmt::format("{}: {} with {} = {}", culprit->field, text, culprit->name, print_gvariant(culprit->value));
  }
  return fail(fmt::format("{}: {}: {}", text, refusal.name, refusal.text), std::string(remedy_for(refusal)));
}

bool is_unknown_unit(const BusRefusal &refusal) { return refusal.name.ends_with(".NoSuchUnit"); }

const std::string *text_at(const std::vector<BusValue> &body, std::size_t index) {
  return index < body.size() ? std::get_if<std::string>(&body[index].basic) : nullptr;
}

}  // namespace

int parse_systemd_version(std::string_view text) {
  if (text.starts_with('v')) text.remove_prefix(1);
  int version = 0;
  std::from_chars(text.data(), text.data() + text.size(), version);
  return version;
}

Result<Systemd> Systemd::connect(bool user) {
  std::optional<Error> first;
  for (const Place &place : places(user)) {
    Result<Bus> bus = Bus::connect(place.socket, place.kind, patience);
    if (!bus) {
      if (!first) first = std::move(bus).error();
      continue;
    }
    Systemd out(*std::move(bus));
    if (place.kind == Bus::Kind::service) return out;
    // A bus passes on only what was asked for; systemd itself tells its own clients of every job.
    const BusCall subscribe{
        .destination = "org.freedesktop.DBus",
        .path = "/org/freedesktop/DBus",
        .interface = "org.freedesktop.DBus",
        .member = "AddMatch",
        .arguments = {bus_string(fmt::format("type='signal',sender='{}',interface='{}',member='JobRemoved',path='{}'",
                                             destination, interface, object))}};
    const auto done = TRY(out.bus_.call(subscribe, Deadline(patience)));
    if (!done) return refused("AddMatch", place.socket, done.error());
    return out;
  }
  first->text = "systemd cannot be reached: " + first->text;
  first->remedy = user ? user_remedy : system_remedy;
  return std::unexpected(*std::move(first));
}

Result<BusAnswer> Systemd::ask(const char *member, std::vector<BusValue> arguments) {
  return in("systemd", bus_.call({.destination = destination,
                                  .path = object,
                                  .interface = interface,
                                  .member = member,
                                  .arguments = std::move(arguments)},
                                 Deadline(patience)));
}

Result<std::string> Systemd::read_text(const char *property) {
  const auto answer = TRY(in("systemd", bus_.call({.destination = destination,
                                                   .path = object,
                                                   .interface = "org.freedesktop.DBus.Properties",
                                                   .member = "Get",
                                                   .arguments = {bus_string(interface), bus_string(property)}},
                                                  Deadline(patience))));
  if (!answer) return refused("Get", property, answer.error());
  const std::string *text = text_at(*answer, 0);
  return text == nullptr ? std::string() : *text;
}

Result<std::string> Systemd::read_control_group() { return read_text("ControlGroup"); }

// The properties as systemd takes them, a(sv), without those that it is too old for.
Result<BusValue> Systemd::lower(const std::vector<UnitProperty> &properties, pid_t pid,
                                std::vector<std::string> &warnings) {
  std::vector<BusValue> out;
  const auto add = [&](const std::string &name, const BusValue &value) {
    out.push_back(bus_struct({bus_string(name), bus_variant(value)}));
  };
  int version = 0;
  if (std::ranges::any_of(properties, [](const UnitProperty &property) { return property.since > 0; })) {
    version = parse_systemd_version(TRY(read_text("Version")));
  }
  for (const UnitProperty &property : properties) {
    if (property.since <= version) {
      add(property.name, property.value);
    } else {
      warnings.push_back(
          fmt::format("{}: systemd {} does not know {} (since {}); the cgroup's file has the limit alone",
                      property.field, version, property.name, property.since));
    }
  }
  if (pid > 0) add("PIDs", bus_array("u", {bus_uint32(static_cast<std::uint32_t>(pid))}));
  return bus_array("(sv)", std::move(out));
}

Status Systemd::start(const Unit &unit, pid_t pid, std::vector<std::string> &warnings) {
  constexpr const char *member = "StartTransientUnit";
  const std::vector<BusValue> arguments = {bus_string(unit.name), bus_string("replace"),
                                           TRY(lower(unit.properties, unit.slice ? 0 : pid, warnings)),
                                           bus_array("(sa(sv))", {})};
  auto answer = TRY(ask(member, arguments));
  if (!answer && answer.error().name.ends_with(".UnitExists")) {
    if (unit.slice) return {};  // a slice is there for everybody
    // One that has failed stays until it is forgotten.
    forget_failure(unit.name);
    answer = TRY(ask(member, arguments));
  }
  if (!answer) return refused(member, unit.name, answer.error(), unit.properties);
  Status done = wait_for_job(unit.name, member, *answer);
  if (!done) forget_failure(unit.name);
  return done;
}

Status Systemd::set_properties(const std::string &unit, const std::vector<UnitProperty> &properties,
                               std::vector<std::string> &warnings) {
  constexpr const char *member = "SetUnitProperties";
  const auto answer = TRY(ask(member, {bus_string(unit), bus_bool(true), TRY(lower(properties, 0, warnings))}));
  if (!answer) return refused(member, unit, answer.error(), properties);
  return {};
}

Status Systemd::stop(const std::string &unit) {
  constexpr const char *member = "StopUnit";
  const auto answer = TRY(ask(member, {bus_string(unit), bus_string("replace")}));
  if (!answer && is_unknown_unit(answer.error())) return {};
  if (!answer) return refused(member, unit, answer.error());
  Status done = wait_for_job(unit, member, *answer);
  forget_failure(unit);
  return done;
}

Status Systemd::attach(const std::string &unit, const std::string &below, pid_t pid) {
  constexpr const char *member = "AttachProcessesToUnit";
  const auto answer = TRY(ask(
      member, {bus_string(unit), bus_string(below), bus_array("u", {bus_uint32(static_cast<std::uint32_t>(pid))})}));
  if (!answer) return refused(member, unit, answer.error());
  return {};
}

Status Systemd::wait_for_job(const std::string &unit, const char *member, const std::vector<BusValue> &answer) {
  const std::string *job = text_at(answer, 0);
  if (job == nullptr) return fail(fmt::format("systemd: {}(\"{}\"): the answer names no job", member, unit));
  const Deadline deadline(patience);
  for (;;) {
    // JobRemoved: the job's number, its path, the unit and the result.
    const Result<std::vector<BusValue>> removed = bus_.wait_for_signal("JobRemoved", deadline);
    if (!removed) {
      return remedy("see `systemctl list-jobs`",
                    Status(std::unexpected(in(fmt::format("systemd: {}(\"{}\")", member, unit), removed.error()))));
    }
    const std::string *path = text_at(*removed, 1);
    if (path == nullptr || *path != *job) continue;
    const std::string *result = text_at(*removed, 3);
    if (result != nullptr && *result == "done") return {};
    return fail(
        fmt::format("systemd: {}(\"{}\"): the job ended as \"{}\"", member, unit, result == nullptr ? "" : *result),
        fmt::format("see `journalctl --unit {}`", unit));
  }
}

void Systemd::forget_failure(const std::string &unit) {
  (void)ask("ResetFailedUnit", {bus_string(unit)});  // it is refused where nothing failed
}

}  // namespace skiff
