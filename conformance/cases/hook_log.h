// What hooks leave behind: the observing program as a hook appends a line to a file of the rootfs, which the runtime's
// mount namespace and the container's both reach.
#pragma once

#include <string>
#include <vector>

#include "conformance/stage.h"

namespace skiff::conformance {

// The hooks in the order of a container's life.
inline constexpr std::string_view hook_kinds[] = {"prestart",       "createRuntime", "createContainer",
                                                  "startContainer", "poststart",     "poststop"};

// One more hook of that kind. Its words follow the tag: {"exit", "1"} or {"hang"}.
void add_hook(Stage &stage, std::string_view kind, std::string_view tag, const std::vector<std::string> &words = {});
// The file's place in front of any hook, so that a user namespace's root may write it.
[[nodiscard]] Status make_hook_log(const Stage &stage);
// The lines so far.
[[nodiscard]] Result<std::vector<Tree>> read_hook_log(const Stage &stage);
[[nodiscard]] std::vector<std::string> tags_of(const std::vector<Tree> &log);
// The line of that tag; nullptr: none.
[[nodiscard]] const Tree *find_tag(const std::vector<Tree> &log, std::string_view tag);

}  // namespace skiff::conformance
