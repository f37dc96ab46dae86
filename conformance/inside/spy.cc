#include "conformance/inside/spy.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "conformance/inside/text.h"

namespace skiff::inside {
namespace {

constexpr std::size_t most_kept = 16;

std::string link_of(const std::string &path) {
  std::array<char, 4096> target{};
  const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
  return size < 0 ? "" : std::string(target.data(), static_cast<std::size_t>(size));
}

std::vector<std::string> numbers_in(const std::string &directory) {
  std::vector<std::string> names;
  DIR *list = ::opendir(directory.c_str());
  if (list == nullptr) return names;
  while (const dirent *entry = ::readdir(list)) {
    if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9') names.emplace_back(entry->d_name);
  }
  ::closedir(list);
  return names;
}

bool is_same_file(const struct stat &one, const struct stat &other) {
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

class Spy {
 public:
  Spy() { (void)::stat("/", &root_); }

  void look_at_all() {
    for (const std::string &pid : numbers_in("/proc")) {
      if (std::atoi(pid.c_str()) != ::getpid()) look_at("/proc/" + pid, std::atoi(pid.c_str()));
    }
  }

  // Whoever ran the programs is gone or about to: "busy" is no answer.
  std::string report() {
    Text out('{');
    out.add("met", met_);
    out.add("caught", static_cast<long long>(kept_.size()));
    out.raw("descriptors", list_of(descriptors_));
    out.raw("directories", list_of(directories_));
    out.raw("traced", list_of(traced_));
    out.raw("writable", list_of(writable()));
    return out.finish();
  }

 private:
  // What entered the container and then ran the image's program is no runtime any more.
  static bool is_ours(const std::string &process) { return link_of(process + "/exe") == "/inside"; }

  // Asked after something of the process was seen. The kernel shows the program to whom it shows descriptors and
  // directories: one that cannot be read is of a process that has ended since, as the image's own does.
  static bool is_foreign(const std::string &process) {
    const std::string program = link_of(process + "/exe");
    return !program.empty() && program != "/inside";
  }

  void look_at(const std::string &process, int pid) {
    if (is_ours(process)) return;
    ++met_;
    keep_program(process);
    const std::string descriptors = process + "/fd";
    for (const std::string &number : numbers_in(descriptors)) {
      std::string path = descriptors + "/";
      path += number;
      const std::string target = link_of(path);
      if (!target.empty() && std::atoi(number.c_str()) > 2 && is_foreign(process))
        remember(descriptors_, number, target);
    }
    for (const char *name : {"/root", "/cwd"}) {
      struct stat found{};
      if (::stat((process + name).c_str(), &found) == 0 && !is_same_file(found, root_) && is_foreign(process)) {
        remember(directories_, name, link_of(process + name));
      }
    }
    if (::ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) == 0 && stops_as_foreign(process, pid)) {
      remember(traced_, "processes:", "pid " + std::to_string(pid));
    }
  }

  // Of a process that is traced from here on: whether it is not yet the image's program where it stops. It is let go,
  // or reaped. That it came through execve(2) under our eyes would not say that it was traced before: the kernel
  // admits tracers from the moment the new program is in place, which is before execve has returned.
  static bool stops_as_foreign(const std::string &process, int pid) {
    (void)::ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr);
    int status = 0;
    if (::waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status)) return false;
    const bool foreign = is_foreign(process);
    (void)::ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
    return foreign;
  }

  void keep_program(const std::string &process) {
    if (kept_.size() >= most_kept) return;
    const int fd = ::open((process + "/exe").c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    if (link_of("/proc/self/fd/" + std::to_string(fd)) == "/inside") {
      ::close(fd);
    } else {
      kept_.push_back(fd);
    }
  }

  [[nodiscard]] std::vector<std::string> writable() const {
    std::vector<std::string> all;
    for (const int fd : kept_) {
      const std::string path = "/proc/self/fd/" + std::to_string(fd);
      int opened = -1;
      for (int tries = 0; tries < 200'000 && opened < 0; ++tries) {
        opened = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
        if (opened < 0 && errno != ETXTBSY) break;
      }
      if (opened < 0) continue;
      remember(all, "program", link_of(path));
      ::close(opened);
    }
    return all;
  }

  static void remember(std::vector<std::string> &list, const std::string &what, const std::string &target) {
    std::string text = what + " " + target;
    if (list.size() < most_kept && std::ranges::find(list, text) == list.end()) list.push_back(std::move(text));
  }

  static std::string list_of(const std::vector<std::string> &texts) {
    Text list('[');
    for (const std::string &text : texts) list.add("", text);
    return list.finish();
  }

  struct stat root_{};
  long long met_ = 0;
  std::vector<int> kept_;
  std::vector<std::string> descriptors_;
  std::vector<std::string> directories_;
  std::vector<std::string> traced_;
};

}  // namespace

std::string spy(const char *until) {
  Spy spy;
  while (::access(until, F_OK) != 0) spy.look_at_all();
  return spy.report();
}

}  // namespace skiff::inside
