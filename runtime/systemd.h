// systemd as the one who makes cgroups: its interface org.freedesktop.systemd1(5), by D-Bus.
#pragma once

#include <string>
#include <vector>

#include "runtime/bus.h"
#include "runtime/plan_unit.h"

namespace skiff {

class Systemd {
 public:
  // The system's, or with `user` that of the user who runs this. Root and a user talk to their systemd itself, over its
  // private socket: it needs no message bus, and no bus can stand between. A bus is the second choice.
  [[nodiscard]] static Result<Systemd> connect(bool user);

  // The cgroup that the user's systemd is the root of.
  [[nodiscard]] Result<std::string> read_control_group();
  // Starts a transient unit with this process in it, and waits until it is there. A failed unit of that name is cleared
  // away. What this systemd is too old for goes to `warnings`. An error names the unit, the property's field, and
  // systemd's own words.
  [[nodiscard]] Status start(const Unit &unit, pid_t pid, std::vector<std::string> &warnings);
  // Changes properties until the unit ends.
  [[nodiscard]] Status set_properties(const std::string &unit, const std::vector<UnitProperty> &properties,
                                      std::vector<std::string> &warnings);
  // Ends a unit, waits until it is gone, and forgets that it failed. One that does not exist is no error.
  [[nodiscard]] Status stop(const std::string &unit);
  // Moves a process into the unit's cgroup, or one below it (absolute: "/" is the unit's own): what an unprivileged
  // runtime may not do from outside of it.
  [[nodiscard]] Status attach(const std::string &unit, const std::string &below, pid_t pid);

 private:
  explicit Systemd(Bus bus) : bus_(std::move(bus)) {}
  [[nodiscard]] Result<BusAnswer> ask(const char *member, std::vector<BusValue> arguments);
  [[nodiscard]] Result<std::string> read_text(const char *property);
  [[nodiscard]] Result<BusValue> lower(const std::vector<UnitProperty> &properties, pid_t pid,
                                       std::vector<std::string> &warnings);
  [[nodiscard]] Status wait_for_job(const std::string &unit, const char *member, const std::vector<BusValue> &answer);
  void forget_failure(const std::string &unit);

  Bus bus_;
};

// The number in "257.9-1~deb13u1" and in "v258-rc2"; 0 where there is none.
[[nodiscard]] int parse_systemd_version(std::string_view text);

}  // namespace skiff
