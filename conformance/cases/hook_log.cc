#include "conformance/cases/hook_log.h"

#include <fmt/format.h>

#include <algorithm>

namespace skiff::conformance {

void add_hook(Stage &stage, std::string_view kind, std::string_view tag, const std::vector<std::string> &words) {
  // The path of a startContainer hook is the container's, the others' the runtime's.
  const bool within = kind == "startContainer";
  Tree hook;
  hook.set("/path", within ? "/inside" : stage.program());
  hook.set("/args", R"(["inside", "hook"])"_json);
  hook.set("/args/-", (within ? "" : stage.rootfs()) + "/log");
  hook.set("/args/-", std::string(tag));
  for (const std::string &word : words) hook.set("/args/-", word);
  hook.set("/env", R"(["HOOK=yes"])"_json);
  stage.config.set(fmt::format("/hooks/{}/-", kind), std::move(hook));
}

Status make_hook_log(const Stage &stage) {
  TRY(write_file(stage.rootfs() + "/log", "", 0666));
  return {};
}

Result<std::vector<Tree>> read_hook_log(const Stage &stage) {
  const std::string text = TRY(read_file(stage.rootfs() + "/log"));
  std::vector<Tree> lines;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    lines.push_back(TRY(in("a hook's line", Tree::parse(line))));
  }
  return lines;
}

std::vector<std::string> tags_of(const std::vector<Tree> &log) {
  std::vector<std::string> tags;
  for (const Tree &line : log) tags.push_back(line.text("/tag"));
  return tags;
}

const Tree *find_tag(const std::vector<Tree> &log, std::string_view tag) {
  const auto found = std::ranges::find_if(log, [&](const Tree &line) { return line.text("/tag") == tag; });
  return found == log.end() ? nullptr : &*found;
}

}  // namespace skiff::conformance
