#include "runtime/mount_target.h"

#include <algorithm>
#include <array>

#include "runtime/kernel/mount.h"
#include "runtime/kernel/path.h"

namespace skiff {
namespace {

constexpr mode_t directory_mode = 0755;
constexpr mode_t file_mode = 0644;

// What lxcfs mounts over files of /proc, and every runtime lets it.
constexpr std::array<std::string_view, 10> files_in_proc{
    "/proc/cpuinfo",
    "/proc/diskstats",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/swaps",
    "/proc/uptime",
    "/proc/loadavg",
    "/proc/slabinfo",
    "/proc/sys/kernel/ns_last_pid",
    "/proc/sys/crypto/fips_enabled",
};

// The path below the root of what self/fd shows: "/rootfs/a/b" is "/a/b", the root itself is "/".
std::string_view strip_root(std::string_view path, std::string_view root) {
  if (root == "/") return path;
  if (path.starts_with(root)) path.remove_prefix(root.size());
  return path.empty() ? "/" : path;
}

Status check_place(kernel::FdView mount, kernel::FdView target, const Rootfs &rootfs) {
  const std::string path = TRY(read_path(target, rootfs.proc));
  const std::string_view place = strip_root(path, rootfs.root_path);
  if (place == "/") {
    return fail(EBUSY, "nothing can be mounted over the rootfs itself", "make that filesystem the root.path instead");
  }
  if (place == "/proc") {
    const auto filesystem = TRY(kernel::fstatfs(mount));
    if (filesystem.f_type == PROC_SUPER_MAGIC) return {};
    return fail(EPERM, "only a procfs can be mounted on /proc", "use type \"proc\", or bind a procfs");
  }
  if (place.starts_with("/proc/") && std::ranges::find(files_in_proc, place) == files_in_proc.end()) {
    return fail(EPERM, "nothing can be mounted inside /proc (" + std::string(place) + ")",
                "security settings are read from there; linux.maskedPaths and linux.readonlyPaths can cover it");
  }
  return {};
}

Status check_shape(kernel::FdView mount, kernel::FdView target) {
  const bool source_is_directory = S_ISDIR(TRY(kernel::fstat(mount)).st_mode);
  const bool target_is_directory = S_ISDIR(TRY(kernel::fstat(target)).st_mode);
  if (source_is_directory == target_is_directory) return {};
  if (source_is_directory) return fail(ENOTDIR, "the source is a directory, but in the rootfs there is a file");
  return fail(EISDIR, "the source is a file, but in the rootfs there is a directory");
}

Result<kernel::Fd> open_target_itself(const Rootfs &rootfs, const std::string &destination, bool directory) {
  const auto place = TRY(kernel::make_parent_in_root(rootfs.root, destination, directory_mode));
  auto there = kernel::openat(place.parent, place.name, O_PATH | O_NOFOLLOW);
  if (there || there.error().number != ENOENT) return there;
  if (directory) {
    TRY(kernel::mkdirat(place.parent, place.name, directory_mode));
  } else {
    TRY(kernel::mknodat(place.parent, place.name, S_IFREG | file_mode, 0));
  }
  return kernel::openat(place.parent, place.name, O_PATH | O_NOFOLLOW);
}

}  // namespace

Result<std::string> read_path(kernel::FdView fd, const kernel::Procfs &proc) {
  return kernel::readlinkat(proc.root(), "self/fd/" + std::to_string(fd.get()));
}

Result<kernel::Fd> open_target(const Rootfs &rootfs, std::string_view destination, bool directory, Follow follow) {
  const std::string path(destination);
  if (follow == Follow::no) return open_target_itself(rootfs, path, directory);
  auto there = TRY(kernel::find_in_root(rootfs.root, path, O_PATH));
  if (there.valid()) return there;
  return make_target(rootfs, path, directory);
}

Result<kernel::Fd> make_target(const Rootfs &rootfs, const std::string &path, bool directory) {
  if (directory) return kernel::make_directory_in_root(rootfs.root, path, directory_mode);
  return kernel::make_file_in_root(rootfs.root, path, file_mode);
}

Result<kernel::Fd> open_plain_target(const Rootfs &rootfs, std::string_view destination) {
  const std::string path(destination);
  const auto open = [&] {
    return kernel::openat2(rootfs.root, path, O_PATH | O_DIRECTORY, 0, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
  };
  auto there = open();
  if (!there && there.error().number == ENOENT) {
    TRY(kernel::make_directory_in_root(rootfs.root, path, directory_mode));
    there = open();
  }
  if (!there && there.error().number == ELOOP) {
    return fail(ELOOP, "the rootfs has a symbolic link there",
                "procfs and sysfs must be mounted on ordinary directory");
  }
  if (!there && there.error().number == ENOTDIR) {
    return fail(ENOTDIR, "the rootfs has no directory there", "procfs and sysfs must be mounted on ordinary directory");
  }
  return there;
}

Status attach_to(kernel::FdView mount, kernel::FdView target, const Rootfs &rootfs) {
  TRY(check_place(mount, target, rootfs));
  auto moved = kernel::move_mount(mount, target);
  // The kernel refuses a file on a directory, and the other way round, without saying so.
  if (!moved && moved.error().number == EINVAL) TRY(check_shape(mount, target));
  return moved;
}

Status attach(const kernel::Fd &mount, std::string_view destination, bool directory, Rootfs &rootfs) {
  const auto target = TRY(open_target(rootfs, destination, directory));
  return attach_to(mount, target, rootfs);
}

}  // namespace skiff
