#include "imgtool/tree_walk.h"

#include <fmt/format.h>
#include <limits.h>

#include <algorithm>

#include "runtime/kernel/descent.h"
#include "runtime/kernel/path.h"
#include "spec/names.h"

namespace skiff::image {
namespace {

constexpr std::size_t longest_path = PATH_MAX - 1;
constexpr std::size_t shown_of_path = 60;

// What is gone between the two looks was never there.
Result<std::vector<TreeChild>> look_at(kernel::FdView directory, std::vector<std::string> names) {
  std::ranges::sort(names);
  std::vector<TreeChild> out;
  out.reserve(names.size());
  for (std::string &name : names) {
    Result<struct stat> status = kernel::fstatat(directory, name, AT_SYMLINK_NOFOLLOW);
    if (!status && status.error().number == ENOENT) continue;
    out.push_back({.name = std::move(name), .status = TRY(std::move(status))});
  }
  return out;
}

class Walk {
 public:
  Walk(kernel::FdView top, const TreeSteps &steps) : descent_(top), steps_(steps) {}

  Status run() {
    TRY(begin(TRY(kernel::list_directory(descent_.here()))));
    TRY(go());
    return steps_.end ? steps_.end(descent_.here(), "") : Status();
  }
  Status run(const std::string &child) {
    levels_.push_back({.children = TRY(look_at(descent_.here(), {child}))});
    return go();
  }

 private:
  struct Level {
    std::vector<TreeChild> children;
    std::size_t next = 0;
  };

  Status begin(std::vector<std::string> names) {
    levels_.push_back({.children = TRY(look_at(descent_.here(), std::move(names)))});
    return steps_.begin ? steps_.begin(descent_.here(), path_, levels_.back().children) : Status();
  }

  Status go() {
    for (;;) {
      Level &level = levels_.back();
      if (level.next == level.children.size()) {
        if (levels_.size() == 1) return {};
        TRY(leave());
        continue;
      }
      const TreeChild &child = level.children[level.next];
      const TreeStep step = TRY(steps_.visit(descent_.here(), path_, child));
      if (step == TreeStep::enter) {
        const Status entered = enter(child.name);
        if (entered) continue;
        if (!steps_.may_vanish || !is_gone(entered.error())) return entered;
      }
      if (step != TreeStep::skip) TRY(done(child));
      ++level.next;
    }
  }

  Status enter(const std::string &name) {
    kernel::Fd inside = TRY(kernel::openat(descent_.here(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    std::vector<std::string> names = TRY(kernel::list_directory(inside));
    TRY(descent_.enter(std::move(inside)));
    path_ = join_names(path_, name);
    return begin(std::move(names));
  }

  Status leave() {
    if (steps_.end) TRY(steps_.end(descent_.here(), path_));
    levels_.pop_back();
    TRY(descent_.leave());
    Level &above = levels_.back();
    const TreeChild &child = above.children[above.next++];
    path_.resize(path_.size() == child.name.size() ? 0 : path_.size() - child.name.size() - 1);
    return done(child);
  }

  Status done(const TreeChild &child) { return steps_.done ? steps_.done(descent_.here(), path_, child) : Status(); }

  kernel::Descent descent_;
  const TreeSteps &steps_;
  std::vector<Level> levels_;
  std::string path_;
};

}  // namespace

bool is_gone(const Error &error) { return error.number == ENOENT || error.number == ENOTDIR || error.number == ELOOP; }

std::string join_names(const std::string &directory, const std::string &name) {
  return directory.empty() ? name : directory + "/" + name;
}

Status check_path_length(const std::string &path) {
  if (path.size() <= longest_path) return {};
  return fail(ENAMETOOLONG,
              fmt::format("{}: a path of {} bytes, and {} is the most",
                          spec::quote(path.substr(0, shown_of_path) + "..."), path.size(), longest_path),
              "no layer can name it: remove what lies so deep, or move it up");
}

Status walk_tree(kernel::FdView top, const TreeSteps &steps) { return Walk(top, steps).run(); }

Status walk_tree(kernel::FdView top, const std::string &child, const TreeSteps &steps) {
  return Walk(top, steps).run(child);
}

}  // namespace skiff::image
