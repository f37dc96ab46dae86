// config.md, Linux mount options: idmap and ridmap. config-linux.md, User namespace mappings.
#include <fmt/format.h>

#include "conformance/cases/tables.h"
#include "conformance/stage.h"
#include "runtime/kernel/path.h"

namespace skiff::conformance {
namespace {

void add_user_namespace(Stage &stage) {
  stage.config.set("/linux/namespaces/-", R"({"type": "user"})"_json);
  const Tree map = R"([{"containerID": 0, "hostID": 100000, "size": 65536}])"_json;
  stage.config.set("/linux/uidMappings", map);
  stage.config.set("/linux/gidMappings", map);
}

// A directory with a file of user 0, bound to /work.
Status add_mapped(Stage &stage, std::string_view option) {
  TRY(make_directory(stage.path("source")));
  TRY(write_file(stage.path("source") + "/file", "mapped"));
  Tree mount = R"({"destination": "/work", "type": "bind"})"_json;
  mount.set("/source", stage.path("source"));
  mount.set("/options/-", "rbind");
  if (!option.empty()) mount.set("/options/-", std::string(option));
  stage.config.set("/mounts/-", std::move(mount));
  stage.inside("observe", {"stat:/work/file"});
  return {};
}

Verdict user_namespace(Stage &stage) {
  add_user_namespace(stage);
  const Tree seen = TRY(stage.observed());
  TRY(expect_number("the user id inside", seen.number("/ids/uid"), 0));
  const std::vector<std::string> map = seen.texts("/uidMap");
  TRY(expect(map.size() == 1 && map[0].find("100000") != std::string::npos, "the uid map", "0 100000 65536",
             map.empty() ? "none" : map[0]));
  const std::string ours = TRY(namespace_of("self", "user"));
  return expect(seen.text("/namespaces/user") != ours, "the user namespace", "a new one", "the runtime's");
}

Verdict mapping_of_nothing(Stage &stage) {
  add_user_namespace(stage);
  stage.config.remove("/linux/uidMappings/0/size");
  return expect_refused(stage, "a uid mapping without size");
}

Verdict own_mapping(Stage &stage) {
  TRY(add_mapped(stage, stage.variant()));
  const Tree map = R"([{"containerID": 0, "hostID": 5000, "size": 1000}])"_json;
  stage.config.set("/mounts/4/uidMappings", map);
  stage.config.set("/mounts/4/gidMappings", map);
  const Tree seen = TRY(stage.observed());
  TRY(expect_number("the owner of a file of user 0", probe_value(seen, 0)->number("/uid"), 5000));
  return expect_number("its group", probe_value(seen, 0)->number("/gid"), 5000);
}

Verdict mapping_of_the_container(Stage &stage) {
  add_user_namespace(stage);
  TRY(add_mapped(stage, "idmap"));
  const Tree map = R"([{"containerID": 0, "hostID": 100000, "size": 65536}])"_json;
  stage.config.set("/mounts/4/uidMappings", map);
  stage.config.set("/mounts/4/gidMappings", map);
  const Tree seen = TRY(stage.observed());
  return expect_number("the owner of a file of user 0, seen inside", probe_value(seen, 0)->number("/uid"), 0);
}

Verdict mapping_without_any(Stage &stage) {
  TRY(add_mapped(stage, stage.variant()));
  return expect_refused(stage, fmt::format("{} without mappings and without a user namespace", stage.variant()));
}

Verdict half_a_mapping(Stage &stage) {
  TRY(add_mapped(stage, "idmap"));
  stage.config.set(fmt::format("/mounts/4/{}", stage.variant()),
                   R"([{"containerID": 0, "hostID": 5000, "size": 1000}])"_json);
  return expect_refused(stage, fmt::format("{} alone", stage.variant()));
}

constexpr Case table[] = {
    {"idmap/a-user-namespace-maps-ids", "linux.namespaces.new runtime.lifecycle.environment", user_namespace},
    {"idmap/a-mapping-needs-a-size", "linux.uidMappings.size config.values", mapping_of_nothing},
    {"idmap/idmap-uses-the-mounts-mapping", "config.mounts.idmap.applied config.mounts.idmap.own", own_mapping,
     "idmap"},
    {"idmap/ridmap-uses-the-mounts-mapping", "config.mounts.idmap.applied config.mounts.idmap.own", own_mapping,
     "ridmap"},
    {"idmap/in-a-user-namespace", "config.mounts.idmap.applied config.mounts.idmap.own", mapping_of_the_container},
    {"idmap/idmap-without-any-mapping-fails", "config.mounts.idmap.none", mapping_without_any, "idmap"},
    {"idmap/ridmap-without-any-mapping-fails", "config.mounts.idmap.none", mapping_without_any, "ridmap"},
    {"idmap/uidMappings-alone-fail", "config.mounts.uidMappings.pair config.values", half_a_mapping, "uidMappings"},
    {"idmap/gidMappings-alone-fail", "config.mounts.gidMappings.pair config.values", half_a_mapping, "gidMappings"},
};

}  // namespace

std::span<const Case> idmap_cases() { return table; }

}  // namespace skiff::conformance
