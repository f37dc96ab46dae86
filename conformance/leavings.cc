#include "conformance/leavings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/cli/value.h"
#include "runtime/kernel/fd.h"
#include "runtime/kernel/mount.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"

namespace skiff::conformance {
namespace {

constexpr std::size_t longest = std::size_t{4} << 20;

std::string read(const std::string &path) {
  const Result<kernel::Fd> file = kernel::open(path, O_RDONLY);
  return file ? kernel::read_all(*file, longest).value_or("") : "";
}

// Calls `visit` with the fields of each line of our mountinfo.
template <class Visit>
void each_mount(Visit visit) {
  const std::string table = read("/proc/self/mountinfo");
  for (std::string_view rest = table; !rest.empty();) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    std::vector<std::string_view> fields;
    while (!line.empty()) {
      fields.push_back(line.substr(0, line.find(' ')));
      line.remove_prefix(std::min(fields.back().size() + 1, line.size()));
    }
    if (fields.size() >= 9) visit(fields);
  }
}

struct Hierarchy {
  std::string path;
  std::string options;  // of the superblock: v1's controllers
  bool unified;
};
std::vector<Hierarchy> hierarchies() {
  std::vector<Hierarchy> all;
  each_mount([&](const std::vector<std::string_view> &fields) {
    const std::string_view type = fields[fields.size() - 3];
    if (type != "cgroup" && type != "cgroup2") return;
    all.push_back({std::string(fields[4]), "," + std::string(fields.back()) + ",", type == "cgroup2"});
  });
  return all;
}

// The directory and all below it, deepest first.
void collect(const std::string &path, std::vector<std::string> &out) {
  const Result<kernel::Fd> directory = kernel::open(path, O_RDONLY | O_DIRECTORY);
  if (!directory) return;
  for (const std::string &name : kernel::list_directory(*directory).value_or(std::vector<std::string>())) {
    const Result<struct stat> found = kernel::fstatat(*directory, name, AT_SYMLINK_NOFOLLOW);
    if (found && S_ISDIR(found->st_mode)) collect(fmt::format("{}/{}", path, name), out);
  }
  out.push_back(path);
}

// Kills what the file lists and waits for the ends. False where it lists nothing.
bool kill_listed(const std::string &file) {
  constexpr std::chrono::seconds patience{2};
  const std::string text = read(file);
  std::vector<kernel::Fd> dying;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find_first_of("\n "));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const std::optional<pid_t> pid = cli::parse_number<pid_t>(line);
    if (!pid || *pid <= 1) continue;
    if (Result<kernel::Fd> pidfd = kernel::pidfd_open(*pid)) dying.push_back(std::move(*pidfd));
    (void)kernel::kill(*pid, SIGKILL);
  }
  for (const kernel::Fd &pidfd : dying) (void)kernel::wait_readable(pidfd, patience);
  return !text.empty();
}

std::vector<std::string> find_mounts(const std::string &directory) {
  std::vector<std::string> found;
  each_mount([&](const std::vector<std::string_view> &fields) {
    if (fields[4].starts_with(directory + "/")) found.emplace_back(fields[4]);
  });
  return found;
}

// A frozen process dies only when it thaws.
void thaw(const std::string &path) {
  for (const auto &[file, value] : {std::pair{"/freezer.state", "THAWED"}, std::pair{"/cgroup.freeze", "0"}}) {
    const Result<kernel::Fd> freezer = kernel::open(path + file, O_WRONLY);
    if (freezer) (void)kernel::write_all(*freezer, value);
  }
}

}  // namespace

void kill_children() {
  const std::string children = fmt::format("/proc/self/task/{}/children", kernel::gettid());
  while (kill_listed(children) && kernel::waitpid_any().has_value()) {
  }
}

std::vector<std::string> find_cgroups(const std::string &cgroup) {
  std::vector<std::string> found;
  for (const Hierarchy &hierarchy : hierarchies()) collect(hierarchy.path + cgroup, found);
  return found;
}

std::string find_hierarchy(const std::string &controller) {
  std::string unified;
  for (const Hierarchy &hierarchy : hierarchies()) {
    if (!hierarchy.unified && hierarchy.options.find("," + controller + ",") != std::string::npos) {
      return hierarchy.path;
    }
    if (hierarchy.unified) unified = hierarchy.path;
  }
  const std::string controllers = " " + read(unified + "/cgroup.controllers");
  const bool there = controllers.find(" " + controller) != std::string::npos;
  return !unified.empty() && there ? unified : "";
}

bool is_unified() {
  const std::vector<Hierarchy> all = hierarchies();
  return !all.empty() && std::ranges::all_of(all, &Hierarchy::unified);
}

std::vector<std::string> own_children() {
  std::vector<std::string> pids;
  const std::string text = read(fmt::format("/proc/self/task/{}/children", kernel::gettid()));
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view word = rest.substr(0, rest.find_first_of("\n "));
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    if (!word.empty()) pids.emplace_back(word);
  }
  return pids;
}

void kill_members(const std::string &cgroup) {
  for (const std::string &path : find_cgroups(cgroup)) {
    thaw(path);
    (void)kill_listed(path + "/cgroup.procs");
  }
}

Status remove_leavings(const std::string &directory, const std::string &cgroup) {
  std::vector<std::string> left = find_cgroups(cgroup);
  kill_members(cgroup);
  for (const std::string &path : left) (void)kernel::unlinkat(kernel::cwd, path, AT_REMOVEDIR);
  std::vector<std::string> mounts = find_mounts(directory);
  std::ranges::reverse(mounts);
  for (const std::string &mount : mounts) (void)kernel::umount2(mount, MNT_DETACH);
  left.insert(left.end(), mounts.begin(), mounts.end());
  // By its parent: what is removed may not lie across a mount, and /tmp is often one.
  const std::size_t slash = directory.rfind('/');
  const kernel::Fd parent = TRY(kernel::open(directory.substr(0, slash), O_PATH | O_DIRECTORY));
  TRY(kernel::remove_tree_at(parent, directory.substr(slash + 1)));
  if (!left.empty()) return fail(fmt::format("\"delete --force\" leaves {}", fmt::join(left, ", ")));
  return {};
}

}  // namespace skiff::conformance
