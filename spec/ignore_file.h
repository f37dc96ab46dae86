// .dockerignore: which files of the context are none of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "spec/glob.h"

namespace skiff::spec {

class IgnoreFile {
 public:
  IgnoreFile() = default;  // nothing is ignored
  // A pattern a line; '#' begins a comment, '!' an exception. Errors name the line.
  [[nodiscard]] static Result<IgnoreFile> parse(std::string_view text);

  // `path` is relative to the context, without "./". What matches a directory matches everything below it; the last
  // pattern that matches decides.
  [[nodiscard]] bool ignores(std::string_view path) const;
  // False: nothing below an ignored directory can be wanted.
  [[nodiscard]] bool has_exceptions() const { return exceptions_; }

 private:
  struct Line {
    Glob glob;
    bool exception;
  };
  std::vector<Line> lines_;
  bool exceptions_ = false;
};

}  // namespace skiff::spec
