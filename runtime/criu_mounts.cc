#include "runtime/criu_mounts.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "runtime/kernel/mount.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"
#include "runtime/kernel/socket.h"
#include "runtime/mount_attributes.h"
#include "runtime/mount_sources.h"
#include "runtime/mount_target.h"
#include "runtime/rootfs.h"
#include "runtime/sync.h"

namespace skiff {
namespace {

// Of a mount what makes its place. Nobody will see what is in it.
MountStep make_bare(MountStep step) {
  step.copy_up = false;
  step.readonly_last = false;
  step.id_maps.reset();
  step.id_map_of_container = false;
  return step;
}

struct MakePlace {
  Rootfs &rootfs;

  Status operator()(const SetPropagation &step) const { return apply(step, rootfs); }
  Status operator()(const AttachRootfs &step) const { return apply(step, rootfs); }
  Status operator()(const MakeDevice &step) const { return apply(step, rootfs); }
  Status operator()(const MakeSymlink &step) const { return apply(step, rootfs); }
  Status operator()(const MountStep &step) const {
    if (step.kind == MountStep::Kind::remount) return {};
    if (step.kind != MountStep::Kind::cgroup) return apply(make_bare(step), rootfs);
    TRY(open_target(rootfs, step.destination, true));
    return {};
  }
  template <class T>
  Status operator()(const T & /*step*/) const {
    return {};
  }
};

Status make_places(const Plan &plan, Rootfs &rootfs) {
  kernel::umask(022);
  for (const Step &step : plan.steps) {
    rootfs.step = static_cast<std::size_t>(&step - plan.steps.data());
    TRY(in(step.field, std::visit(MakePlace{rootfs}, step.action)));
  }
  return {};
}

}  // namespace

Result<std::string> resolve_destination(const kernel::Fd &root, const std::string &destination,
                                        const kernel::Procfs &proc) {
  const std::string top = TRY(read_path(root, proc));
  std::string_view there = destination;
  while (true) {
    const kernel::Fd found = TRY(kernel::find_in_root(root, std::string(there), O_PATH));
    if (found.valid()) {
      std::string path = TRY(read_path(found, proc));
      if (top != "/" && path.starts_with(top)) path.erase(0, top.size());
      if (path == "/") path.clear();
      path += destination.substr(there.size());
      return path.empty() ? "/" : path;
    }
    there = there.substr(0, there.rfind('/'));
    if (there.empty()) return destination;
  }
}

Status make_mount_points(const Plan &plan, const kernel::Procfs &proc) {
  kernel::SocketPair pair = TRY(kernel::socketpair(SOCK_SEQPACKET));
  Rootfs rootfs = make_rootfs(plan, TRY(proc.duplicate()));
  kernel::Child child = TRY(kernel::clone3({.flags = CLONE_NEWNS}));
  if (child.is_this_process()) {
    const Status made = make_places(plan, rootfs);
    if (!made) say_failed(pair.other, made.error());
    _exit(made && say(pair.other, Word::ready) ? 0 : 1);
  }
  pair.other.reset();
  const Received received = TRY(hear(pair.one));
  TRY(child.wait());
  return received.word == Word::failed ? std::unexpected(received.error) : Status();
}

Status mount_criu_root(const std::string &rootfs, const std::string &place) {
  TRY(kernel::mount("", "/", "", MS_SLAVE | MS_REC));
  // What was a slave of the host's mounts becomes a slave of these, which works with shared ones only.
  TRY(kernel::mount("", "/", "", MS_SHARED | MS_REC));
  const kernel::Fd source = TRY(open_rootfs(rootfs));
  const kernel::Fd clone = TRY(kernel::open_tree(source, "", OPEN_TREE_CLONE | AT_EMPTY_PATH | AT_RECURSIVE));
  return kernel::move_mount(clone, TRY(kernel::open(place, O_PATH | O_DIRECTORY)));
}

}  // namespace skiff
