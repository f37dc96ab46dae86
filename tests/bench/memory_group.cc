#include "tests/bench/memory_group.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "runtime/kernel/fd.h"
#include "runtime/kernel/process.h"
#include "tests/bench/spawn.h"

namespace skiff::bench {
namespace {

Status write_file(const std::string &path, const std::string &text) {
  const kernel::Fd file = TRY(kernel::open(path, O_WRONLY));
  if (::write(file.get(), text.data(), text.size()) < 0) return fail(errno, fmt::format("write({}, {})", path, text));
  return {};
}

Result<std::string> read_file(const std::string &path) {
  const kernel::Fd file = TRY(kernel::open(path, O_RDONLY));
  return kernel::read_all(file, 1 << 20);
}

// "7:memory:/path" of /proc/self/cgroup.
std::string own_memory_cgroup() {
  std::istringstream lines(read_file("/proc/self/cgroup").value_or(""));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t at = line.find(":memory:");
    if (at != std::string::npos) return line.substr(at + 8);
  }
  return "/";
}

}  // namespace

Result<MemoryGroup> MemoryGroup::make(const std::string &directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (::mount("cgroup", directory.c_str(), "cgroup", 0, "memory") < 0) return fail(errno, "mount(cgroup, memory)");
  MemoryGroup group(directory);
  group.path_ += fmt::format("-{}", ::getpid());
  group.before_ = own_memory_cgroup();
  std::filesystem::create_directory(group.path_, error);
  if (error) return fail(error.value(), fmt::format("mkdir(\"{}\")", group.path_));
  return group;
}

MemoryGroup::MemoryGroup(MemoryGroup &&other) noexcept
    : mount_(std::exchange(other.mount_, {})), path_(std::move(other.path_)), before_(std::move(other.before_)) {}

MemoryGroup::~MemoryGroup() {
  if (mount_.empty()) return;
  (void)leave();
  kill_all();
  (void)::rmdir(path_.c_str());
  (void)::umount2(mount_.c_str(), MNT_DETACH);
}

Status MemoryGroup::enter() const { return write_file(procs(), "0"); }
Status MemoryGroup::leave() const { return write_file(mount_ + before_ + "/cgroup.procs", "0"); }

Result<std::uint64_t> MemoryGroup::usage() const {
  (void)write_file(path_ + "/memory.force_empty", "0");  // EBUSY with processes inside, after it has done what it can
  const std::string text = TRY(read_file(path_ + "/memory.usage_in_bytes"));
  return std::strtoull(text.c_str(), nullptr, 10);
}

Status MemoryGroup::limit(std::uint64_t bytes) const {
  return write_file(path_ + "/memory.limit_in_bytes", std::to_string(bytes));
}

void MemoryGroup::kill_all() const {
  std::istringstream lines(read_file(procs()).value_or(""));
  for (std::string line; std::getline(lines, line);) {
    const auto pid = static_cast<pid_t>(std::strtol(line.c_str(), nullptr, 10));
    const Result<kernel::Fd> process = kernel::pidfd_open(pid);
    if (!process || ::kill(pid, SIGKILL) < 0) continue;
    (void)kernel::wait_readable(*process, kernel::forever);
  }
  reap_orphans();
}

}  // namespace skiff::bench
