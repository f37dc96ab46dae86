#include "runtime/seal.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <charconv>
#include <string_view>

#include "runtime/kernel/fd.h"
#include "runtime/kernel/mount.h"
#include "runtime/kernel/process.h"

namespace skiff {
namespace {

constexpr unsigned memfd_exec = 0x10;  // MFD_EXEC of Linux 6.3
constexpr unsigned all_seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

Result<kernel::Fd> clone_readonly(const kernel::Fd &self) {
  kernel::Fd copy = TRY(kernel::open_tree(self, "", OPEN_TREE_CLONE | AT_EMPTY_PATH));
  TRY(kernel::mount_setattr(copy, "", {.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID}));
  return copy;
}

Result<kernel::Fd> copy_to_memfd() {
  const kernel::Fd self = TRY(kernel::open("/proc/self/exe", O_RDONLY));
  Result<kernel::Fd> copy = kernel::memfd_create("skiff", MFD_ALLOW_SEALING | memfd_exec);
  if (!copy && copy.error().number == EINVAL) copy = kernel::memfd_create("skiff", MFD_ALLOW_SEALING);  // before 6.3
  if (!copy) return copy;
  TRY(kernel::sendfile_all(*copy, self));
  TRY(kernel::add_seals(*copy, all_seals));
  return copy;
}

bool is_sealed() {
  // The cheap question first. It is answered of the file where the caller may not write that.
  if (::access("/proc/self/exe", W_OK) != 0 && errno == EROFS) return true;
  struct statfs mount{};
  if (::statfs("/proc/self/exe", &mount) == 0 && (static_cast<unsigned long>(mount.f_flags) & ST_RDONLY) != 0) {
    return true;
  }
  const Result<kernel::Fd> readable = kernel::open("/proc/self/exe", O_RDONLY);
  if (!readable) return false;
  const Result<unsigned> seals = kernel::get_seals(*readable);
  return seals && (*seals & all_seals) == all_seals;
}

}  // namespace

Status seal_self(const char *const *argv, const char *const *envp) {
  if (is_sealed()) return {};
  const kernel::Fd self = TRY(kernel::open("/proc/self/exe", O_PATH));
  Result<kernel::Fd> copy = clone_readonly(self);
  if (!copy) copy = copy_to_memfd();
  if (!copy) return std::unexpected(in("sealing the runtime's binary", copy.error()));
  return std::unexpected(kernel::execveat(*copy, "", argv, envp, AT_EMPTY_PATH));
}

kernel::Fd take_image() {
  // execveat(2) by descriptor alone names the program after it. The number cannot be another file's by now: a
  // descriptor that the exec has closed is closed still.
  constexpr std::string_view directory = "/dev/fd/";
  // NOLINTNEXTLINE(performance-no-int-to-ptr): getauxval(3) gives addresses as numbers.
  const auto *const name = reinterpret_cast<const char *>(::getauxval(AT_EXECFN));
  const std::string_view path = name == nullptr ? "" : name;
  int number = -1;
  if (!path.starts_with(directory)) return {};
  (void)std::from_chars(path.data() + directory.size(), path.data() + path.size(), number);
  if (number <= STDERR_FILENO || ::fcntl(number, F_SETFD, FD_CLOEXEC) != 0) return {};
  return kernel::Fd(number);
}

}  // namespace skiff
