#include "compose/watch_filter.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace skiff::compose {
namespace {

// What editors and version control write beside the files, never meant for anybody else.
constexpr std::string_view always_ignored =
    "**/.git\n**/*~\n**/.*.sw?\n**/.#*\n**/#*#\n**/4913\n**/.DS_Store\n**/*___jb_tmp___\n**/*___jb_old___\n";

// Nothing where the path lies elsewhere; empty for the folder itself.
std::optional<std::string_view> below(std::string_view folder, std::string_view path) {
  if (folder.empty() || !path.starts_with(folder)) return std::nullopt;
  path.remove_prefix(folder.size());
  if (path.empty() || folder == "/") return path;
  return path.front() == '/' ? std::optional(path.substr(1)) : std::nullopt;
}

Result<spec::IgnoreFile> parse(std::string_view what, const std::vector<std::string> &patterns) {
  return in(what, spec::IgnoreFile::parse(fmt::format("{}\n", fmt::join(patterns, "\n"))));
}

}  // namespace

Result<WatchFilter> WatchFilter::make(const WatchRule &rule, const std::string &context, std::string_view ignore_file) {
  WatchFilter filter;
  filter.path_ = rule.path;
  filter.target_ = rule.target;
  while (filter.target_.size() > 1 && filter.target_.ends_with('/')) filter.target_.pop_back();
  filter.context_ = context;
  std::vector<std::string> ignored = {std::string(always_ignored)};
  ignored.insert(ignored.end(), rule.ignore.begin(), rule.ignore.end());
  filter.ignored_ = TRY(parse("ignore", ignored));
  filter.included_ = TRY(parse("include", rule.include));
  filter.includes_all_ = rule.include.empty();
  filter.context_ignored_ = TRY(in(context + "/.dockerignore", spec::IgnoreFile::parse(ignore_file)));
  return filter;
}

bool WatchFilter::is_ignored(std::string_view path) const {
  const std::optional<std::string_view> relative = below(path_, path);
  // The rule's own path, named by itself, is never ignored.
  if (!relative || relative->empty()) return !relative;
  if (ignored_.ignores(*relative)) return true;
  const std::optional<std::string_view> in_context = below(context_, path);
  return in_context && !in_context->empty() && context_ignored_.ignores(*in_context);
}

bool WatchFilter::takes(std::string_view path) const {
  if (is_ignored(path)) return false;
  const std::string_view relative = *below(path_, path);
  return includes_all_ || relative.empty() || included_.ignores(relative);
}

bool WatchFilter::skips(std::string_view directory) const {
  return !ignored_.has_exceptions() && !context_ignored_.has_exceptions() && is_ignored(directory);
}

std::string WatchFilter::target_of(std::string_view path) const {
  const std::optional<std::string_view> relative = below(path_, path);
  if (!relative || relative->empty()) return target_;
  return fmt::format("{}/{}", target_ == "/" ? "" : target_, *relative);
}

}  // namespace skiff::compose
