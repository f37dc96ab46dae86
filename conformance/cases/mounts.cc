// config.md, Mounts: order, places and kinds. What each option does is in mount_options.cc.
#include <errno.h>
#include <fmt/format.h>

#include "conformance/cases/tables.h"
#include "conformance/stage.h"

namespace skiff::conformance {
namespace {

Verdict order(Stage &stage) {
  // The second is inside the first; the other way round it would be hidden.
  stage.config.set("/mounts/-", R"({"destination": "/work", "type": "tmpfs", "source": "first"})"_json);
  stage.config.set("/mounts/-", R"({"destination": "/work/inner", "type": "tmpfs", "source": "second"})"_json);
  stage.config.set("/mounts/-", R"({"destination": "/tmp/a", "type": "tmpfs", "source": "third"})"_json);
  stage.config.set("/mounts/-", R"({"destination": "/tmp", "type": "tmpfs", "source": "fourth"})"_json);
  stage.inside("observe", {"list:/work", "list:/tmp"});
  const Tree seen = TRY(stage.observed());
  TRY(expect_same("what the first mount holds", seen.texts("/probes/0/value"), {"inner"}));
  TRY(expect_same("what the last mount holds", seen.texts("/probes/1/value"), {}));
  std::vector<std::string> sources;
  for (const Tree::Member &mount : seen.find("/mounts")->members()) {
    const std::string source = mount.value.text("/source");
    if (source == "first" || source == "second" || source == "third" || source == "fourth") sources.push_back(source);
  }
  return expect_same("the mounts", sources, {"first", "second", "third", "fourth"});
}

Verdict same_place_twice(Stage &stage) {
  stage.config.set("/mounts/-", R"({"destination": "/work", "type": "tmpfs", "source": "lower"})"_json);
  stage.config.set("/mounts/-", R"({"destination": "/work", "type": "tmpfs", "source": "upper"})"_json);
  const Tree seen = TRY(stage.observed());
  return expect_same("the mount on top", mount_at(seen, "/work")->text("/source"), "upper");
}

Verdict no_destination(Stage &stage) {
  stage.config.set("/mounts/-", R"({"type": "tmpfs", "source": "tmpfs"})"_json);
  return expect_refused(stage, "a mount without destination");
}

Verdict relative_destination(Stage &stage) {
  stage.config.set("/mounts/-", R"({"destination": "work", "type": "tmpfs", "source": "tmpfs"})"_json);
  stage.config.set("/process/cwd", "/tmp");
  const Tree seen = TRY(stage.observed());
  return expect(mount_at(seen, "/work") != nullptr, "a mount on \"work\"", "one on /work", "none there");
}

Verdict missing_destination(Stage &stage) {
  stage.config.set("/mounts/-", R"({"destination": "/new/deep", "type": "tmpfs", "source": "tmpfs"})"_json);
  const Tree seen = TRY(stage.observed());
  return expect(mount_at(seen, "/new/deep") != nullptr, "a mount on /new/deep", "one, its place made", "none");
}

Verdict bind_file(Stage &stage) {
  TRY(write_file(stage.path("file"), "from outside"));
  Tree mount = R"({"destination": "/work/file", "type": "none", "options": ["bind"]})"_json;
  mount.set("/source", stage.path("file"));
  stage.config.set("/mounts/-", std::move(mount));
  stage.inside("observe", {"read:/work/file"});
  return expect_same("the bound file", probe_value(TRY(stage.observed()), 0)->text(), "from outside");
}

Verdict relative_source(Stage &stage) {
  TRY(write_file(stage.bundle() + "/file", "of the bundle"));
  stage.config.set("/mounts/-",
                   R"({"destination": "/work/file", "type": "bind", "source": "file", "options": ["bind"]})"_json);
  stage.inside("observe", {"read:/work/file"});
  const Tree seen = TRY(stage.observed());
  return expect_same("the bound file", probe_value(seen, 0)->text(), "of the bundle");
}

Verdict filesystem_options(Stage &stage) {
  stage.config.set("/mounts/-", R"({"destination": "/work", "type": "tmpfs", "source": "tmpfs",
                                    "options": ["size=64k", "mode=700"]})"_json);
  stage.inside("observe", {"stat:/work"});
  const Tree seen = TRY(stage.observed());
  TRY(expect_number("the mode of the mount's root", probe_value(seen, 0)->number("/mode"), 0700));
  return expect(has_option(mount_at(seen, "/work")->text("/super"), "size=64k"), "the options of the filesystem",
                "size=64k", mount_at(seen, "/work")->text("/super"));
}

Verdict unknown_type(Stage &stage) {
  stage.config.set("/mounts/-", R"({"destination": "/work", "type": "nosuchfs", "source": "none"})"_json);
  return expect_refused(stage, "a mount of an unknown filesystem");
}

Verdict nothing_of_the_host(Stage &stage) {
  const Tree seen = TRY(stage.observed());
  for (const Tree::Member &mount : seen.find("/mounts")->members()) {
    const std::string place = mount.value.text("/destination");
    TRY(expect(place == "/" || place.starts_with("/proc") || place.starts_with("/dev"), "a mount in the container",
               "one of the configuration's", place));
  }
  return {};
}

constexpr Case table[] = {
    {"mounts/are-made-in-order", "config.mounts.order", order},
    {"mounts/the-later-covers-the-earlier", "config.mounts.order", same_place_twice},
    {"mounts/destination-is-required", "config.mounts.destination.required config.values", no_destination},
    {"mounts/a-relative-destination-counts-from-the-root", "config.mounts.destination.relative", relative_destination},
    {"mounts/a-missing-destination-is-made", "runtime.create.properties", missing_destination},
    {"mounts/a-file-can-be-bound", "config.mounts.option.bind", bind_file},
    {"mounts/a-relative-source-counts-from-the-bundle", "config.mounts.option.bind", relative_source},
    {"mounts/options-of-the-filesystem-are-passed-on", "runtime.create.properties", filesystem_options},
    {"mounts/an-unknown-filesystem-fails", "runtime.create.error config.values", unknown_type},
    {"mounts/nothing-of-the-host-is-left", "runtime.lifecycle.environment", nothing_of_the_host},
};

}  // namespace

std::span<const Case> mount_cases() { return table; }

}  // namespace skiff::conformance
