#include "runtime/cgroup_mount.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/filesystem.h"
#include "runtime/kernel/mount.h"
#include "runtime/kernel/path.h"
#include "runtime/mount_attributes.h"
#include "runtime/mount_info.h"
#include "runtime/mount_sources.h"
#include "runtime/mount_target.h"

namespace skiff {
namespace {

constexpr std::string_view unified_mount = "/sys/fs/cgroup";
constexpr std::uint64_t tmpfs_attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

// Where a hierarchy is mounted on the host, what is in it, and which directory of it is the container's.
struct Hierarchy {
  std::string mount;
  std::string own;  // absolute
  std::vector<std::string> controllers;
  bool unified = false;
  bool optional = false;  // left out where it cannot be shown
};

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::vector<std::string> split(std::string_view list, char separator) {
  std::vector<std::string> out;
  for (;;) {
    const auto end = list.find(separator);
    out.emplace_back(list.substr(0, end));
    if (end == std::string_view::npos) return out;
    list.remove_prefix(end + 1);
  }
}

// ---- the hierarchies, where the plan names none (cgroups are disabled) ----

// self/cgroup, cgroups(7): "4:cpu,cpuacct:/a/b", "1:name=systemd:/", "0::/a".
std::string own_directory(std::string_view table, const MountInfo &mount) {
  const auto options = split(mount.super_options, ',');
  for (const std::string &line : split(table, '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() < 3) continue;
    const bool unified = mount.type == "cgroup2" && fields[1].empty();
    const bool listed =
        mount.type == "cgroup" && std::ranges::find(options, split(fields[1], ',').front()) != options.end();
    if (unified || listed) return fields[2];
  }
  return "/";
}

// A cgroup's path in self/cgroup is that below the filesystem's root; the mount may show a part of it only.
std::string below_mount(std::string_view path, const MountInfo &mount) {
  if (mount.root != "/" && path.starts_with(mount.root)) path.remove_prefix(mount.root.size());
  return path == "/" || path.empty() ? mount.mount_point : mount.mount_point + std::string(path);
}

// Of the superblock's options those that self/cgroup has for controllers too.
std::vector<std::string> controllers_of(std::string_view table, const MountInfo &mount) {
  const auto options = split(mount.super_options, ',');
  for (const std::string &line : split(table, '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() < 3 || fields[1].empty()) continue;
    auto controllers = split(fields[1], ',');
    if (std::ranges::find(options, controllers.front()) != options.end()) return controllers;
  }
  return {};
}

// The host's: a recursive bind of its /sys has brought them all below the rootfs once more.
Result<std::vector<Hierarchy>> read_hierarchies(const kernel::Procfs &proc, const std::string &rootfs) {
  const std::string table = TRY(proc.read_file("self/cgroup"));
  std::vector<Hierarchy> out;
  for (const MountInfo &mount : TRY(read_mount_info(proc))) {
    const bool unified = mount.type == "cgroup2";
    if (!unified && mount.type != "cgroup") continue;
    if (mount.mount_point.starts_with(rootfs + "/")) continue;
    out.push_back({.mount = mount.mount_point,
                   .own = below_mount(own_directory(table, mount), mount),
                   .controllers = unified ? std::vector<std::string>() : controllers_of(table, mount),
                   .unified = unified,
                   .optional = false});
  }
  return out;
}

Result<std::vector<Hierarchy>> find_hierarchies(const Rootfs &rootfs) {
  const CgroupPlan &plan = rootfs.plan->cgroup;
  // Where the user may make none, the container is in the cgroups of whoever started it.
  const bool refused = plan.may_go_without && std::ranges::any_of(plan.directories, [](const CgroupDirectory &each) {
                         return !each.optional && !kernel::faccessat(kernel::cwd, each.path, F_OK);
                       });
  if (plan.directories.empty() || refused) return read_hierarchies(rootfs.proc, rootfs.plan->rootfs);
  std::vector<Hierarchy> out;
  out.reserve(plan.directories.size());
  for (const CgroupDirectory &each : plan.directories) {
    out.push_back({.mount = each.mount,
                   .own = each.path,
                   .controllers = each.controllers,
                   .unified = each.unified,
                   .optional = each.optional});
  }
  return out;
}

// ---- one hierarchy ----

struct View {
  std::uint64_t attributes = 0;
  bool new_namespace = false;  // what is mounted anew shows the container's part only
  bool user_namespace = false;
  const MountStep *step = nullptr;
  const Plan *plan = nullptr;
};

Result<kernel::Fd> mount_anew(const Hierarchy &hierarchy, const View &view) {
  Filesystem filesystem{.type = hierarchy.unified ? "cgroup2" : "cgroup",
                        .source = hierarchy.unified ? view.step->source : std::string("cgroup"),
                        .options = {},
                        .attributes = view.attributes,
                        .user_namespace = view.user_namespace};
  if (hierarchy.unified) filesystem.options = view.step->options;
  for (const std::string &controller : hierarchy.controllers) {
    const bool named = controller.starts_with("name=");
    filesystem.options.emplace_back(named ? "name" : controller, named ? controller.substr(5) : std::string());
  }
  return make_filesystem(filesystem);
}

// The clone of a cgroup directory, with the attributes set before it can be seen.
Result<kernel::Fd> bind_directory(const std::string &path, const View &view) {
  auto clone = TRY(kernel::open_tree(kernel::cwd, path, OPEN_TREE_CLONE | AT_RECURSIVE));
  TRY(separate_from_host(clone, *view.plan));
  TRY(change_attributes(clone, {.set = view.attributes, .clear = 0}, kernel::Recursive::yes));
  return clone;
}

// An empty read-only directory: what a container gets to see where neither can be had.
Result<kernel::Fd> make_cover() {
  return make_filesystem({.type = "tmpfs",
                          .source = "tmpfs",
                          .options = {{"mode", "755"}},
                          .attributes = tmpfs_attributes | MOUNT_ATTR_RDONLY});
}

bool is_refused(const Error &error) { return error.number == EPERM || error.number == EBUSY || error.number == EACCES; }

Result<kernel::Fd> open_unified(const Hierarchy &hierarchy, const View &view) {
  auto mount = mount_anew(hierarchy, view);
  if (mount || !is_refused(mount.error())) return mount;
  auto bound = bind_directory(view.new_namespace ? hierarchy.own : hierarchy.mount, view);
  const bool hidden = !bound && (bound.error().number == ENOENT || bound.error().number == EACCES);
  if (hidden && view.user_namespace) return make_cover();
  return bound;
}

Result<kernel::Fd> open_v1(const Hierarchy &hierarchy, const View &view) {
  if (view.new_namespace) {
    auto mount = mount_anew(hierarchy, view);
    if (mount || !is_refused(mount.error())) return mount;
  }
  return bind_directory(hierarchy.own, view);
}

// ---- the tree of v1 ----

Status add_hierarchy(const kernel::Fd &tmpfs, const Hierarchy &hierarchy, const View &view) {
  const std::string name(base_name(hierarchy.mount));
  auto mount = hierarchy.unified ? open_unified(hierarchy, view) : open_v1(hierarchy, view);
  if (!mount && hierarchy.optional) return {};
  if (!mount) return std::unexpected(std::move(mount).error());
  TRY(kernel::make_directory(tmpfs, name, 0755));
  const auto target = TRY(kernel::openat(tmpfs, name, O_PATH | O_DIRECTORY | O_NOFOLLOW));
  TRY(kernel::move_mount(*mount, target));
  if (name.find(',') == std::string::npos) return {};
  for (const std::string &controller : split(name, ',')) {
    auto linked = kernel::symlinkat(name, tmpfs, controller);
    if (!linked && linked.error().number != EEXIST) return linked;
  }
  return {};
}

Status mount_v1(const std::vector<Hierarchy> &hierarchies, const kernel::Fd &target, const View &view,
                const Rootfs &rootfs) {
  const auto tmpfs = TRY(make_filesystem(
      {.type = "tmpfs", .source = "tmpfs", .options = {{"mode", "755"}}, .attributes = tmpfs_attributes}));
  // Attached first: below Linux 6.15 a mount goes on a mount that is attached only.
  TRY(attach_to(tmpfs, target, rootfs));
  for (const Hierarchy &each : hierarchies) TRY(in(each.mount, add_hierarchy(tmpfs, each, view)));
  if ((view.attributes & MOUNT_ATTR_RDONLY) != 0) {
    TRY(change_attached_attributes(tmpfs, {.set = MOUNT_ATTR_RDONLY, .clear = 0}, rootfs.proc));
  }
  for (const std::uint64_t propagation : view.step->propagation) {
    TRY(change_propagation(tmpfs, propagation, rootfs.proc));
  }
  return {};
}

Status mount_v2(const Hierarchy &hierarchy, const kernel::Fd &target, const View &view, const Rootfs &rootfs) {
  const auto mount = TRY(open_unified(hierarchy, view));
  TRY(attach_to(mount, target, rootfs));
  for (const std::uint64_t propagation : view.step->propagation) {
    TRY(change_propagation(mount, propagation, rootfs.proc));
  }
  return {};
}

View make_view(const MountStep &step, const Plan &plan) {
  View view{.attributes = step.attributes.set,
            .new_namespace = has_cgroup_namespace(plan),
            .user_namespace = has_user_namespace(plan),
            .step = &step,
            .plan = &plan};
  const bool readonly = (step.superblock_flags & MS_RDONLY) != 0 || (view.user_namespace && !view.new_namespace);
  if (readonly) view.attributes |= MOUNT_ATTR_RDONLY;
  return view;
}

}  // namespace

Status mount_cgroup(const MountStep &step, Rootfs &rootfs) {
  const auto hierarchies = TRY(find_hierarchies(rootfs));
  if (hierarchies.empty()) {
    return fail(ENOENT, "this host has no cgroup hierarchy mounted", "mount cgroup2 on /sys/fs/cgroup");
  }
  const View view = make_view(step, *rootfs.plan);
  const auto target = TRY(open_target(rootfs, step.destination, true));
  const bool unified_only = std::ranges::all_of(hierarchies, &Hierarchy::unified);
  if (!unified_only) return mount_v1(hierarchies, target, view, rootfs);
  const auto top = std::ranges::find(hierarchies, unified_mount, &Hierarchy::mount);
  return mount_v2(top == hierarchies.end() ? hierarchies.front() : *top, target, view, rootfs);
}

}  // namespace skiff
