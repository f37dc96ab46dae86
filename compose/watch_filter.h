// Which files a rule of develop.watch is about, and where in the container they belong. Text alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "compose/project.h"
#include "spec/ignore_file.h"

namespace skiff::compose {

class WatchFilter {
 public:
  // `context`: of the service's build, whose .dockerignore counts as well; both may be empty.
  [[nodiscard]] static Result<WatchFilter> make(const WatchRule &rule, const std::string &context,
                                                std::string_view ignore_file);

  // `path` is the rule's own, or below it; absolute.
  [[nodiscard]] bool takes(std::string_view path) const;
  // Nothing below this directory can be wanted.
  [[nodiscard]] bool skips(std::string_view directory) const;
  // The file's place in the container.
  [[nodiscard]] std::string target_of(std::string_view path) const;

 private:
  [[nodiscard]] bool is_ignored(std::string_view path) const;

  std::string path_;
  std::string target_;
  std::string context_;
  spec::IgnoreFile ignored_;  // relative to path_
  spec::IgnoreFile included_;
  spec::IgnoreFile context_ignored_;  // relative to context_
  bool includes_all_ = true;
};

}  // namespace skiff::compose
