#include "runtime/seccomp_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/bpf_common.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "runtime/kernel/fd.h"
#include "runtime/kernel/path.h"

namespace skiff {
namespace {

constexpr const char *directory_name = "/@seccomp";  // no container's id: '@' is not allowed in one
constexpr std::size_t max_instructions = BPF_MAXINSNS;

// Only a file of ours, whole: a multiple of the instruction's size that ends in a return.
Result<SeccompProgram> read_program(const kernel::Fd &directory, const std::string &key) {
  const kernel::Fd file = TRY(kernel::openat(directory, key, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  const struct stat stat = TRY(kernel::fstat(file));
  if (!S_ISREG(stat.st_mode) || stat.st_uid != ::geteuid()) return fail(EPERM, "a file that is not the runtime's own");
  const std::string bytes = TRY(kernel::read_all(file, max_instructions * sizeof(sock_filter)));
  if (bytes.empty() || bytes.size() % sizeof(sock_filter) != 0) return fail(EINVAL, "a file that was cut short");
  SeccompProgram program;
  program.filter.resize(bytes.size() / sizeof(sock_filter));
  std::memcpy(program.filter.data(), bytes.data(), bytes.size());
  if (BPF_CLASS(program.filter.back().code) != BPF_RET) return fail(EINVAL, "a file that holds no program");
  return program;
}

Status write_program(const kernel::Fd &directory, const std::string &key, const SeccompProgram &program) {
  const std::string temporary = "." + key + "." + std::to_string(::getpid());
  {
    const kernel::Fd file = TRY(kernel::openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL, 0600));
    const Status written = kernel::write_all(
        file, {reinterpret_cast<const char *>(program.filter.data()), program.filter.size() * sizeof(sock_filter)});
    if (!written) {
      (void)kernel::unlinkat(directory, temporary);
      return written;
    }
  }
  return kernel::renameat2(directory, temporary, directory, key);
}

Result<kernel::Fd> open_cache(const std::string &root, bool make) {
  const std::string path = root + directory_name;
  Result<kernel::Fd> directory = kernel::open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (directory || !make) return directory;
  TRY(kernel::mkdirat(kernel::cwd, path, 0700));
  return kernel::open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
}

}  // namespace

Result<std::optional<SeccompProgram>> load_seccomp(const std::string &root, const std::optional<spec::Seccomp> &seccomp,
                                                   const cli::Log &log) {
  if (!seccomp) return std::optional<SeccompProgram>{};
  if (cli::enabled(log, cli::Level::Debug)) {
    for (const std::string_view name : unknown_syscalls(*seccomp)) {
      cli::debug(log, fmt::format("linux.seccomp: system call \"{}\" is unknown to libseccomp: left out", name));
    }
  }
  const std::string key = seccomp_cache_key(*seccomp);
  if (const Result<kernel::Fd> directory = open_cache(root, false); directory) {
    if (Result<SeccompProgram> program = read_program(*directory, key); program) return *std::move(program);
  }
  SeccompProgram program = TRY(make_seccomp_program(*seccomp));
  if (const Result<kernel::Fd> directory = open_cache(root, true); directory) {
    (void)write_program(*directory, key, program);
  }
  return program;
}

}  // namespace skiff
