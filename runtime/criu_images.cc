#include "runtime/criu_images.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>

#include "runtime/cgroup_wait.h"
#include "runtime/criu_plan.h"
#include "runtime/kernel/call.h"
#include "runtime/kernel/path.h"
#include "spec/state.h"

namespace skiff {
namespace {

constexpr const char *descriptors_file = "descriptors.json";
constexpr std::size_t longest_descriptors = 1 << 20;

Result<kernel::Fd> open_directory(const std::string &path) { return kernel::open(path, O_RDONLY | O_DIRECTORY); }

}  // namespace

Result<CriuDirectories> open_criu_directories(const std::string &image_path, const std::string &work_path,
                                              bool make_images) {
  if (make_images) {
    TRY(in("--image-path", kernel::make_parents(image_path, 0700)));
    TRY(in("--image-path", kernel::make_directory(kernel::cwd, image_path, 0700)));
  }
  CriuDirectories out{.images = TRY(in("--image-path", open_directory(image_path))),
                      .work = {},
                      .image_path = image_path,
                      .log = image_path};
  if (work_path.empty()) return out;
  TRY(in("--work-path", kernel::make_directory(kernel::cwd, work_path, 0700)));
  out.work = TRY(in("--work-path", open_directory(work_path)));
  out.log = work_path;
  return out;
}

Status reopen_criu_directories(const CriuDirectories &directories) {
  TRY(kernel::dup_onto(TRY(open_directory(directories.image_path)), directories.images.get()));
  if (!directories.work.valid()) return {};
  return kernel::dup_onto(TRY(open_directory(directories.log)), directories.work.get());
}

Status let_in(const kernel::Fd &images, std::optional<std::uint32_t> group) {
  const mode_t mode = TRY(kernel::fstat(images)).st_mode & 07777;
  if (!group || (mode & S_IXOTH) != 0) return {};
  TRY(in("--image-path", kernel::fchownat(images, "", static_cast<uid_t>(-1), *group, AT_EMPTY_PATH)));
  return in("--image-path", kernel::fchmod(images, mode | S_IRGRP | S_IXGRP));
}

Status wait_for_lazy_pages(const CriuDirectories &directories) {
  const std::string socket = directories.log + "/lazy-pages.socket";
  const kernel::Fd watch(::inotify_init1(IN_CLOEXEC));
  if (!watch.valid()) return kernel::call_failed("inotify_init1", {});
  if (::inotify_add_watch(watch.get(), directories.log.c_str(), IN_CREATE) < 0) {
    return kernel::call_failed("inotify_add_watch", {watch, kernel::CString(directories.log)});
  }
  const Deadline deadline(std::chrono::seconds(10));
  while (!kernel::faccessat(kernel::cwd, socket, F_OK) && !deadline.over()) {
    if (!TRY(kernel::wait_readable(watch, deadline.left()))) return {};
    std::array<char, 4096> events{};
    TRY(kernel::read_some(watch, events));
  }
  return {};
}

Status check_parent_path(const kernel::Fd &images, const std::string &parent_path) {
  if (parent_path.empty()) return {};
  if (parent_path.starts_with('/')) {
    return fail("--parent-path: " + parent_path + " is absolute", "name it relative to --image-path: ../before");
  }
  TRY(in("--parent-path", remedy("name a directory of images of this container, relative to --image-path",
                                 kernel::openat(images, parent_path, O_PATH | O_DIRECTORY))));
  return {};
}

Status save_descriptors(const kernel::Fd &images, const std::vector<std::string> &descriptors) {
  const kernel::Fd file = TRY(kernel::openat(images, descriptors_file, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  return kernel::write_all(file, spec::print_descriptors(descriptors));
}

Result<std::vector<std::string>> load_descriptors(const kernel::Fd &images) {
  const kernel::Fd file = TRY(kernel::find_at(images, descriptors_file, O_RDONLY));
  if (!file.valid()) return std::vector<std::string>{};
  return in("--image-path", spec::parse_descriptors(TRY(kernel::read_all(file, longest_descriptors))));
}

bool has_own_criu_config() { return kernel::faccessat(kernel::cwd, own_criu_config, F_OK).has_value(); }

}  // namespace skiff
