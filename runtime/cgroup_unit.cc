#include "runtime/cgroup_unit.h"

#include <fmt/format.h>
#include <signal.h>

#include "runtime/cgroup_file.h"
#include "runtime/host_probe.h"
#include "runtime/systemd.h"
#include "runtime/unit_properties.h"

namespace skiff {
namespace {

void log_warnings(const std::vector<std::string> &warnings, const cli::Log &log) {
  for (const std::string &warning : warnings) cli::warning(log, warning);
}

// Below another directory than the one it starts units in, systemd is not the root of the tree that we see.
Status check_place(const CgroupPlan &plan) {
  if (!plan.unified) return {};
  const std::string &path = plan.directories.front().path;
  const Result<kernel::Fd> there = kernel::open(path, O_RDONLY | O_DIRECTORY);
  if (there) return {};
  return remedy("this process must see the cgroups as systemd sees them: run it in the host's cgroup namespace",
                Status(in(fmt::format("systemd started {} in another place", plan.unit.name),
                          Status(std::unexpected(there.error())))));
}

Result<Cgroup> open_cgroup(const CgroupPlan &plan, pid_t pid) {
  TRY(check_place(plan));
  Cgroup cgroup = TRY(Cgroup::create(plan));
  // On v2 a scope has it from its start, and a user may not write it there from outside.
  if (!plan.unified || plan.unit.slice) TRY(cgroup.place(pid));
  return cgroup;
}

// What the CPU's settings are now.
Result<CpuNow> read_cpu(const Cgroup &cgroup) {
  if (const Cgroup::Level *level = cgroup.find_file("cpu.max", true)) {
    CpuNow now = parse_cpu_max(TRY(read_cgroup_file(level->fd, "cpu.max")));
    now.idle = read_cgroup_number(level->fd, "cpu.idle").value_or(0) == 1;  // Linux 5.15
    return now;
  }
  const Cgroup::Level *level = cgroup.find_file("cpu.cfs_quota_us", false);
  if (level == nullptr) return CpuNow{};
  return parse_cpu_max(TRY(read_cgroup_file(level->fd, "cpu.cfs_quota_us")) + " " +
                       TRY(read_cgroup_file(level->fd, "cpu.cfs_period_us")));
}

Status update_unit(const std::string &unit, const Cgroup &cgroup, std::vector<CgroupWrite> &writes, const Host &host,
                   const cli::Log &log) {
  // systemd has no such condition, and sets the limit whatever it does to the container.
  TRY(cgroup.check_limits(writes));
  UnitLimits limits = make_unit_limits(writes, TRY(read_cpu(cgroup)), UnitMoment::update);
  if (!limits.properties.empty()) {
    Systemd systemd = TRY(Systemd::connect(!host.privileged));
    TRY(systemd.set_properties(unit, limits.properties, limits.warnings));
  }
  log_warnings(limits.warnings, log);
  return {};
}

}  // namespace

Status find_user_manager(Host &host) {
  if (host.privileged) return {};
  Systemd systemd = TRY(Systemd::connect(true));
  host.user_manager = TRY(systemd.read_control_group());
  if (host.user_manager == "/") host.user_manager.clear();
  return {};
}

Result<Cgroup> make_cgroup_of_unit(const CgroupPlan &plan, pid_t pid, std::vector<std::string> &warnings) {
  // Before systemd would take over what is there. A slice is there for others as well.
  if (!plan.unit.slice) TRY(Cgroup::check_unused(plan));
  Systemd systemd = TRY(Systemd::connect(plan.unit.user));
  TRY(systemd.start(plan.unit, pid, warnings));
  Result<Cgroup> cgroup = open_cgroup(plan, pid);
  if (!cgroup) (void)systemd.stop(plan.unit.name);  // the first error is the one to tell
  return cgroup;
}

Status stop_unit(const std::string &unit) {
  const Host host = TRY(read_host());
  Systemd systemd = TRY(Systemd::connect(!host.privileged));
  return systemd.stop(unit);
}

void discard(Cgroup &cgroup, const std::string &unit) {
  (void)cgroup.kill_all(SIGKILL);
  if (!unit.empty()) (void)stop_unit(unit);
  (void)cgroup.remove();
}

Status attach_to_unit(const std::string &unit, const std::string &below, pid_t pid) {
  const Host host = TRY(read_host());
  Systemd systemd = TRY(Systemd::connect(!host.privileged));
  return systemd.attach(unit, below, pid);
}

Status update_limits(const spec::Record &record, const spec::Resources &resources, const Host &host,
                     const cli::Log &log) {
  const std::vector<CgroupDirectory> directories = match_cgroup_directories(record.cgroup_paths, host);
  const Cgroup cgroup = TRY(Cgroup::open(record.cgroup_paths));
  std::vector<CgroupWrite> writes =
      TRY(make_cgroup_writes(resources, directories, host.cgroups == Host::Cgroups::unified));
  if (!record.systemd_scope.empty()) TRY(update_unit(record.systemd_scope, cgroup, writes, host, log));
  return cgroup.apply_limits(writes);
}

}  // namespace skiff
