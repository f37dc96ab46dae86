#include "imgtool/build_copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "imgtool/archive_entries.h"
#include "imgtool/tree_entry.h"
#include "imgtool/tree_path.h"
#include "imgtool/tree_walk.h"
#include "runtime/kernel/path.h"
#include "spec/names.h"

namespace skiff::image {
namespace {

constexpr int deepest = 1024;
constexpr std::size_t buffer_size = std::size_t{1} << 17U;

std::string relative(const std::string &absolute) { return absolute.substr(1); }

// Finds what the sources of one instruction mean.
class Lister {
 public:
  Lister(const CopyRoot &root, const CopyRequest &request) : root_(&root), request_(&request) {}

  Result<CopyList> run() {
    bool several = request_->sources.size() > 1 || request_->destination.ends_with('/');
    for (const std::string &source : request_->sources) {
      const std::vector<std::string> found = TRY(expand(source));
      several = several || found.size() > 1;
      for (const std::string &path : found) TRY(add(path, source));
    }
    list_.one_file = files_ == 1 && !several && directories_ == 0;
    return std::move(list_);
  }

 private:
  // Paths that the pattern means, in order; without a pattern the path itself.
  Result<std::vector<std::string>> expand(const std::string &source) {
    std::vector<std::string> found = {"/"};
    bool pattern = false;
    for (const std::string &part : path_parts(source)) {
      std::vector<std::string> next;
      const bool is_pattern = spec::Glob::is_pattern(part);
      pattern = pattern || is_pattern;
      for (const std::string &directory : found) {
        if (is_pattern) {
          TRY(match(directory, part, next));
        } else {
          next.push_back(join_path(directory, part));
        }
      }
      found = std::move(next);
    }
    if (found.empty()) return missing(source);
    if (pattern) std::erase_if(found, [&](const std::string &path) { return !exists(path) || ignored(path); });
    if (found.empty()) return missing(source);
    return found;
  }

  [[nodiscard]] bool exists(const std::string &path) const {
    const Result<kernel::Fd> file = kernel::find_in_root(root_->root, path, O_PATH);
    return file && file->valid();
  }

  // `path` is absolute in the root.
  [[nodiscard]] bool ignored(const std::string &path) const {
    return root_->ignore != nullptr && path.size() > 1 && root_->ignore->ignores(std::string_view(path).substr(1));
  }

  Status match(const std::string &directory, const std::string &pattern, std::vector<std::string> &into) const {
    const spec::Glob glob = TRY(spec::Glob::parse(pattern, false));
    const Result<kernel::Fd> opened = kernel::find_in_root(root_->root, directory, O_RDONLY | O_DIRECTORY);
    if (!opened || !opened->valid()) return {};
    std::vector<std::string> names = TRY(kernel::list_directory(*opened));
    std::ranges::sort(names);
    for (const std::string &name : names) {
      if (glob.matches(name)) into.push_back(join_path(directory, name));
    }
    return {};
  }

  [[nodiscard]] std::unexpected<Error> missing(const std::string &source) const {
    const std::string clean = fmt::format("/{}", fmt::join(path_parts(source), "/"));
    if (exists(clean) && ignored(clean)) {
      return fail(ENOENT, fmt::format("{}: not in {}", spec::quote(source), root_->name),
                  "the ignore file leaves it out: add an exception, !" + clean.substr(1));
    }
    return fail(ENOENT, fmt::format("{}: not in {}", spec::quote(source), root_->name));
  }

  Status add(const std::string &path, const std::string &source) {
    const Result<std::string> real = real_path(root_->root, path);
    if (!real && real.error().number == ENOENT) return missing(source);
    if (!real) return std::unexpected(real.error());
    const kernel::Fd file = TRY(kernel::open_in_root(root_->root, *real, O_PATH | O_NOFOLLOW));
    if (S_ISDIR(TRY(kernel::fstat(file)).st_mode)) {
      // What is in it: the directory itself is the destination.
      ++directories_;
      if (ignored(*real) && !root_->ignore->has_exceptions()) return missing(source);
      return add_directory(*real, "", 0);
    }
    if (ignored(*real)) return missing(source);
    ++files_;
    const std::vector<std::string> parts = path_parts(path);
    list_.file_name = parts.back();
    const bool archive = request_->unpack && TRY(looks_like_archive(*real));
    list_.items[parts.back()] = {.source = relative(*real), .archive = archive};
    // An archive goes into a directory of the destination's name.
    if (archive) ++directories_;
    return {};
  }

  [[nodiscard]] Result<bool> looks_like_archive(const std::string &path) const {
    const kernel::Fd file = TRY(kernel::open_in_root(root_->root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
    if (!S_ISREG(TRY(kernel::fstat(file)).st_mode)) return false;
    return is_archive(file);
  }

  // No directory stays open while those in it are listed: they may be many.
  [[nodiscard]] Result<std::vector<TreeChild>> children_of(const std::string &path) const {
    const kernel::Fd directory = TRY(kernel::open_in_root(root_->root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    std::vector<TreeChild> children;
    TRY(walk_tree(directory, {.visit = [&](auto, const auto &, const TreeChild &child) -> Result<TreeStep> {
                    children.push_back(child);
                    return TreeStep::skip;
                  }}));
    return children;
  }

  Status add_directory(const std::string &path, const std::string &target, int depth) {
    if (depth > deepest) return fail(E2BIG, fmt::format("{}: nested deeper than {} directories", path, deepest));
    if (!ignored(path)) list_.items.try_emplace(target, CopyItem{.source = relative(path)});
    for (const auto &[name, status] : TRY(in(path, children_of(path)))) {
      const std::string inner = join_path(path, name);
      const std::string inner_target = join_path(target, name);
      if (S_ISDIR(status.st_mode)) {
        if (ignored(inner) && !root_->ignore->has_exceptions()) continue;
        TRY(add_directory(inner, inner_target, depth + 1));
      } else if (!ignored(inner) && !S_ISSOCK(status.st_mode)) {
        add_with_parents(inner, inner_target);
      }
    }
    return {};
  }

  // Of an ignored directory only what an exception names comes along, in directories of the same name.
  void add_with_parents(const std::string &path, const std::string &target) {
    std::string directory = path;
    for (std::size_t slash = target.rfind('/'); slash != std::string::npos; slash = target.rfind('/', slash - 1)) {
      directory = directory.substr(0, directory.rfind('/'));
      list_.items.try_emplace(target.substr(0, slash), CopyItem{.source = relative(directory)});
      if (slash == 0) break;
    }
    list_.items[target] = {.source = relative(path)};
  }

  const CopyRoot *root_;
  const CopyRequest *request_;
  CopyList list_;
  std::size_t files_ = 0;
  std::size_t directories_ = 0;
};

std::string join_target(const std::string &directory, const std::string &name) {
  if (name.empty()) return directory;
  return join_path(directory, name);
}

Status hash_file(Hasher &hasher, kernel::FdView file) {
  std::string buffer(buffer_size, '\0');
  const ReadBytes read = read_file(file);
  for (;;) {
    const std::size_t got = TRY(read(buffer));
    if (got == 0) return {};
    hasher.update(std::span(buffer).first(got));
  }
}

TarEntry made_directory(const std::string &path, const CopyTarget &target) {
  TarEntry entry;
  entry.type = EntryType::directory;
  entry.name = path;
  entry.mode = 0755;
  entry.uid = target.owner.uid;
  entry.gid = target.owner.gid;
  entry.mtime.tv_sec = target.time;
  return entry;
}

}  // namespace

Result<CopyList> list_copy(const CopyRoot &root, const CopyRequest &request) { return Lister(root, request).run(); }

Result<Digest> digest_copy(const CopyRoot &root, const CopyList &list) {
  Hasher hasher;
  for (const auto &[name, item] : list.items) {
    const std::optional<TreeEntry> found = TRY(in(root.name, read_tree_entry(root.root, item.source, std::nullopt)));
    if (!found) continue;
    const TarEntry &entry = found->entry;
    std::string text =
        fmt::format("{}\n{} {:o} {} {} {} {} {}\n{}\n", name, static_cast<int>(entry.type), entry.mode, entry.uid,
                    entry.gid, entry.size, entry.device_major, entry.device_minor, entry.link);
    for (const Xattr &xattr : entry.xattrs)
      text += fmt::format("{}={} {}\n", xattr.name, xattr.value.size(), xattr.value);
    hasher.update(text);
    if (entry.type == EntryType::file) TRY(in(item.source, hash_file(hasher, found->file)));
  }
  return hasher.finish();
}

Status write_copy(LayerWriter &layer, const CopyRoot &root, const CopyList &list, const CopyTarget &target) {
  for (const std::string &directory : target.missing) TRY(layer.add(made_directory(directory, target)));
  for (const auto &[name, item] : list.items) {
    // The destination is there, and keeps what it is.
    if (name.empty()) continue;
    std::optional<TreeEntry> found = TRY(in(root.name, read_tree_entry(root.root, item.source, target.newest)));
    if (!found) continue;
    if (item.archive) {
      TRY(in(item.source, write_archive_entries(layer, found->file, target.directory, target.newest)));
      continue;
    }
    TarEntry &entry = found->entry;
    entry.name = list.one_file && !target.file.empty() ? target.file : join_target(target.directory, name);
    entry.uid = target.owner.uid;
    entry.gid = target.owner.gid;
    if (target.owner.mode && entry.type != EntryType::symlink) entry.mode = *target.owner.mode;
    TRY(layer.add(entry, read_file(found->file)));
  }
  return {};
}

Result<bool> is_archive(kernel::FdView file) {
  std::array<char, 512> head{};
  const std::size_t got = TRY(kernel::pread_some(file, head, 0));
  const std::string_view text(head.data(), got);
  if (text.starts_with("\x1f\x8b") || text.starts_with("\x28\xb5\x2f\xfd") || text.starts_with("BZh") ||
      text.starts_with(std::string_view("\xfd"
                                        "7zXZ\0",
                                        6))) {
    return can_read_archive(file);
  }
  return got == head.size() && text.substr(257).starts_with("ustar");
}

}  // namespace skiff::image
