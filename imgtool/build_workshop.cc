#include "imgtool/build_workshop.h"

#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>

#include "imgtool/build_leftovers.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"

namespace skiff::image {
namespace {

constexpr const char *builds = "build";
constexpr const char *runtime_name = "skiff";

Result<std::string> absolute(const std::string &path) {
  return path.starts_with('/') ? path : fmt::format("{}/{}", TRY(kernel::getcwd()), path);
}

Result<bool> is_program(const std::string &path) {
  const kernel::Fd file = TRY(kernel::find_at(kernel::cwd, path, O_PATH));
  if (!file.valid()) return false;
  return S_ISREG(TRY(kernel::fstat(file)).st_mode) && kernel::faccessat(kernel::cwd, path, X_OK).has_value();
}

// What cannot be removed now stays for the next one.
void sweep(const Layout &store, const BuildPlace &place) {
  const Result<BuildsThere> there = list_builds(place);
  if (!there) return;
  for (const BuildLeftover &one : there->left) (void)remove_build(store, place, one.name);
}

}  // namespace

Result<Workshop> Workshop::open(const Layout &store, const std::string &runtime, Interrupts &interrupts) {
  const BuildPlace place = TRY(lock_builds(store, LayoutAccess::write));
  sweep(store, place);
  // The runtime enters the container by this path.
  std::string path = fmt::format("{}/{}/XXXXXX", store.path(), builds);
  path = TRY(absolute(path));
  if (::mkdtemp(path.data()) == nullptr) return fail(errno, fmt::format("mkdtemp(\"{}\")", path));
  kernel::Fd lock = TRY(kernel::open(path, O_RDONLY | O_DIRECTORY));
  TRY(kernel::flock(lock, LOCK_EX));
  // For whoever sweeps up after it.
  if (!runtime.empty()) TRY(kernel::symlinkat(TRY(absolute(runtime)), lock, runtime_link));
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
