#include "tests/runtime/kernel/isolated.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace skiff::kernel::testing {
namespace {

Verdict enter(int flags) {
  const std::string uid = std::to_string(::getuid());
  const std::string gid = std::to_string(::getgid());
  if (::unshare(flags) != 0) return "skip: this user may not make these namespaces: " + std::string(strerror(errno));
  if ((flags & CLONE_NEWUSER) != 0) {
    write_whole("/proc/self/setgroups", "deny");
    write_whole("/proc/self/uid_map", "0 " + uid + " 1");
    write_whole("/proc/self/gid_map", "0 " + gid + " 1");
  }
  if ((flags & CLONE_NEWNS) != 0 && ::mount("", "/", "", MS_REC | MS_PRIVATE, nullptr) != 0) {
    return "skip: mounts cannot be made private: " + std::string(strerror(errno));
  }
  return {};
}

void report(int fd, const Verdict &verdict) {
  if (::write(fd, verdict.data(), verdict.size()) < 0) ::_exit(2);
}

[[noreturn]] void run_child(int fd, int flags, const std::function<Verdict()> &body) {
  Verdict verdict = enter(flags);
  if (verdict.empty() && (flags & CLONE_NEWPID) != 0) {
    const pid_t first = ::fork();
    if (first > 0) {
      int status = 0;
      ::waitpid(first, &status, 0);
      ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 3);
    }
    if (first < 0) verdict = "skip: no fork in the pid namespace";
  }
  if (verdict.empty()) verdict = body();
  report(fd, verdict);
  ::_exit(0);
}

}  // namespace

Verdict run_isolated(int flags, const std::function<Verdict()> &body) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return "no pipe";
  const pid_t pid = ::fork();
  if (pid < 0) return "no fork";
  if (pid == 0) run_child(ends[1], flags, body);
  ::close(ends[1]);
  Verdict verdict;
  std::array<char, 4096> part{};
  for (ssize_t got = 1; got > 0;) {
    got = ::read(ends[0], part.data(), part.size());
    if (got > 0) verdict.append(part.data(), static_cast<size_t>(got));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (verdict.empty() && status != 0) return "the child ended with wait status " + std::to_string(status);
  return verdict;
}

TemporaryDirectory::TemporaryDirectory() {
  std::string name = "/tmp/skiff-kernel-test-XXXXXX";
  if (::mkdtemp(name.data()) != nullptr) path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

Status hide_call(long call, int number) {
  std::array<sock_filter, 4> filter{{{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
                                     {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, static_cast<uint32_t>(call)},
                                     {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | static_cast<uint32_t>(number)},
                                     {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}}};
  const sock_fprog program{.len = filter.size(), .filter = filter.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail(errno, "no_new_privs");
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) return fail(errno, "seccomp");
  return {};
}

std::string read_whole(const std::string &path) {
  const std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_whole(const std::string &path, const std::string &text) {
  std::ofstream file(path);
  file << text;
}

std::string path_of(int fd) {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), target.data(), target.size());
  return size < 0 ? "" : std::string(target.data(), static_cast<size_t>(size));
}

}  // namespace skiff::kernel::testing
