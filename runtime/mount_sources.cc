#include "runtime/mount_sources.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>

#include "runtime/clone_refusal.h"
#include "runtime/idmap.h"
#include "runtime/kernel/credential.h"
#include "runtime/kernel/mount.h"
#include "runtime/kernel/namespace.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"
#include "runtime/kernel/socket.h"
#include "runtime/mount_target.h"

namespace skiff {
namespace {

constexpr std::size_t max_report = 8192;

// Says what is wrong with a rootfs that did not open as a directory.
Error rootfs_error(const std::string &path, Error error) {
  const auto there = kernel::fstatat(kernel::cwd, path, AT_SYMLINK_NOFOLLOW);
  if (!there && there.error().number == ENOENT) {
    return {ENOENT, "the rootfs " + path, "unpack an image there, or set root.path"};
  }
  if (there && S_ISLNK(there->st_mode)) {
    return {ELOOP, "the rootfs " + path + " is a symbolic link", "set root.path to the directory it points to"};
  }
  if (there && !S_ISDIR(there->st_mode)) return {ENOTDIR, "the rootfs " + path, "set root.path to a directory"};
  return error;
}

const Join *find_join(const Plan &plan, std::uint64_t flag) {
  const auto found = std::ranges::find(plan.launch.joins, flag, &Join::flag);
  return found == plan.launch.joins.end() ? nullptr : &*found;
}

// The user namespace whose maps the mount is to have.
Result<kernel::Fd> open_id_maps(const MountStep &step, const Plan &plan, const kernel::Procfs &proc) {
  if (step.id_maps) return open_user_namespace(*step.id_maps, proc);
  if (plan.launch.id_maps) return open_user_namespace(*plan.launch.id_maps, proc);
  if (const Join *join = find_join(plan, CLONE_NEWUSER)) return in(join->field, kernel::open(join->path, O_RDONLY));
  return fail("\"idmap\" without uidMappings and gidMappings needs a container with a user namespace",
              "give the mount its own uidMappings and gidMappings");
}

// Whether everybody may walk to this path: root of a user namespace is nobody special on the host. A path that does not
// open counts as hidden, so that the parent, who can tell, says why.
bool is_open_to_all(const std::string &path, const kernel::Procfs &proc) {
  const auto there = kernel::open(path, O_PATH);
  if (!there) return false;
  const auto resolved = read_path(*there, proc);
  if (!resolved) return false;
  for (auto slash = resolved->find('/', 1); slash != std::string::npos; slash = resolved->find('/', slash + 1)) {
    const auto parent = kernel::fstatat(kernel::cwd, resolved->substr(0, slash));
    if (!parent || (parent->st_mode & S_IXOTH) == 0) return false;
  }
  return true;
}

bool needs_parent(const Action &action, const Plan &plan, const kernel::Procfs &proc) {
  if (const auto *rootfs = std::get_if<AttachRootfs>(&action)) return !is_open_to_all(rootfs->path, proc);
  const auto *mount = std::get_if<MountStep>(&action);
  if (mount == nullptr || mount->kind != MountStep::Kind::bind || mount->copy_symlink) return false;
  if (is_source_inside(*mount, plan)) return false;
  return is_id_mapped(*mount) || !is_open_to_all(mount->source, proc);
}

Result<kernel::Fd> open_for_init(const Action &action, const Plan &plan, const kernel::Procfs &proc) {
  if (const auto *mount = std::get_if<MountStep>(&action)) return open_source(*mount, plan, proc);
  const auto *rootfs = std::get_if<AttachRootfs>(&action);
  const auto directory = TRY(open_rootfs(rootfs->path));
  return kernel::open_tree(directory, "", OPEN_TREE_CLONE | AT_EMPTY_PATH | AT_RECURSIVE);
}

// ---- the two processes of open_sources ----

// A mount namespace of a new user namespace: a copy of the host's, with every mount's flags locked and its propagation
// a slave of the host's. A clone made outside of it would let root of the container take off the nosuid or the ro that
// the host's administrator has put on the source.
Result<kernel::Fd> open_locked_mounts(const kernel::Procfs &proc) {
  auto pipe = TRY(kernel::pipe2());
  const kernel::CloneRequest wanted = {.flags = CLONE_NEWUSER | CLONE_NEWNS};
  const auto child = TRY(explain_clone(kernel::clone3(wanted), wanted, proc));
  if (child.is_this_process()) {
    pipe.write.reset();
    std::array<char, 1> end{};
    _exit(kernel::read_some(pipe.read, end) ? 0 : 1);
  }
  return kernel::open_namespace(proc, TRY(read_pid(child.pidfd(), proc)), "mnt");
}

// One report a step: its index and the descriptor, or its index, the errno, the text and the remedy, a line each.
Status report(kernel::FdView socket, std::size_t index, const Result<kernel::Fd> &opened) {
  std::string text = std::to_string(index);
  if (opened) {
    const std::array<kernel::FdView, 1> fds{kernel::FdView(*opened)};
    return kernel::send_message(socket, text, fds);
  }
  const Error &error = opened.error();
  text += '\n' + std::to_string(error.number) + '\n' + error.text + '\n' + error.remedy;
  return kernel::send_message(socket, text.substr(0, max_report));
}

Status report_all(kernel::FdView socket, kernel::FdView mounts, const std::vector<std::size_t> &wanted,
                  const Plan &plan, const kernel::Procfs &proc) {
  if (auto joined = kernel::setns(mounts, CLONE_NEWNS); !joined) {
    return report(socket, wanted.front(), std::unexpected(joined.error()));
  }
  for (const std::size_t index : wanted) {
    TRY(report(socket, index, open_for_init(plan.steps[index].action, plan, proc)));
  }
  return {};
}

std::string_view take_line(std::string_view &text) {
  const auto end = text.find('\n');
  const auto line = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return line;
}

template <class Number>
Number parse_number(std::string_view text) {
  Number number{};
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

Status take_report(kernel::Message message, const Plan &plan, std::vector<kernel::Fd> &sources) {
  std::string_view text = message.bytes;
  const auto index = parse_number<std::size_t>(take_line(text));
  if (index >= sources.size()) return fail(EPROTO, "a report of the sources names no step");
  if (message.fds.size() == 1) {
    sources[index] = std::move(message.fds.front());
    return {};
  }
  Error error{.number = parse_number<int>(take_line(text)), .text = std::string(take_line(text)), .remedy = {}};
  error.remedy = text;
  return std::unexpected(in(plan.steps[index].field, std::move(error)));
}

Result<std::vector<kernel::Fd>> collect(const std::vector<std::size_t> &wanted, const Plan &plan,
                                        const kernel::Procfs &proc) {
  const auto mounts = TRY(open_locked_mounts(proc));
  auto sockets = TRY(kernel::socketpair());
  auto child = TRY(kernel::clone3({}));
  if (child.is_this_process()) {
    sockets.one.reset();
    _exit(report_all(sockets.other, mounts, wanted, plan, proc) ? 0 : 1);
  }
  sockets.other.reset();
  std::vector<kernel::Fd> sources(plan.steps.size());
  for (std::size_t received = 0; received < wanted.size(); ++received) {
    auto message = TRY(kernel::recv_message(sockets.one, max_report, 1));
    if (!message) return fail(EPIPE, "the process that opens the mounts' sources ended early");
    TRY(take_report(std::move(*message), plan, sources));
  }
  TRY(child.wait());
  return sources;
}

}  // namespace

bool is_id_mapped(const MountStep &step) { return step.id_maps.has_value() || step.id_map_of_container; }

bool has_user_namespace(const Plan &plan) {
  return (plan.launch.new_namespaces & CLONE_NEWUSER) != 0 || find_join(plan, CLONE_NEWUSER) != nullptr;
}

std::uint64_t host_propagation(const Plan &plan) {
  for (const Step &each : plan.steps) {
    if (const auto *step = std::get_if<SetPropagation>(&each.action)) return step->propagation;
  }
  return 0;
}

bool has_cgroup_namespace(const Plan &plan) {
  return find_join(plan, CLONE_NEWCGROUP) != nullptr || std::ranges::any_of(plan.steps, [](const Step &each) {
           return std::holds_alternative<UnshareCgroup>(each.action);
         });
}

bool is_source_inside(const MountStep &step, const Plan &plan) {
  return !plan.rootfs.empty() && step.source.size() > plan.rootfs.size() && step.source.starts_with(plan.rootfs) &&
         step.source[plan.rootfs.size()] == '/';
}

kernel::Fd take_source(Rootfs &rootfs) {
  if (rootfs.step >= rootfs.sources.size()) return {};
  return std::move(rootfs.sources[rootfs.step]);
}

Result<kernel::Fd> open_rootfs(const std::string &path) {
  auto directory = kernel::open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (!directory) return std::unexpected(rootfs_error(path, std::move(directory).error()));
  return directory;
}

Result<kernel::Fd> open_source(const MountStep &step, const Plan &plan, const kernel::Procfs &proc) {
  unsigned flags = OPEN_TREE_CLONE;
  if (step.recursive) flags |= AT_RECURSIVE;
  if (step.source_nofollow) flags |= AT_SYMLINK_NOFOLLOW;
  auto source = kernel::open_tree(kernel::cwd, step.source, flags);
  if (!source && source.error().number == ENOENT) {
    return remedy("a bind needs a source that exists on the host", std::move(source));
  }
  if (!source && source.error().number == EINVAL) {
    return remedy(
        "the source is on an unbindable mount, or (in a user namespace) has mounts below it that only "
        "\"rbind\" may take along",
        std::move(source));
  }
  if (!source) return source;
  TRY(separate_from_host(*source, plan));
  TRY(id_map_source(step, *source, plan, proc));
  return source;
}

Status separate_from_host(kernel::FdView clone, const Plan &plan) {
  if (!plan.host_mounts) return {};
  return kernel::mount_setattr(clone, "", {.propagation = MS_SLAVE}, kernel::Recursive::yes);
}

Status id_map_source(const MountStep &step, kernel::FdView source, const Plan &plan, const kernel::Procfs &proc) {
  if (!is_id_mapped(step)) return {};
  return id_map_mount(source, TRY(open_id_maps(step, plan, proc)), step.id_map_recursive);
}

Status id_map_new(const MountStep &step, const kernel::Fd &mount, const Plan &plan, const kernel::Procfs &proc) {
  if (!step.id_maps) return {};
  return id_map_mount(mount, TRY(open_id_maps(step, plan, proc)), step.id_map_recursive);
}

Result<std::vector<kernel::Fd>> open_sources(const Plan &plan) {
  // A runtime without privileges can reach no more than the container it starts.
  if (!has_user_namespace(plan) || kernel::geteuid() != 0) return {};
  const auto proc = TRY(kernel::Procfs::open_host());
  std::vector<std::size_t> wanted;
  for (std::size_t index = 0; index < plan.steps.size(); ++index) {
    if (needs_parent(plan.steps[index].action, plan, proc)) wanted.push_back(index);
  }
  if (wanted.empty()) return {};
  return collect(wanted, plan, proc);
}

}  // namespace skiff
