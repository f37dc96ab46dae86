#include "runtime/idmap.h"

#include <unistd.h>

#include <array>
#include <charconv>
#include <string_view>

#include "runtime/kernel/mount.h"
#include "runtime/kernel/namespace.h"
#include "runtime/kernel/process.h"

namespace skiff {
namespace {

Status write_maps(const IdMaps &maps, pid_t pid, const kernel::Procfs &proc) {
  const std::string directory = std::to_string(pid);
  TRY(proc.write_file(directory + "/uid_map", format_id_map(maps.uids)));
  return proc.write_file(directory + "/gid_map", format_id_map(maps.gids));
}

}  // namespace

Result<pid_t> read_pid(kernel::FdView pidfd, const kernel::Procfs &proc) {
  const std::string info = TRY(proc.read_file("self/fdinfo/" + std::to_string(pidfd.get())));
  constexpr std::string_view key = "Pid:\t";
  const auto at = info.find(key);
  pid_t pid = 0;
  if (at != std::string::npos) std::from_chars(info.data() + at + key.size(), info.data() + info.size(), pid);
  if (pid <= 0) return fail(ESRCH, "the process is not in the pid namespace of the procfs in use");
  return pid;
}

std::string format_id_map(const std::vector<spec::IdMapping> &mappings) {
  std::string out;
  for (const spec::IdMapping &each : mappings) {
    out += std::to_string(each.container_id) + ' ' + std::to_string(each.host_id) + ' ' + std::to_string(each.size);
    out += '\n';
  }
  return out;
}

Result<kernel::Fd> open_user_namespace(const IdMaps &maps, const kernel::Procfs &proc) {
  auto pipe = TRY(kernel::pipe2());
  // A namespace is made by having a process in it. This one waits until the maps are written; it ends with us, too.
  const auto child = TRY(kernel::clone3({.flags = CLONE_NEWUSER}));
  if (child.is_this_process()) {
    pipe.write.reset();
    std::array<char, 1> end{};
    _exit(kernel::read_some(pipe.read, end) ? 0 : 1);
  }
  const pid_t pid = TRY(read_pid(child.pidfd(), proc));
  TRY(in("the id maps", write_maps(maps, pid, proc)));
  return kernel::open_namespace(proc, pid, "user");
}

Status id_map_mount(kernel::FdView mount, kernel::FdView userns, bool recursive) {
  auto result = kernel::mount_setattr(mount, "", {.set = MOUNT_ATTR_IDMAP, .userns = userns},
                                      recursive ? kernel::Recursive::yes : kernel::Recursive::no);
  if (result) return result;
  switch (result.error().number) {
    case EINVAL:
      return remedy(
          "the filesystem of the source, or of a mount below it, cannot be id-mapped on this kernel: "
          "leave out idmap, or change the owners on disk",
          std::move(result));
    case EPERM:
      return remedy("an id-mapped mount takes CAP_SYS_ADMIN in the user namespace that mounted the source's filesystem",
                    std::move(result));
    default:
      return result;
  }
}

}  // namespace skiff
