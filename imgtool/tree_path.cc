#include "imgtool/tree_path.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/kernel/path.h"

namespace skiff::image {
namespace {

constexpr int most_links = 40;

void push_reversed(std::vector<std::string> &todo, std::string_view path) {
  std::vector<std::string> parts = path_parts(path);
  todo.insert(todo.end(), std::make_move_iterator(parts.rbegin()), std::make_move_iterator(parts.rend()));
}

}  // namespace

std::vector<std::string> path_parts(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const std::size_t length = std::min(path.find('/'), path.size());
    if (length > 0 && path.substr(0, length) != ".") parts.emplace_back(path.substr(0, length));
    path.remove_prefix(std::min(length + 1, path.size()));
  }
  return parts;
}

std::string join_path(std::string_view directory, std::string_view name) {
  if (directory.empty()) return std::string(name);
  return fmt::format("{}{}{}", directory, directory.ends_with('/') ? "" : "/", name);
}

Result<std::string> real_path(kernel::FdView root, std::string_view path, std::vector<std::string> *missing) {
  std::vector<std::string> done;
  std::vector<std::string> todo;
  push_reversed(todo, path);
  int links = 0;
  const auto here = [&] { return fmt::format("/{}", fmt::join(done, "/")); };
  while (!todo.empty()) {
    const std::string name = std::move(todo.back());
    todo.pop_back();
    if (name == "..") {
      if (!done.empty()) done.pop_back();
      continue;
    }
    const kernel::Fd found = TRY(kernel::find_in_root(root, join_path(here(), name), O_PATH | O_NOFOLLOW));
    if (!found.valid() && missing == nullptr) return fail(ENOENT, std::string(path));
    if (found.valid() && S_ISLNK(TRY(kernel::fstat(found)).st_mode)) {
      if (++links > most_links) return fail(ELOOP, std::string(path));
      const std::string target = TRY(kernel::readlinkat(found, ""));
      if (target.starts_with('/')) done.clear();
      push_reversed(todo, target);
      continue;
    }
    done.push_back(name);
    if (!found.valid()) missing->push_back(here());
  }
  return here();
}

}  // namespace skiff::image
