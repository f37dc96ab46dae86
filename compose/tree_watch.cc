#include "compose/tree_watch.h"

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "compose/state.h"
#include "runtime/kernel/inotify.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {
namespace {

constexpr std::uint32_t wanted_events =
    IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_ONLYDIR | IN_EXCL_UNLINK;

// inotify(7), "/proc interfaces"
std::string limit_text(std::string_view name) {
  const std::string path = fmt::format("/proc/sys/fs/inotify/{}", name);
  std::string now = read_if_there(path).value_or("");
  while (now.ends_with('\n')) now.pop_back();
  return fmt::format("fs.inotify.{} is {}: raise it with sysctl, or ignore folders that need no watch", name, now);
}

bool is_below(std::string_view path, std::string_view directory) {
  return path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/';
}

}  // namespace

bool TreeWatch::Stamp::operator==(const Stamp &other) const {
  return inode == other.inode && size == other.size && mode == other.mode && changed.tv_sec == other.changed.tv_sec &&
         changed.tv_nsec == other.changed.tv_nsec;
}

Result<TreeWatch> TreeWatch::open(const std::string &path, Skip skip) {
  TreeWatch tree(path, std::move(skip));
  TRY(kernel::faccessat(kernel::cwd, path, F_OK));
  tree.notices_ = TRY(remedy(limit_text("max_user_instances"), kernel::inotify_init1()));
  std::set<std::string> all;
  TRY(tree.look_at_all(all));
  return tree;
}

std::set<std::string> TreeWatch::files() const {
  std::set<std::string> all;
  for (const auto &[path, stamp] : known_) all.insert(path);
  return all;
}

Status TreeWatch::watch(const std::string &directory) {
  const Result<int> number = kernel::inotify_add_watch(notices_, directory, wanted_events);
  if (number) {
    // One that was moved here from elsewhere in the tree has its watch already.
    watched_[*number] = directory;
    return {};
  }
  const int error = number.error().number;
  if (error == ENOENT || error == ENOTDIR) return {};
  Status failed = std::unexpected(number.error());
  return error == ENOSPC ? remedy(limit_text("max_user_watches"), std::move(failed)) : failed;
}

// The watch comes first: what comes while we read is told.
Status TreeWatch::look_into(const std::string &directory, std::set<std::string> &changes) {
  if (skip_(directory)) return {};
  TRY(watch(directory));
  directories_.insert(directory);
  const Result<kernel::Fd> opened = kernel::open(directory, O_RDONLY | O_DIRECTORY);
  if (!opened) return opened.error().number == ENOENT ? Status() : std::unexpected(opened.error());
  for (const std::string &name : TRY(kernel::list_directory(*opened))) {
    TRY(look_at(fmt::format("{}/{}", directory, name), changes));
  }
  return {};
}

Status TreeWatch::look_at(const std::string &path, std::set<std::string> &changes) {
  const Result<struct stat> stat = kernel::fstatat(kernel::cwd, path, path == path_ ? 0 : AT_SYMLINK_NOFOLLOW);
  if (!stat) {
    if (stat.error().number != ENOENT && stat.error().number != ENOTDIR) return std::unexpected(stat.error());
    forget_below(path, changes);
    return {};
  }
  if (S_ISDIR(stat->st_mode)) {
    if (known_.erase(path) > 0) changes.insert(path);
    return look_into(path, changes);
  }
  if (!S_ISREG(stat->st_mode) && !S_ISLNK(stat->st_mode)) return {};
  const Stamp stamp{.inode = stat->st_ino, .size = stat->st_size, .mode = stat->st_mode, .changed = stat->st_mtim};
  const auto [known, is_new] = known_.try_emplace(path, stamp);
  if (is_new || !(known->second == stamp)) changes.insert(path);
  known->second = stamp;
  return {};
}

Status TreeWatch::look_at_all(std::set<std::string> &changes) {
  // The directory that it is in tells when the whole of it goes and comes again.
  TRY(watch(path_.substr(0, std::max<std::size_t>(path_.rfind('/'), 1))));
  for (const std::string &path : files()) TRY(look_at(path, changes));
  return look_at(path_, changes);
}

void TreeWatch::forget_below(const std::string &path, std::set<std::string> &changes) {
  std::erase_if(known_, [&](const auto &one) {
    const bool gone = one.first == path || is_below(one.first, path);
    if (gone) changes.insert(one.first);
    return gone;
  });
  std::erase_if(directories_, [&](const std::string &one) {
    const bool gone = one == path || is_below(one, path);
    if (gone && one != path_) changes.insert(one);
    return gone;
  });
  // A directory that was moved out of the tree would be watched for ever.
  std::erase_if(watched_, [&](const auto &one) {
    const bool gone = one.second == path || is_below(one.second, path);
    if (gone) (void)::inotify_rm_watch(notices_.get(), one.first);
    return gone;
  });
}

Result<std::set<std::string>> TreeWatch::read_notices(bool &overflow) {
  std::set<std::string> touched;
  TRY(kernel::read_notices(notices_, [&](const kernel::Notice &notice) -> Status {
    overflow = overflow || (notice.events & IN_Q_OVERFLOW) != 0;
    const auto watch = watched_.find(notice.watch);
    if (watch == watched_.end()) return {};
    if (!notice.name.empty()) touched.insert(fmt::format("{}/{}", watch->second, notice.name));
    // The directory is gone, or another one by now: looking tells which.
    if ((notice.events & IN_IGNORED) != 0) touched.insert(watch->second);
    return {};
  }));
  return touched;
}

Result<std::set<std::string>> TreeWatch::read_changes() {
  bool overflow = false;
  const std::set<std::string> touched = TRY(read_notices(overflow));
  std::set<std::string> changes;
  if (overflow) TRY(look_at_all(changes));
  for (const std::string &path : touched) {
    if (path == path_ || is_below(path, path_)) TRY(look_at(path, changes));
  }
  return changes;
}

}  // namespace skiff::compose
