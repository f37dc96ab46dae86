#include "imgtool/file_set.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/kernel/path.h"

namespace skiff::image {
namespace {

constexpr int most_links = 40;
constexpr int deepest = 256;

std::vector<std::string> reversed_parts(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const std::size_t length = std::min(path.find('/'), path.size());
    if (length > 0) parts.emplace_back(path.substr(0, length));
    path.remove_prefix(std::min(length + 1, path.size()));
  }
  std::ranges::reverse(parts);
  return parts;
}

std::string below(const std::string &directory, std::string_view name) {
  return fmt::format("{}{}{}", directory, directory == "/" ? "" : "/", name);
}

std::string parent_of(const std::string &path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool is_kept(mode_t mode) { return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode); }

struct stat made(mode_t mode, std::size_t size) {
  struct stat status{};
  status.st_mode = mode;
  status.st_size = static_cast<off_t>(size);
  return status;
}

}  // namespace

struct FileSet::Walk {
  std::string at = "/";           // without symlinks
  std::vector<std::string> rest;  // the next one is the last
  int links = 0;
};

Result<std::string> FileSet::add(const std::string &path, std::string_view why) {
  Walk walk{.rest = reversed_parts(path)};
  while (!walk.rest.empty()) TRY(in(path, enter(walk, why)));
  return std::move(walk.at);
}

// One component of the path.
Status FileSet::enter(Walk &walk, std::string_view why) {
  const std::string name = std::move(walk.rest.back());
  walk.rest.pop_back();
  if (name == ".") return {};
  if (name == "..") {
    walk.at = parent_of(walk.at);
    return {};
  }
  const kernel::Fd parent = TRY(kernel::open_in_root(root_, walk.at, O_PATH | O_DIRECTORY));
  ChosenFile file;
  file.status = TRY(kernel::fstatat(parent, name, AT_SYMLINK_NOFOLLOW));
  const std::string path = below(walk.at, name);
  if (!is_kept(file.status.st_mode)) return fail(EINVAL, path, "it is no file, directory or symlink");
  file.source = path;
  file.why = why;
  if (S_ISLNK(file.status.st_mode)) {
    if (++walk.links > most_links) return fail(ELOOP, path);
    file.link = TRY(kernel::readlinkat(parent, name));
    std::vector<std::string> more = reversed_parts(file.link);
    walk.rest.insert(walk.rest.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    if (file.link.starts_with('/')) walk.at = "/";
  } else {
    walk.at = path;
  }
  files_.try_emplace(path, std::move(file));
  return {};
}

Result<std::vector<std::string>> FileSet::add_tree(const std::string &path, std::string_view why) {
  const std::string real = TRY(add(path, why));
  std::vector<std::string> regular;
  if (const auto found = files_.find(real); found != files_.end() && S_ISREG(found->second.status.st_mode)) {
    regular.push_back(real);
    return regular;
  }
  const kernel::Fd directory = TRY(kernel::open_in_root(root_, real, O_RDONLY | O_DIRECTORY));
  TRY(add_below(directory, real, why, 0, regular));
  return regular;
}

Status FileSet::add_below(kernel::FdView directory, const std::string &path, std::string_view why, int depth,
                          std::vector<std::string> &regular) {
  if (depth > deepest) return fail(fmt::format("{}: deeper than {} directories", path, deepest));
  for (const std::string &name : TRY(in(path, kernel::list_directory(directory)))) {
    ChosenFile file;
    const std::string inner = below(path, name);
    file.status = TRY(in(inner, kernel::fstatat(directory, name, AT_SYMLINK_NOFOLLOW)));
    // A socket or a FIFO is of a process, a device of the machine.
    if (!is_kept(file.status.st_mode)) continue;
    file.source = inner;
    file.why = why;
    if (S_ISLNK(file.status.st_mode)) file.link = TRY(in(inner, kernel::readlinkat(directory, name)));
    if (S_ISREG(file.status.st_mode)) regular.push_back(inner);
    const bool enter = S_ISDIR(file.status.st_mode);
    files_.try_emplace(inner, std::move(file));
    if (!enter) continue;
    const kernel::Fd child = TRY(in(inner, kernel::openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)));
    TRY(add_below(child, inner, why, depth + 1, regular));
  }
  return {};
}

Status FileSet::add_as(const std::string &source, const std::string &path, std::string_view why) {
  const kernel::Fd file = TRY(kernel::open_in_root(root_, source, O_PATH));
  ChosenFile chosen;
  chosen.status = TRY(kernel::fstat(file));
  if (!S_ISREG(chosen.status.st_mode)) return fail(EINVAL, source, "it is no regular file");
  chosen.source = source;
  chosen.why = why;
  add_parents(path, why);
  files_[path] = std::move(chosen);
  return {};
}

void FileSet::add_text(const std::string &path, std::string content, std::string_view why) {
  ChosenFile file;
  file.status = made(S_IFREG | 0644, content.size());
  file.content = std::move(content);
  file.why = why;
  add_parents(path, why);
  files_.try_emplace(path, std::move(file));
}

void FileSet::add_directory(const std::string &path, mode_t mode, std::string_view why) {
  ChosenFile directory;
  directory.status = made(S_IFDIR | mode, 0);
  directory.why = why;
  add_parents(path, why);
  files_.try_emplace(path, std::move(directory));
}

void FileSet::add_parents(const std::string &path, std::string_view why) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    ChosenFile directory;
    directory.status = made(S_IFDIR | 0755, 0);
    directory.why = why;
    files_.try_emplace(path.substr(0, slash), std::move(directory));
  }
}

}  // namespace skiff::image
