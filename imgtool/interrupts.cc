#include "imgtool/interrupts.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"

namespace skiff::image {
namespace {

struct Split {
  std::string parent;
  std::string name;
};

// The absolute path of a target, cut before its last component.
Result<Split> split(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  if (!path.starts_with('/')) path = TRY(kernel::getcwd()) + "/" + path;
  const std::size_t slash = path.rfind('/');
  Split out{.parent = path.substr(0, slash), .name = path.substr(slash + 1)};
  if (out.name.empty() || out.name == "." || out.name == "..") {
    return fail(EINVAL, fmt::format("\"{}\"", path), "name a directory that can be made");
  }
  if (out.parent.empty()) out.parent = "/";
  return out;
}

constexpr std::size_t longest_name = 200;  // what is left of 255 is the mark's
constexpr std::string_view mark = ".skiff-";

Result<std::string> beside(const std::string &target) {
  const Split parts = TRY(split(target));
  static constexpr int letters = 12;
  std::array<unsigned char, letters> random{};
  if (::getentropy(random.data(), random.size()) != 0) return fail(errno, "getentropy");
  std::string name =
      fmt::format("{}/.{}{}", parts.parent == "/" ? "" : parts.parent, parts.name.substr(0, longest_name), mark);
  for (const unsigned char byte : random) name += static_cast<char>('a' + byte % 26);
  return name;
}

// What a process that was killed left of the same target: nobody holds its lock. Who has just made one and has no lock
// yet finds it gone, and makes another (`take_lock`).
Status sweep(const std::string &target) {
  const Split parts = TRY(split(target));
  const std::string start = fmt::format(".{}{}", parts.name.substr(0, longest_name), mark);
  const kernel::Fd parent = TRY(kernel::open(parts.parent, O_RDONLY | O_DIRECTORY));
  for (const std::string &name : TRY(kernel::list_directory(parent))) {
    if (!name.starts_with(start)) continue;
    const Result<kernel::Fd> left = kernel::openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!left || !kernel::flock(*left, LOCK_EX | LOCK_NB)) continue;
    (void)kernel::remove_tree_at(parent, name);
  }
  return {};
}

// False where it was swept away meanwhile.
Result<bool> take_lock(const kernel::Fd &made, const std::string &path) {
  TRY(kernel::flock(made, LOCK_EX));
  const struct stat held = TRY(kernel::fstat(made));
  const Result<struct stat> there = kernel::fstatat(kernel::cwd, path, AT_SYMLINK_NOFOLLOW);
  if (!there && there.error().number != ENOENT) return std::unexpected(there.error());
  return there && there->st_ino == held.st_ino && there->st_dev == held.st_dev;
}

Status check_free(const std::string &target) {
  const Result<struct stat> there = kernel::fstatat(kernel::cwd, target, AT_SYMLINK_NOFOLLOW);
  if (!there) return there.error().number == ENOENT ? Status{} : std::unexpected(there.error());
  if (!S_ISDIR(there->st_mode)) return fail(EEXIST, target, "name a directory that is not there yet");
  const kernel::Fd directory = TRY(kernel::open(target, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (!TRY(kernel::list_directory(directory)).empty()) {
    return fail(ENOTEMPTY, target, "name a directory that is not there yet, or empty this one");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Interrupts>> Interrupts::open() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  TRY(kernel::block_signals(signals));
  kernel::Fd fd = TRY(kernel::signalfd(signals));
  std::unique_ptr<Interrupts> interrupts(new Interrupts(std::move(fd), TRY(kernel::pipe2())));
  interrupts->thread_ = TRY(Thread::start([watched = interrupts.get()] { watched->watch(); }));
  return interrupts;
}

Interrupts::Interrupts(kernel::Fd signals, kernel::Pipe stop) : signals_(std::move(signals)), stop_(std::move(stop)) {}

Interrupts::~Interrupts() { stop_.write.reset(); }

void Interrupts::remember(const std::string &path) {
  const std::scoped_lock lock(mutex_);
  paths_.push_back(path);
}

void Interrupts::forget(const std::string &path) {
  const std::scoped_lock lock(mutex_);
  std::erase(paths_, path);
}

void Interrupts::wait_if_ending() {
  bool ending = false;
  {
    const std::scoped_lock lock(mutex_);
    ending = ending_;
  }
  if (ending) thread_.join();
}

// Other threads may still write below: what they make there is removed in the next round, until the directory itself
// is gone and they can make nothing any more.
void Interrupts::remove_all() {
  static constexpr int rounds = 1000;
  for (const std::string &path : paths_) {
    for (int round = 0; round < rounds && !kernel::remove_tree_at(kernel::cwd, path); ++round) continue;
  }
}

void Interrupts::watch() {
  std::array<pollfd, 2> fds = {{{.fd = signals_.get(), .events = POLLIN, .revents = 0},
                                {.fd = stop_.read.get(), .events = POLLIN, .revents = 0}}};
  if (!kernel::poll(fds, kernel::forever) || fds[0].revents == 0) return;
  signalfd_siginfo info{};
  if (!kernel::read_some(signals_, std::span(reinterpret_cast<char *>(&info), sizeof(info)))) return;
  // Held until the end: nothing is finished any more.
  mutex_.lock();
  ending_ = true;
  remove_all();
  ::_exit(128 + static_cast<int>(info.ssi_signo));
}

HalfMade::HalfMade(std::string target, std::string path, kernel::Fd fd, Interrupts &interrupts)
    : target_(std::move(target)), path_(std::move(path)), fd_(std::move(fd)), interrupts_(&interrupts) {}

HalfMade::HalfMade(HalfMade &&other) noexcept
    : target_(std::move(other.target_)),
      path_(std::exchange(other.path_, {})),
      fd_(std::move(other.fd_)),
      interrupts_(other.interrupts_) {}

HalfMade::~HalfMade() {
  if (path_.empty()) return;
  (void)kernel::remove_tree_at(kernel::cwd, path_);
  interrupts_->forget(path_);
}

Result<HalfMade> HalfMade::make_directory(const std::string &target, Interrupts &interrupts) {
  TRY(check_free(target));
  return make(target, interrupts);
}

Result<HalfMade> HalfMade::make_scratch(const std::string &parent, Interrupts &interrupts) {
  return make(parent + "/skiff-image", interrupts);
}

// `create` makes what is at the path and opens it; an invalid descriptor: it was swept away meanwhile.
Result<HalfMade> HalfMade::make_with(const std::string &target, Interrupts &interrupts, const Create &create) {
  TRY(sweep(target));
  for (;;) {
    std::string path = TRY(beside(target));
    interrupts.remember(path);
    HalfMade made(target, path, {}, interrupts);
    made.fd_ = TRY(create(path));
    if (made.fd_.valid() && TRY(take_lock(made.fd_, path))) return made;
  }
}

Result<HalfMade> HalfMade::make(const std::string &target, Interrupts &interrupts) {
  return make_with(target, interrupts, [](const std::string &path) -> Result<kernel::Fd> {
    TRY(kernel::mkdirat(kernel::cwd, path, 0700));
    Result<kernel::Fd> fd = kernel::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!fd && fd.error().number == ENOENT) return kernel::Fd();
    return fd;
  });
}

Result<HalfMade> HalfMade::make_file(const std::string &target, Interrupts &interrupts) {
  return make_with(target, interrupts, [](const std::string &path) {
    return kernel::open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  });
}

Status HalfMade::finish(mode_t mode) {
  TRY(kernel::fchmod(fd_, mode));
  TRY(kernel::renameat2(kernel::cwd, path_, kernel::cwd, target_));
  interrupts_->forget(path_);
  path_.clear();
  return {};
}

}  // namespace skiff::image
