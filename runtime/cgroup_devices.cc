// What of a cgroup is not a limit: which devices it may use, and whose it is.
#include <fmt/format.h>

#include "runtime/cgroup.h"
#include "runtime/cgroup_file.h"
#include "runtime/device_filter.h"
#include "runtime/kernel/bpf.h"
#include "runtime/kernel/path.h"

namespace skiff {
namespace {

// The kernel asks every program of a directory and of its parents, and all must agree. So the new one comes first, and
// at no instant is the container without one.
Status attach(kernel::FdView dir, const std::vector<DeviceRule> &rules) {
  const std::vector<std::uint32_t> old = TRY(kernel::query_device_programs(dir));
  std::vector<kernel::Fd> replaced;
  for (const std::uint32_t id : old) replaced.push_back(TRY(kernel::open_bpf_program(id)));
  if (!allows_every_device(rules)) {
    const kernel::Fd program = TRY(kernel::load_device_program(make_device_program(rules)));
    // BPF_F_ALLOW_MULTI: a container with a cgroup of its own may filter further below.
    if (replaced.size() == 1) {
      Status status = kernel::attach_device_program(dir, program, BPF_F_ALLOW_MULTI, replaced.front());
      // Linux 5.6 learnt to replace.
      if (status || status.error().number != EINVAL) return status;
    }
    TRY(kernel::attach_device_program(dir, program, BPF_F_ALLOW_MULTI));
  }
  for (const kernel::Fd &program : replaced) TRY(kernel::detach_device_program(dir, program));
  return {};
}

Status write_lines(kernel::FdView dir, const std::vector<DeviceRule> &rules) {
  for (const DeviceLine &line : TRY(make_device_lines(rules))) {
    Status status = write_cgroup_file(dir, line.allow ? "devices.allow" : "devices.deny", line.text);
    if (status) continue;
    if (status.error().number == EPERM && line.allow) {
      return remedy("the parent cgroup does not allow that device itself: allow less in linux.resources.devices",
                    std::move(status));
    }
    return status;
  }
  return {};
}

}  // namespace

Status Cgroup::apply_devices(const CgroupPlan &plan) const {
  if (!plan.has_device_rules) return {};
  constexpr std::string_view place = "linux.resources.devices";
  if (const Level *level = find_file("devices.list", false))
    return in(place, write_lines(level->fd, plan.device_rules));
  // A hybrid host whose kernel has no v1 device controller filters on the unified hierarchy.
  for (const Level &level : levels_) {
    if (level.fd.valid() && level.unified) return in(place, attach(level.fd, plan.device_rules));
  }
  if (allows_every_device(plan.device_rules)) return {};
  return fail(
      "linux.resources.devices: no hierarchy with the controller \"devices\" is mounted, and the container could "
      "use every device of the host",
      "mount cgroup v2 at /sys/fs/cgroup, or allow every device");
}

Status Cgroup::delegate(uid_t uid, gid_t gid) const {
  if (levels_.size() != 1 || !levels_.front().unified || !levels_.front().fd.valid()) return {};
  const kernel::Fd &dir = levels_.front().fd;
  std::string files = "cgroup.procs\ncgroup.subtree_control\ncgroup.threads";
  // Linux 4.15; without it the spec's own list counts (config-linux.md, "Cgroup ownership").
  if (const Result<kernel::Fd> kernel_dir = kernel::open("/sys/kernel/cgroup", O_RDONLY | O_DIRECTORY)) {
    files = read_cgroup_file(*kernel_dir, "delegate").value_or(std::move(files));
  }
  TRY(kernel::fchownat(dir, "", uid, gid, AT_EMPTY_PATH));
  std::string_view rest = files;
  while (std::optional<std::string_view> line = next_line(rest)) {
    Status status = kernel::fchownat(dir, std::string(*line), uid, gid, AT_SYMLINK_NOFOLLOW);
    if (!status && status.error().number != ENOENT) return status;
  }
  return {};
}

}  // namespace skiff
