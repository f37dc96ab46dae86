// linux.resources and linux.cgroupsPath against the hierarchies that this host has mounted.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/cgroup_file.h"
#include "runtime/cgroup_plan.h"
#include "runtime/cgroup_tree.h"
#include "runtime/host_check_parts.h"
#include "runtime/kernel/path.h"

namespace skiff {
namespace {

// The resources in parts that are decided apart: the plan of the whole stops at its first error.
std::vector<spec::Resources> split_resources(const spec::Resources &all) {
  std::vector<spec::Resources> out;
  const auto part = [&out]() -> spec::Resources & { return out.emplace_back(); };
  for (std::size_t i = 0; i < all.hugepage_limits.size(); ++i) part().hugepage_limits = {all.hugepage_limits[i]};
  for (const auto &[name, limits] : all.rdma) part().rdma = {{name, limits}};
  for (const auto &[file, value] : all.unified) part().unified = {{file, value}};
  if (all.memory) part().memory = all.memory;
  if (all.pids) part().pids = all.pids;
  if (all.block_io) part().block_io = all.block_io;
  if (all.network) part().network = all.network;
  if (!all.cpu) return out;
  // The lists belong to another controller, cpuset.
  spec::Cpu &lists = part().cpu.emplace();
  lists.cpus = all.cpu->cpus;
  lists.mems = all.cpu->mems;
  spec::Cpu &time = part().cpu.emplace(*all.cpu);
  time.cpus.clear();
  time.mems.clear();
  return out;
}

Result<CgroupPlan> plan_for(const HostChecker &c, const spec::Config &config) {
  // The engine that wrote the path knows with which driver it calls us.
  const bool unit = names_unit(config.linux_.cgroups_path);
  return make_cgroup_plan(config, c.host(), "CONTAINER",
                          unit ? CgroupPlan::Driver::systemd : CgroupPlan::Driver::cgroupfs);
}

// config-linux.md, "Unified": a controller that cannot be had is an error.
void check_controllers(HostChecker &c, const CgroupPlan &plan) {
  if (!plan.unified || plan.directories.empty()) return;
  const Result<std::string> text = read_host_file(plan.directories.front().mount + "/cgroup.controllers");
  if (!text) return;
  std::vector<std::string> told;
  for (const CgroupWrite &write : plan.writes) {
    std::string name = write.file.substr(0, write.file.find('.'));
    if (name == "cgroup" || std::ranges::find(told, name) != told.end()) continue;
    std::string_view line = std::string_view(*text).substr(0, text->find('\n'));
    bool there = false;
    for (std::string_view word = next_word(line); !word.empty(); word = next_word(line)) there = there || word == name;
    if (there) continue;
    c.add(Error{.number = 0,
                .text = fmt::format("{}: cgroup v2 has no controller {} here", write.field, name),
                .remedy = fmt::format("leave the limit out, or enable {} in the cgroup.subtree_control above", name)});
    told.push_back(std::move(name));
  }
}

void check_resources(HostChecker &c, const spec::Config &config) {
  c.clause("config-linux.md, Control groups");
  spec::Config part = config;
  for (spec::Resources &resources : split_resources(*config.linux_.resources)) {
    part.linux_.resources = std::move(resources);
    const Result<CgroupPlan> plan = plan_for(c, part);
    if (plan) {
      check_controllers(c, *plan);
    } else {
      c.add(plan.error());
    }
  }
}

// The first processes that a cgroup or one inside it has, in the kernel's text; empty where there are none.
std::string read_processes(const kernel::Fd &top) {
  std::string pids;
  CgroupVisitor visitor;
  visitor.enter = [&](kernel::FdView dir) -> Status {
    if (Result<std::string> text = read_cgroup_file(dir, "cgroup.procs"); text && pids.empty()) pids = *std::move(text);
    return {};
  };
  if (!walk_cgroups(top, visitor)) return {};  // what cannot be read has nothing to tell
  std::ranges::replace(pids, '\n', ' ');
  return pids;
}

void check_directories(HostChecker &c, const CgroupPlan &plan) {
  c.clause("config-linux.md, Cgroups Path");
  for (const CgroupDirectory &directory : plan.directories) {
    // A container without privileges, and one that misses an optional hierarchy, goes without.
    const Status writable = kernel::faccessat(kernel::cwd, directory.mount, W_OK, AT_EACCESS);
    if (!writable && writable.error().number == EROFS && !directory.optional && !plan.may_go_without) {
      return c.add(at("linux", "cgroupsPath"),
                   fmt::format("{} is mounted read-only: no cgroup can be made there", directory.mount),
                   "mount it read-write for the runtime");
    }
    if (c.config().linux_.cgroups_path.empty()) continue;
    const auto there = kernel::open(directory.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!there) continue;
    const std::string pids = read_processes(*there);
    if (pids.empty()) continue;
    return c.add(at("linux", "cgroupsPath"), fmt::format("the cgroup {} has processes in it: {}", directory.path, pids),
                 "give the container another path, or end those processes");
  }
}

}  // namespace

void check_cgroups(HostChecker &c) {
  spec::Config config;
  config.process = c.config().process;
  config.linux_ = c.config().linux_;
  config.linux_.seccomp.reset();
  if (config.linux_.resources) {
    check_resources(c, config);
    // What is left to decide without limits: the path and the device rules.
    spec::Resources rules;
    rules.devices = config.linux_.resources->devices;
    config.linux_.resources = std::move(rules);
  }
  c.clause("config-linux.md, Control groups");
  const Result<CgroupPlan> plan = plan_for(c, config);
  if (!plan) return c.add(plan.error());
  check_directories(c, *plan);
}

}  // namespace skiff
