#include "compose/copy_paths.h"

#include <fmt/format.h>

#include "spec/names.h"
#include "spec/path.h"

namespace skiff::compose {

using spec::quote;

CopyWord parse_copy_word(std::string_view word) {
  const std::size_t colon = word.find(':');
  if (colon == std::string_view::npos || colon == 0 || word.starts_with('/') || word.starts_with('.')) {
    return {.container = {}, .path = std::string(word)};
  }
  return {.container = std::string(word.substr(0, colon)), .path = std::string(word.substr(colon + 1))};
}

std::string CopyPath::name() const {
  const std::string last = path.substr(path.rfind('/') + 1);
  return last.empty() ? "." : last;
}

CopyPath parse_copy_path(std::string_view text, std::string_view folder) {
  CopyPath out;
  out.path = spec::clean_path(text.starts_with('/') ? std::string(text) : fmt::format("{}/{}", folder, text));
  const std::string_view last = text.substr(text.rfind('/') + 1);
  out.contents = last == ".";
  out.directory = out.contents || last == ".." || text.ends_with('/');
  return out;
}

Result<CopyShape> make_copy_shape(const CopyPath &from, FileKind from_kind, const CopyPath &to, FileKind to_kind) {
  const bool is_directory = from_kind == FileKind::directory;
  if (from_kind == FileKind::missing) return fail(ENOENT, quote(from.path));
  if (!is_directory && from.directory) return fail(ENOTDIR, quote(from.path));
  if (to_kind == FileKind::directory) {
    return CopyShape{.place = CopyShape::Place::in_directory, .as = from.contents ? "." : from.name()};
  }
  if (to_kind == FileKind::file) {
    if (is_directory) return fail(ENOTDIR, quote(to.path), "a directory cannot be copied onto a file");
    if (to.directory) return fail(ENOTDIR, quote(to.path));
  }
  if (!is_directory && to.directory) return fail(ENOENT, quote(to.path), "make the directory first");
  return CopyShape{.place = CopyShape::Place::beside, .as = to.name()};
}

}  // namespace skiff::compose
