#include "compose/shared_memory.h"

#include <fmt/format.h>
#include <sys/mount.h>

#include "compose/joined_namespaces.h"
#include "compose/user_network.h"
#include "runtime/kernel/mount.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {
namespace {

constexpr std::uint64_t default_size = std::uint64_t{64} << 20U;  // docker's
constexpr std::string_view shareable = "shareable";

// A container in a user namespace has to reach it, and only DATA is open on the way; RUN alone is on a tmpfs.
std::string directory_of(const Places &places, const std::string &id) {
  return (is_rootless() ? places.sockets(id) : places.directory(id)) + "/shm";
}

Result<kernel::Fd> make_tmpfs(std::uint64_t size) {
  const kernel::Fd context = TRY(kernel::fsopen("tmpfs"));
  TRY(kernel::fsconfig_set_string(context, "source", "shm"));
  TRY(kernel::fsconfig_set_string(context, "mode", "1777"));
  TRY(kernel::fsconfig_set_string(context, "size", std::to_string(size)));
  TRY(kernel::fsconfig_create(context));
  return kernel::fsmount(context, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

}  // namespace

// NOLINTNEXTLINE(misc-no-recursion): along who joins whom, which ends as nobody can join one that is not there yet.
Result<std::string> shared_memory_of(const Places &places, const std::string &id, const std::string &ipc_mode) {
  if (ipc_mode == shareable) return directory_of(places, id);
  const std::string name = shared_with(ipc_mode);
  if (name.empty()) return std::string();
  const Container other = TRY(in("ipc", find_container(places, name)));
  if (other.record.ipc_mode == "host") return std::string("/dev/shm");
  std::string path = TRY(shared_memory_of(places, other.id(), other.record.ipc_mode));
  if (!path.empty()) return path;
  return fail(fmt::format("ipc: {} has its ipc namespace for itself", other.record.name),
              "make it with --ipc shareable, in a file ipc: shareable");
}

Status mount_shared_memory(const Places &places, const ContainerRecord &record) {
  if (record.ipc_mode != shareable) return {};
  const std::string path = directory_of(places, record.id);
  TRY(kernel::make_directory(kernel::cwd, path, 01777));
  if (is_rootless()) return {};
  // What a killed start has left is of another run.
  TRY(unmount_shared_memory(places, record));
  const kernel::Fd mount = TRY(make_tmpfs(record.shm_size.value_or(default_size)));
  const kernel::Fd target = TRY(kernel::open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW));
  return in(path, kernel::move_mount(mount, target));
}

Status unmount_shared_memory(const Places &places, const ContainerRecord &record) {
  if (record.ipc_mode != shareable || is_rootless()) return {};
  const Status done = kernel::umount2(directory_of(places, record.id), MNT_DETACH | UMOUNT_NOFOLLOW);
  // EINVAL: nothing is mounted there; ENOENT: it was never made.
  if (!done && done.error().number != EINVAL && done.error().number != ENOENT) return done;
  return {};
}

}  // namespace skiff::compose
