#include "runtime/intel_rdt.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/kernel/path.h"
#include "runtime/mount_info.h"
#include "runtime/plan_intel_rdt.h"

namespace skiff {
namespace {

constexpr std::string_view place = "linux.intelRdt";
constexpr std::size_t max_schemata = 1 << 16;

Result<std::string> read_file(const std::string &path) {
  const kernel::Fd file = TRY(kernel::open(path, O_RDONLY));
  return kernel::read_all(file, max_schemata);
}

// Resctrl tells more than an errno of the call before; the file is at its root, one or three levels above a group's.
Error explain(const std::string &group, Error error) {
  for (const char *root : {"", "/..", "/../../.."}) {
    const Result<std::string> status = read_file(group + root + "/info/last_cmd_status");
    if (!status) continue;
    const std::string_view text = std::string_view(*status).substr(0, status->find('\n'));
    if (!text.empty() && text != "ok") error.text += fmt::format(" ({})", text);
    break;
  }
  if (error.number == ENOSPC) error.remedy = "this hardware has no group left: remove one, or share one by closID";
  return error;
}

Status write_file(const std::string &group, std::string_view name, std::string_view value) {
  const auto write = [&]() -> Status {
    const kernel::Fd file = TRY(kernel::open(fmt::format("{}/{}", group, name), O_WRONLY | O_TRUNC));
    return kernel::write_all(file, value);
  };
  if (const Status written = write(); !written) {
    return std::unexpected(in(fmt::format("{}: {}", place, name), explain(group, written.error())));
  }
  return {};
}

Status make_group(const std::string &path) {
  const Status made = kernel::make_directory(kernel::cwd, path, 0755);
  if (made) return {};
  return std::unexpected(in(place, explain(path + "/..", made.error())));
}

Status remove_group(const std::string &path) {
  if (path.empty()) return {};
  const Status removed = kernel::unlinkat(kernel::cwd, path, AT_REMOVEDIR);
  if (removed || removed.error().number == ENOENT) return {};
  return std::unexpected(in(place, removed.error()));
}

// "Runtimes MUST compare [...] with schemata file, and generate an error if doesn't match."
Status check_schemata(const std::string &group, const std::vector<std::string> &expected) {
  if (expected.empty()) return {};
  const std::string there = TRY(in(place, read_file(group + "/schemata")));
  for (const std::string &line : expected) {
    if (schemata_has(there, line)) continue;
    return fail(EEXIST, fmt::format("{}.closID: {} is there already and does not have \"{}\"", place, group, line),
                "use the schemata that it has, another closID, or none");
  }
  return {};
}

Status place_process(const std::string &group, pid_t pid) {
  return group.empty() ? Status{} : write_file(group, "tasks", std::to_string(pid));
}

}  // namespace

Result<std::string> find_resctrl(const kernel::Procfs &proc) {
  const std::vector<MountInfo> mounts = TRY(read_mount_info(proc));
  const auto found = std::ranges::find(mounts, "resctrl", &MountInfo::type);
  if (found != mounts.end()) return found->mount_point;
  const bool supported = kernel::fstatat(kernel::cwd, "/sys/fs/resctrl").has_value();
  return fail(ENODEV, fmt::format("{}: no resctrl filesystem is mounted", place),
              supported ? "mount -t resctrl resctrl /sys/fs/resctrl"
                        : "this kernel or this hardware has none (/sys/fs/resctrl is missing): remove linux.intelRdt");
}

Status record_intel_rdt(const IntelRdtPlan &plan, const std::vector<std::string> &expected, const std::string &resctrl,
                        spec::Record &record) {
  const std::string group = plan.group.empty() ? resctrl : resctrl + "/" + plan.group;
  const Result<struct stat> there = kernel::fstatat(kernel::cwd, group, AT_SYMLINK_NOFOLLOW);
  if (!there && there.error().number != ENOENT) return std::unexpected(in(place, there.error()));
  if (there && !S_ISDIR(there->st_mode)) return fail(ENOTDIR, fmt::format("{}.closID: {}", place, group));
  if (!there && !plan.create) {
    return fail(ENOENT, fmt::format("{}.closID: {}", place, group),
                "make the class of service before, or give schemata for a new one");
  }
  if (there && !plan.remove) TRY(check_schemata(group, expected));
  record.intel_rdt_path = group;
  record.intel_rdt_made = plan.remove && !there;
  if (!plan.monitor_group.empty()) record.intel_rdt_monitor_path = group + "/mon_groups/" + plan.monitor_group;
  return {};
}

Status join_intel_rdt(const IntelRdtPlan &plan, const spec::Record &record, pid_t pid) {
  if (plan.create) TRY(make_group(record.intel_rdt_path));
  if (!plan.schemata.empty()) TRY(write_schemata(record, plan.schemata));
  if (!record.intel_rdt_monitor_path.empty()) TRY(make_group(record.intel_rdt_monitor_path));
  return enter_intel_rdt(record, pid);
}

Status write_schemata(const spec::Record &record, const std::vector<std::string> &lines) {
  return write_file(record.intel_rdt_path, "schemata", fmt::format("{}\n", fmt::join(lines, "\n")));
}

// First the class: a monitoring group takes only processes of the class that it belongs to.
Status enter_intel_rdt(const spec::Record &record, pid_t pid) {
  TRY(place_process(record.intel_rdt_path, pid));
  return place_process(record.intel_rdt_monitor_path, pid);
}

Status remove_intel_rdt(const spec::Record &record) {
  // With the class of service go its monitoring groups.
  return remove_group(record.intel_rdt_made ? record.intel_rdt_path : record.intel_rdt_monitor_path);
}

}  // namespace skiff
