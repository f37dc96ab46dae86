#include "runtime/oom_watch.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>

#include <array>

#include "runtime/cgroup_file.h"
#include "runtime/kernel/call.h"
#include "runtime/kernel/path.h"

namespace skiff {
namespace {

Result<kernel::Fd> copy_of(const kernel::Fd &directory) {
  return kernel::openat(directory, ".", O_RDONLY | O_DIRECTORY);
}

// memory.events counts in the whole subtree; .local (Linux 5.2) would miss what a nested cgroup loses.
Result<std::uint64_t> count_kills(kernel::FdView directory) {
  return find_key(TRY(read_cgroup_file(directory, "memory.events")), "oom_kill").value_or(0);
}

bool is_gone(kernel::FdView directory) { return !kernel::faccessat(directory, "cgroup.procs", F_OK); }

}  // namespace

Result<OomWatch> OomWatch::start(const Cgroup &cgroup) {
  OomWatch out;
  if (const Cgroup::Level *level = cgroup.find_file("memory.events", true)) {
    out.unified_ = true;
    out.directory_ = TRY(copy_of(level->fd));
    out.fd_ = kernel::Fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!out.fd_.valid()) return kernel::call_failed("inotify_init1", {});
    // The kernel marks the file modified at each change, and kernfs sends IN_DELETE_SELF for files since Linux 5.14 at
    // the latest; cgroup.events says before that when the last process is gone.
    for (const char *file : {"/memory.events", "/cgroup.events"}) {
      const std::string path = level->path + file;
      if (::inotify_add_watch(out.fd_.get(), path.c_str(), IN_MODIFY | IN_DELETE_SELF) < 0) {
        return kernel::call_failed("inotify_add_watch", {out.fd_, kernel::CString(path)});
      }
    }
    out.kills_ = TRY(count_kills(out.directory_));
    return out;
  }
  const Cgroup::Level *level = cgroup.find_file("memory.oom_control", false);
  if (level == nullptr) {
    return fail("the container has no cgroup with the memory controller, and nobody counts its OOM kills",
                "enable the memory controller");
  }
  out.directory_ = TRY(copy_of(level->fd));
  out.fd_ = kernel::Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!out.fd_.valid()) return kernel::call_failed("eventfd", {0});
  out.oom_control_ = TRY(kernel::openat(level->fd, "memory.oom_control", O_RDONLY));
  TRY(write_cgroup_file(level->fd, "cgroup.event_control",
                        fmt::format("{} {}", out.fd_.get(), out.oom_control_.get())));
  return out;
}

Result<OomWatch::Event> OomWatch::next() {
  std::array<char, 4096> events;
  const Result<std::size_t> size = kernel::read_some(fd_, events);
  if (!size && size.error().number == EAGAIN) return Event::none;
  if (!size) return std::unexpected(size.error());
  // v1 signals the eventfd also when the cgroup is removed.
  if (is_gone(directory_)) return Event::gone;
  if (!unified_) return Event::oom;
  const Result<std::uint64_t> kills = count_kills(directory_);
  if (!kills && is_missing(kills.error())) return Event::gone;
  if (!kills) return std::unexpected(kills.error());
  if (*kills > kills_) {
    kills_ = *kills;
    return Event::oom;
  }
  const Result<std::string> state = read_cgroup_file(directory_, "cgroup.events");
  return state && find_key(*state, "populated") == 0U ? Event::gone : Event::none;
}

}  // namespace skiff
