// Resolves a path inside a root by hand, and makes what is missing. openat2 resolves faster but cannot create.
#include "runtime/kernel/walk.h"

#include <linux/magic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <vector>

#include "runtime/kernel/call.h"
#include "runtime/kernel/path.h"

namespace skiff::kernel {
namespace {

// As the kernel: MAXSYMLINKS.
constexpr int most_symlinks = 40;
// How often a component may vanish between its making and its opening before somebody is playing with us.
constexpr int most_tries = 128;

// A link of /proc that leads to an object instead of a name: /proc/PID/root, fd/N, ns/NAME. What it reads as is only a
// description. The others are relative: self, thread-self, mounts, net.
bool reads_as_magic(std::string_view target) {
  return target.empty() || target.front() == '/' || target.front() == '(' || target.find(':') != target.npos;
}

class Walk {
 public:
  Walk(FdView root, std::string_view path, const WalkRequest &request) : root_(root), rest_(path), request_(request) {}

  Result<Fd> run();

 private:
  // One component of the path, and what the text after it means for it.
  struct Component {
    std::string name;
    bool last;              // nothing but slashes follows
    bool directory_wanted;  // a slash follows
  };

  [[nodiscard]] FdView current() const { return held_.empty() ? root_ : FdView(held_.back()); }
  [[nodiscard]] Component take();
  Status step(const Component &component);
  Result<Fd> open_component(const Component &component);
  Status make(const Component &component);
  Status follow(const Fd &link, const Component &component);
  Result<Fd> finish();

  FdView root_;
  std::string rest_;  // what is still to be walked; the target of a symlink is put in front
  const WalkRequest &request_;
  std::vector<Fd> held_;  // the way down from the root: ".." drops the last
  std::string name_;      // of the last component where it is no directory
  mode_t type_ = S_IFDIR;
  bool directory_wanted_ = false;
  int links_left_ = most_symlinks;
};

Walk::Component Walk::take() {
  const size_t end = std::min(rest_.find('/'), rest_.size());
  const size_t next = rest_.find_first_not_of('/', end);
  Component component{
      .name = rest_.substr(0, end), .last = next == std::string::npos, .directory_wanted = end < rest_.size()};
  // The slashes stay: after a symlink they still ask for a directory.
  rest_.erase(0, end);
  return component;
}

Status Walk::make(const Component &component) {
  const bool file = request_.missing == Missing::make_file && component.last && !component.directory_wanted;
  const Status made = file ? mknodat(current(), component.name, S_IFREG | request_.file_mode, 0)
                           : mkdirat(current(), component.name, request_.directory_mode);
  // Somebody else made it first: look again at what it is.
  if (!made && made.error().number == EEXIST) return {};
  return made;
}

Result<Fd> Walk::open_component(const Component &component) {
  for (int tries = 0; tries < most_tries; ++tries) {
    const int fd = ::openat(current().get(), component.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0) return Fd(fd);
    if (errno != ENOENT || request_.missing == Missing::fail) {
      return call_failed("openat", {current(), component.name, Argument::open_flags(O_PATH | O_NOFOLLOW)});
    }
    TRY(make(component));
  }
  return call_failed(EAGAIN, "openat", {current(), component.name, Argument::open_flags(O_PATH | O_NOFOLLOW)});
}

Status Walk::follow(const Fd &link, const Component &component) {
  if (links_left_-- == 0) return call_failed(ELOOP, "readlinkat", {current(), component.name});
  std::string target = TRY(readlinkat(link, ""));
  if (TRY(fstatfs(link)).f_type == PROC_SUPER_MAGIC && reads_as_magic(target)) {
    return call_failed(ELOOP, "readlinkat", {current(), component.name});
  }
  if (target.starts_with('/')) held_.clear();
  type_ = S_IFDIR;
  rest_.insert(0, target);
  return {};
}

Status Walk::step(const Component &component) {
  directory_wanted_ = component.directory_wanted;
  if (component.name == "." || component.name == "..") {
    if (type_ != S_IFDIR) return call_failed(ENOTDIR, "openat", {current(), component.name});
    if (component.name == ".." && !held_.empty()) held_.pop_back();
    return {};
  }
  Fd found = TRY(open_component(component));
  const mode_t type = TRY(fstat(found)).st_mode & S_IFMT;
  const bool keep_link = component.last && !component.directory_wanted && (request_.flags & O_NOFOLLOW) != 0;
  if (type == S_IFLNK && !keep_link) return follow(found, component);
  type_ = type;
  name_ = component.name;
  held_.push_back(std::move(found));
  return {};
}

Result<Fd> Walk::finish() {
  const bool directory = type_ == S_IFDIR;
  if (!directory && (directory_wanted_ || (request_.flags & O_DIRECTORY) != 0)) {
    return call_failed(ENOTDIR, "openat", {current(), Argument::open_flags(request_.flags)});
  }
  if ((request_.flags & O_PATH) != 0 && !held_.empty()) return std::move(held_.back());
  if (directory) return openat(current(), ".", request_.flags);
  // By its name below the parent that is held: a symlink that takes its place now is refused.
  held_.pop_back();
  return openat(current(), name_, request_.flags | O_NOFOLLOW);
}

Result<Fd> Walk::run() {
  for (;;) {
    rest_.erase(0, std::min(rest_.find_first_not_of('/'), rest_.size()));
    if (rest_.empty()) return finish();
    TRY(step(take()));
  }
}

}  // namespace

Result<Fd> walk(FdView root, CString path, const WalkRequest &request) {
  const std::string_view text = path.view();
  const bool creates = (request.flags & O_CREAT) != 0 || (request.flags & O_TMPFILE) == O_TMPFILE;
  const int number = creates ? EINVAL : text.empty() ? ENOENT : text.size() >= PATH_MAX ? ENAMETOOLONG : 0;
  if (number != 0) return call_failed(number, "openat", {root, path, Argument::open_flags(request.flags)});
  Result<Fd> found = Walk(root, text, request).run();
  // The failing component alone does not say what was looked for.
  if (!found) return in(text, std::move(found));
  return found;
}

}  // namespace skiff::kernel
