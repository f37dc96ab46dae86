// Relative paths of a compose file, made absolute.
#pragma once

#include <string>
#include <string_view>

#include "compose/value.h"

namespace skiff::compose {

// What stands for a folder: the file's, and the user's home of a leading ~.
struct Folders {
  std::string directory;  // absolute
  std::string home;       // empty: a ~ stays
};

// "../a/./b" below "/x/y" is "/x/a/b". No link is looked at.
[[nodiscard]] std::string absolute_path(std::string_view path, const Folders &folders);

// The folder of an absolute path.
[[nodiscard]] std::string parent_path(std::string_view path);

// Of a whole file in long forms: build contexts that are no URL, sources of binds, env_file, label_file, develop.watch,
// files of secrets and configs.
void resolve_paths(Value &file, const Folders &folders);
// Of one service.
void resolve_service_paths(Value &service, const Folders &folders);

// Of what can be given instead of a path: "https://...", "git@...", "github.com/...".
[[nodiscard]] bool is_remote_context(std::string_view text);

}  // namespace skiff::compose
