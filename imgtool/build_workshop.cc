#include "imgtool/build_workshop.h"

#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>

#include "imgtool/build_run.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"

namespace skiff::image {
namespace {

constexpr const char *builds = "build";
constexpr const char *runtime_name = "skiff";

Result<bool> is_program(const std::string &path) {
  const kernel::Fd file = TRY(kernel::find_at(kernel::cwd, path, O_PATH));
  if (!file.valid()) return false;
  return S_ISREG(TRY(kernel::fstat(file)).st_mode) && kernel::faccessat(kernel::cwd, path, X_OK).has_value();
}

// A build that was killed: its lock is free. What cannot be removed now stays for the next one.
void sweep(const Layout &store, const std::string &runtime) {
  const Result<kernel::Fd> directory = kernel::openat(store.directory(), builds, O_RDONLY | O_DIRECTORY);
  if (!directory) return;
  const Result<std::vector<std::string>> names = kernel::list_directory(*directory);
  for (const std::string &name : names.value_or(std::vector<std::string>())) {
    const Result<kernel::Fd> lock = kernel::openat(*directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!lock || !kernel::flock(*lock, LOCK_EX | LOCK_NB)) continue;
    const std::string root = fmt::format("{}/{}/{}/run", store.path(), builds, name);
    const Result<kernel::Fd> containers = kernel::openat(*lock, "run", O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (containers) {
      const Result<std::vector<std::string>> ids = kernel::list_directory(*containers);
      for (const std::string &id : ids.value_or(std::vector<std::string>())) delete_container(runtime, root, id);
    }
    (void)kernel::remove_tree_at(*directory, name);
  }
}

}  // namespace

Result<Workshop> Workshop::open(const Layout &store, const std::string &runtime, Interrupts &interrupts) {
  TRY(kernel::make_directory(store.directory(), builds, 0700));
  sweep(store, runtime);
  // The runtime enters the container by this path.
  std::string path = fmt::format("{}/{}/XXXXXX", store.path(), builds);
  if (!path.starts_with('/')) path = fmt::format("{}/{}", TRY(kernel::getcwd()), path);
  if (::mkdtemp(path.data()) == nullptr) return fail(errno, fmt::format("mkdtemp(\"{}\")", path));
  kernel::Fd lock = TRY(kernel::open(path, O_RDONLY | O_DIRECTORY));
  TRY(kernel::flock(lock, LOCK_EX));
  return Workshop(store, runtime, std::move(path), std::move(lock), interrupts);
}

Workshop::Workshop(const Layout &store, std::string runtime, std::string path, kernel::Fd lock, Interrupts &interrupts)
    : store_(&store),
      runtime_(std::move(runtime)),
      path_(std::move(path)),
      lock_(std::move(lock)),
      interrupts_(&interrupts) {}

Workshop::Workshop(Workshop &&other) noexcept
    : store_(other.store_),
      runtime_(std::move(other.runtime_)),
      path_(std::exchange(other.path_, {})),
      lock_(std::move(other.lock_)),
      interrupts_(other.interrupts_),
      rootfs_(std::exchange(other.rootfs_, {})) {}

Workshop::~Workshop() {
  if (path_.empty()) return;
  for (const std::string &path : rootfs_) interrupts_->forget(path);
  (void)kernel::remove_tree_at(kernel::cwd, path_);
}

Result<std::string> Workshop::make_rootfs() {
  std::string path = fmt::format("{}/rootfs{}", path_, rootfs_.size());
  interrupts_->remember(path);
  rootfs_.push_back(path);
  TRY(kernel::mkdirat(kernel::cwd, path, 0755));
  return path;
}

Result<std::string> Workshop::make_directory(const std::string &name) {
  std::string path = fmt::format("{}/{}", path_, name);
  TRY(kernel::make_directory(kernel::cwd, path, 0700));
  return path;
}

Result<std::string> find_runtime(const std::string &given) {
  if (given.find('/') != std::string::npos) {
    if (TRY(is_program(given))) return given;
    return fail(ENOENT, "--runtime " + given, "name an OCI runtime's program");
  }
  const std::string name = given.empty() ? runtime_name : given;
  if (given.empty()) {
    const std::string self = TRY(kernel::readlinkat(kernel::cwd, "/proc/self/exe"));
    std::string beside = self.substr(0, self.rfind('/') + 1) + name;
    if (TRY(is_program(beside))) return beside;
  }
  if (std::string found = kernel::find_on_path(name); !found.empty()) return found;
  return fail(ENOENT, fmt::format("RUN needs {}: it is neither beside this program nor on $PATH", name),
              "name an OCI runtime by --runtime");
}

}  // namespace skiff::image
