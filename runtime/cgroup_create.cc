// Cgroup::create: the directories of a plan, with the controllers and the cpuset that make them take processes.
#include <fmt/format.h>

#include <algorithm>

#include "runtime/cgroup.h"
#include "runtime/cgroup_file.h"
#include "runtime/cgroup_tree.h"
#include "runtime/kernel/path.h"

namespace skiff {
namespace {

std::vector<std::string> words(std::string_view line) {
  std::vector<std::string> out;
  for (std::string_view word = next_word(line); !word.empty(); word = next_word(line)) out.emplace_back(word);
  return out;
}

bool holds(const std::vector<std::string> &list, std::string_view name) {
  return std::ranges::find(list, name) != list.end();
}

// Enables everything this directory can give its children, as the callers expect of a container's cgroup: statistics
// and a later `update` need more than the limits of now. Only a controller that is needed makes it an error.
// systemd's own directories are left as they are but for that: it has enabled what it knows.
Status enable_controllers(kernel::FdView dir, const CgroupPlan &plan) {
  const std::vector<std::string> &needed = plan.needed_controllers;
  const bool of_systemd = !plan.unit.name.empty();
  const std::vector<std::string> enabled = words(TRY(read_cgroup_file(dir, "cgroup.subtree_control")));
  std::vector<std::string> missing = words(TRY(read_cgroup_file(dir, "cgroup.controllers")));
  std::erase_if(missing,
                [&](const std::string &name) { return holds(enabled, name) || (of_systemd && !holds(needed, name)); });
  if (missing.empty()) return {};
  std::string all;
  for (const std::string &name : missing) all.append(all.empty() ? "+" : " +").append(name);
  if (write_cgroup_file(dir, "cgroup.subtree_control", all)) return {};
  // The write is all or nothing: one that is refused takes the others with it.
  for (const std::string &name : missing) {
    Status status = write_cgroup_file(dir, "cgroup.subtree_control", "+" + name);
    if (status || !holds(needed, name)) continue;
    if (status.error().number == EBUSY) {
      return remedy(
          "there are processes in that cgroup itself, and on cgroup v2 one with processes cannot have limited "
          "cgroups below it: give linux.cgroupsPath a place whose parents have none",
          std::move(status));
    }
    return status;
  }
  return {};
}

// A process that is put into it would stop before it could do anything.
Status check_thawed(kernel::FdView dir, const std::string &path) {
  for (const auto &[file, frozen] : {std::pair{"freezer.state", "FROZEN"}, std::pair{"cgroup.freeze", "1"}}) {
    Result<std::string> state = read_cgroup_file(dir, file);
    if (!state && !is_missing(state.error())) return std::unexpected(std::move(state).error());
    if (!state || !state->starts_with(frozen)) continue;
    return fail(EBUSY, fmt::format("container's cgroup unexpectedly frozen: {}/{}", path, file),
                "thaw it, or give the container another linux.cgroupsPath");
  }
  return {};
}

Status check_free(const kernel::Fd &dir, const std::string &path) {
  std::string pids;
  CgroupVisitor visitor;
  visitor.enter = [&](kernel::FdView below) -> Status {
    Result<std::string> text = read_cgroup_file(below, "cgroup.procs");
    if (text && !text->empty() && pids.empty()) pids = std::move(*text);
    return {};
  };
  TRY(walk_cgroups(dir, visitor));
  if (pids.empty()) return check_thawed(dir, path);
  std::ranges::replace(pids, '\n', ' ');
  return fail(EEXIST, fmt::format("container's cgroup is not empty: {} has processes in it: {}", path, pids),
              "give the container another linux.cgroupsPath, or end those processes");
}

class Maker {
 public:
  Maker(const CgroupPlan &plan, const CgroupDirectory &directory, Cgroup::Level &out)
      : plan_(plan), directory_(directory), out_(out) {
    cpuset_ = std::ranges::find(directory.controllers, "cpuset") != directory.controllers.end();
  }

  // mkdir -p. A parent may go away at any instant, when the container beside us is deleted: then once more.
  Status run() {
    for (int tries = 0;; ++tries) {
      Status status = make();
      if (status || !is_missing(status.error()) || tries == 9) return status;
    }
  }

 private:
  Status make() {
    kernel::Fd here = TRY(kernel::open(directory_.mount, O_RDONLY | O_DIRECTORY));
    std::string_view rest = std::string_view(directory_.path).substr(directory_.mount.size());
    std::string path = directory_.mount;
    bool made = false;
    while (!rest.empty()) {
      rest.remove_prefix(1);
      const std::size_t slash = rest.find('/');
      const std::string name(rest.substr(0, slash));
      rest.remove_prefix(name.size());
      if (plan_.unified) TRY(enable_controllers(here, plan_));
      path.append("/").append(name);
      NewCgroup child = TRY(make_cgroup_directory(here, name, cpuset_));
      made = child.made;
      if (made && out_.made.empty()) out_.made = path;
      here = std::move(child.fd);
    }
    out_.fd = std::move(here);
    return made ? Status{} : take_existing();
  }

  // What a killed runtime left behind is taken over; a cgroup in use is not ours. One that systemd has just made for us
  // has init in it.
  Status take_existing() {
    const bool of_systemd = !plan_.unit.name.empty();
    Status status = of_systemd ? check_thawed(out_.fd, directory_.path) : check_free(out_.fd, directory_.path);
    if (!status) out_.fd.reset();
    return status;
  }

  const CgroupPlan &plan_;
  const CgroupDirectory &directory_;
  Cgroup::Level &out_;
  bool cpuset_ = false;
};

const CgroupWrite *find_write(const CgroupPlan &plan, std::size_t hierarchy) {
  const auto found =
      std::ranges::find_if(plan.writes, [&](const CgroupWrite &write) { return write.hierarchy == hierarchy; });
  return found == plan.writes.end() ? nullptr : &*found;
}

std::string_view field_of_controller(const CgroupPlan &plan, const std::string &controller) {
  for (const CgroupWrite &write : plan.writes) {
    if (write.file.starts_with(controller + ".")) return write.field;
  }
  return "linux.resources";
}

// Where something was asked for that needs the cgroup. In the words of runc, which its callers' tests read.
Error explain_refusal(const CgroupPlan &plan, std::size_t hierarchy, Error error) {
  constexpr const char *delegate = "have a cgroup delegated to this user (systemd-run --user --scope -p Delegate=yes)";
  const CgroupWrite *write = find_write(plan, hierarchy);
  error.remedy = fmt::format("{}, or leave the {} out", delegate, write != nullptr ? "limit" : "path");
  if (write == nullptr) return in("linux.cgroupsPath: unable to apply cgroup configuration", std::move(error));
  const std::string_view controller = std::string_view(write->file).substr(0, write->file.find('.'));
  return in(fmt::format("{}: cannot set {} limit: container could not join or create cgroup", write->field, controller),
            std::move(error));
}

// config-linux.md, "Unified": "The runtime MUST generate an error when the configuration refers to a cgroup controller
// that is not present or that cannot be enabled."
Status check_controllers(const CgroupPlan &plan, const Cgroup::Level &level) {
  if (plan.needed_controllers.empty()) return {};
  const std::string text = TRY(read_cgroup_file(level.fd, "cgroup.controllers"));
  const std::vector<std::string> there = words(text);
  for (const std::string &name : plan.needed_controllers) {
    if (holds(there, name)) continue;
    return fail(
        fmt::format("{}: the controller \"{}\" is not available in {}, which has \"{}\"",
                    field_of_controller(plan, name), name, level.path, text),
        plan.may_go_without
            ? fmt::format("have it delegated (Delegate={} in systemd's user@.service), or leave the limit out", name)
            : fmt::format("boot a kernel that offers \"{}\" on cgroup v2, or leave the limit out", name));
  }
  return {};
}

}  // namespace

Status Cgroup::check_unused(const CgroupPlan &plan) {
  for (const CgroupDirectory &directory : plan.directories) {
    const Result<kernel::Fd> there = kernel::open(directory.path, O_RDONLY | O_DIRECTORY);
    if (!there) continue;
    Status status = check_free(*there, directory.path);
    if (!status && !is_missing(status.error())) return in("linux.cgroupsPath", std::move(status));
  }
  return {};
}

Result<Cgroup> Cgroup::create(const CgroupPlan &plan) {
  Cgroup out;
  out.may_go_without_ = plan.may_go_without;
  // What create made goes again when it fails; the first error is the one that counts.
  auto failed = [&](Error error) -> std::unexpected<Error> {
    (void)out.remove(std::chrono::milliseconds(0));
    return std::unexpected(std::move(error));
  };
  for (std::size_t i = 0; i < plan.directories.size(); ++i) {
    const CgroupDirectory &directory = plan.directories[i];
    out.levels_.push_back({.path = directory.path, .unified = directory.unified, .fd = {}, .made = {}});
    Level &level = out.levels_.back();
    Status status = Maker(plan, directory, level).run();
    if (status && plan.unified) {
      // It names the field of the limit itself.
      if (Status offered = check_controllers(plan, level); !offered) return failed(std::move(offered).error());
    }
    if (status || directory.optional) continue;
    Error error = std::move(status).error();
    if (!plan.may_go_without || !is_refused(error)) return failed(in("linux.cgroupsPath", std::move(error)));
    if (plan.path_given || find_write(plan, i) != nullptr) return failed(explain_refusal(plan, i, std::move(error)));
    level.fd.reset();
    if (out.warnings_.empty()) {
      out.warnings_.push_back("the container runs without a cgroup of its own: " + error.message());
    }
  }
  return out;
}

}  // namespace skiff
