#include "compose/container_view.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "compose/answer.h"
#include "compose/joined_namespaces.h"
#include "compose/rootfs_mount.h"
#include "compose/user_namespace.h"
#include "compose/user_network.h"
#include "compose/volume.h"
#include "runtime/cli/value.h"
#include "runtime/kernel/credential.h"
#include "runtime/kernel/mount.h"
#include "runtime/kernel/namespace.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/socket.h"
#include "spec/config.h"

namespace skiff::compose {
namespace {

using kernel::Fd;

// What a process of ours has found out: its answer and descriptors, or its error.
struct Told {
  std::string answer;
  std::vector<Fd> fds;
};

Status tell(kernel::FdView socket, const Result<Told> &result) {
  if (!result) return kernel::send_message(socket, print_answer(std::unexpected(result.error())));
  std::vector<kernel::FdView> fds(result->fds.begin(), result->fds.end());
  return kernel::send_message(socket, print_answer(result->answer), fds);
}

Result<Told> hear(kernel::FdView socket) {
  std::optional<kernel::Message> message = TRY(kernel::recv_message(socket, longest_answer, 2));
  if (!message) return fail("the process that was at it has ended");
  return Told{.answer = TRY(read_answer(message->bytes)), .fds = std::move(message->fds)};
}

Status attach(const Places &places, const Fd &root, const MountRecord &mount) {
  if (mount.kind == Mount::Kind::tmpfs) return {};
  // A device is mounted while containers run; here for this process alone.
  if (mount.kind == Mount::Kind::volume) TRY(mount_volume(places, mount.name));
  Fd place = TRY(kernel::open(mount.source, O_PATH));
  // Whoever has the volume writes into it: a part of it is no link.
  if (!mount.subpath.empty()) place = TRY(kernel::open_no_symlinks(place, mount.subpath, O_PATH));
  const Fd source = TRY(kernel::open_tree(place, "", OPEN_TREE_CLONE | AT_RECURSIVE | AT_EMPTY_PATH));
  const bool is_directory = S_ISDIR(TRY(kernel::fstat(source)).st_mode);
  const Fd target = TRY(is_directory ? kernel::make_directory_in_root(root, mount.target, 0755)
                                     : kernel::make_file_in_root(root, mount.target, 0644));
  TRY(kernel::move_mount(source, target));
  if (!mount.read_only) return {};
  return kernel::mount_setattr(source, "", {.set = MOUNT_ATTR_RDONLY}, kernel::Recursive::yes);
}

// In a mount namespace of one's own, over the container's directory: a mount that is attached nowhere takes no others
// before Linux 6.15.
Result<Fd> put_together(const Places &places, const ContainerRecord &record, bool read_only) {
  TRY(kernel::mount("", "/", "", MS_REC | MS_SLAVE));
  const std::string place = rootfs_of(places, record);
  const Fd tree = TRY(open_rootfs_tree(places, record));
  TRY(kernel::move_mount(tree, TRY(kernel::open(place, O_PATH | O_DIRECTORY))));
  Fd root = TRY(kernel::open(place, O_PATH | O_DIRECTORY));
  std::vector<MountRecord> mounts = record.mounts;
  std::ranges::stable_sort(mounts, {}, [](const MountRecord &one) { return one.target.size(); });
  for (const MountRecord &mount : mounts) TRY(in(mount.target, attach(places, root, mount)));
  if (read_only) TRY(kernel::mount_setattr(root, "", {.set = MOUNT_ATTR_RDONLY}));
  return root;
}

Result<Told> build(const Places &places, const ContainerRecord &record, bool read_only) {
  if (kernel::geteuid() != 0) TRY(become_root_of(kernel::no_fd));
  Told told;
  told.fds.push_back(TRY(put_together(places, record, read_only)));
  return told;
}

// Waits for its id maps, tells of the tree, and keeps it until the other side goes.
[[noreturn]] void hold(const kernel::Fd &socket, const Places &places, const ContainerRecord &record, bool read_only) {
  const bool begun = kernel::recv_message(socket, 1, 0).has_value();
  const bool told = begun && tell(socket, build(places, record, read_only)).has_value();
  if (told) (void)kernel::recv_message(socket, 1, 0);
  _exit(told ? 0 : 1);
}

Result<spec::Config> load_config(const Places &places, const ContainerRecord &record) {
  const std::string path = bundle_of(places, record.id) + "/config.json";
  spec::Parsed parsed = spec::parse_config(TRY(read_if_there(path)));
  if (!parsed.findings.empty()) return std::unexpected(spec::findings_error(path, parsed.findings));
  return std::move(parsed.config);
}

// The host ends of the maps that a user network's containers have are ids of that namespace.
std::vector<spec::IdMapping> turned(std::vector<spec::IdMapping> mappings) {
  for (spec::IdMapping &one : mappings) std::swap(one.container_id, one.host_id);
  return mappings;
}

Result<IdMaps> host_maps(const ContainerRecord &record, const spec::Config &config) {
  const spec::Linux &linux_ = config.linux_;
  if (kernel::geteuid() == 0 || !is_in_user_network(record)) {
    return IdMaps{.uids = linux_.uid_mappings, .gids = linux_.gid_mappings};
  }
  const IdMaps outer = TRY(make_user_network_maps(TRY(read_host_facts())));
  return IdMaps{.uids = TRY(map_inside(linux_.uid_mappings, turned(outer.uids))),
                .gids = TRY(map_inside(linux_.gid_mappings, turned(outer.gids)))};
}

std::string print_located(const Located &found) { return fmt::format("{} {}", found.mode, found.name); }

Result<Located> read_located(Told told) {
  const std::size_t blank = told.answer.find(' ');
  const auto mode = cli::parse_number<mode_t>(told.answer.substr(0, blank));
  if (blank == std::string::npos || !mode || told.fds.empty()) return fail("an answer that is none");
  Located found{
      .directory = std::move(told.fds[0]), .name = told.answer.substr(blank + 1), .mode = *mode, .self = Fd()};
  if (told.fds.size() > 1) found.self = std::move(told.fds[1]);
  return found;
}

}  // namespace

Status ContainerView::open_running(const Container &container) {
  const RunRecord &run = container.state.run;
  const kernel::Procfs proc = TRY(kernel::Procfs::open_host());
  mounts_ = TRY(kernel::open_namespace(proc, run.pid, "mnt"));
  root_ = TRY(kernel::open_process_root(proc, run.pid));
  user_namespace_ = TRY(kernel::open_namespace(proc, run.pid, "user"));
  // The number may have become another's before: what it is now it was all the time.
  if (TRY(proc.read_start_time(run.pid)) != run.start_time) return fail(ESRCH, "it has just ended");
  const Fd own = TRY(kernel::open_own_namespace(proc, "user"));
  if (TRY(kernel::is_same_namespace(own, user_namespace_))) user_namespace_.reset();
  return {};
}

Status ContainerView::open_stopped(const Places &places, const Container &container) {
  const spec::Config config = TRY(load_config(places, container.record));
  const IdMaps maps = TRY(host_maps(container.record, config));
  const kernel::Procfs proc = TRY(kernel::Procfs::open_host());
  const bool rootless = kernel::geteuid() != 0;
  const bool read_only = config.root && config.root->readonly;
  kernel::SocketPair pair = TRY(kernel::socketpair());
  const std::uint64_t user = rootless ? CLONE_NEWUSER : 0;
  holder_ = TRY(kernel::clone3({.flags = CLONE_NEWNS | user}));
  if (holder_.is_this_process()) {
    pair.one.reset();
    hold(pair.other, places, container.record, read_only);
  }
  pair.other.reset();
  if (rootless) TRY(write_id_maps(proc, holder_.pid(), maps));
  TRY(kernel::send_message(pair.one, "."));
  Told told = TRY(hear(pair.one));
  if (told.fds.size() != 1) return fail("an answer that is none");
  root_ = std::move(told.fds.front());
  link_ = std::move(pair.one);
  if (rootless) user_namespace_ = TRY(kernel::open_namespace(proc, holder_.pid(), "user"));
  if (!rootless && !maps.uids.empty()) user_namespace_ = TRY(make_user_namespace(proc, maps));
  return {};
}

Result<ContainerView> ContainerView::open(const Places &places, const Container &container) {
  ContainerView view;
  Container now = container;
  if (!now.state.is_running()) {
    view.lock_ = TRY(lock_container(places, now.id()));
    now = TRY(load_container(places, now.id()));
  }
  const bool runs = now.state.is_running() && now.state.run.pid != 0;
  if (runs) view.lock_.reset();
  TRY(in(now.record.name, runs ? view.open_running(now) : view.open_stopped(places, now)));
  return view;
}

Result<Located> ContainerView::locate(const std::string &path, bool follow) const {
  if (!user_namespace_.valid()) return locate_in(root_, path, follow);
  const kernel::SocketPair pair = TRY(kernel::socketpair());
  const kernel::Child child = TRY(kernel::clone3({}));
  if (child.is_this_process()) {
    const auto find = [&]() -> Result<Told> {
      TRY(become_root_of(user_namespace_));
      Located found = TRY(locate_in(root_, path, follow));
      Told told{.answer = print_located(found), .fds = {}};
      told.fds.push_back(std::move(found.directory));
      if (found.self.valid()) told.fds.push_back(std::move(found.self));
      return told;
    };
    _exit(tell(pair.other, find()) ? 0 : 1);
  }
  return read_located(TRY(hear(pair.one)));
}

}  // namespace skiff::compose
