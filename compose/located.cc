#include "compose/located.h"

#include "runtime/kernel/path.h"
#include "spec/names.h"

namespace skiff::compose {
namespace {

constexpr int most_links = 40;

struct Split {
  std::string parent;
  std::string name;  // empty: the parent is all
};

// As text, but for a last component that leads elsewhere than down.
Split split(std::string path) {
  while (path.ends_with('/')) path.pop_back();
  const std::size_t slash = path.rfind('/');
  std::string name = path.substr(slash + 1);
  if (name.empty() || name == "." || name == "..") return {.parent = path + "/", .name = {}};
  return {.parent = slash == std::string::npos ? "." : path.substr(0, slash + 1), .name = std::move(name)};
}

Result<Located> look_at(kernel::FdView root, const Split &place) {
  Located found;
  found.directory = TRY(in(spec::quote(place.parent), kernel::open_in_root(root, place.parent, O_PATH | O_DIRECTORY)));
  found.name = place.name.empty() ? "." : place.name;
  const Result<struct stat> about = kernel::fstatat(found.directory, found.name, AT_SYMLINK_NOFOLLOW);
  if (!about && about.error().number == ENOENT) return found;
  if (!about) return std::unexpected(about.error());
  found.mode = about->st_mode;
  if (!S_ISDIR(found.mode)) return found;
  found.self = TRY(kernel::openat(found.directory, found.name, O_PATH | O_DIRECTORY | O_NOFOLLOW));
  return found;
}

}  // namespace

Result<Located> locate_in(kernel::FdView root, const std::string &path, bool follow) {
  Split place = split(path);
  for (int links = 0; links <= most_links; ++links) {
    Located found = TRY(look_at(root, place));
    if (!S_ISLNK(found.mode) || !follow) return found;
    const std::string target = TRY(kernel::readlinkat(found.directory, found.name));
    // Not cleaned as text: the parent may be a link itself, and ".." goes up from where that leads.
    place = split(target.starts_with('/') ? target : place.parent + "/" + target);
  }
  return fail(ELOOP, spec::quote(path));
}

}  // namespace skiff::compose
