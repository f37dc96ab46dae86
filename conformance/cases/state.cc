// runtime.md, State: the document that `state` prints, at each stage of a container's life.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "conformance/cases/tables.h"
#include "conformance/stage.h"

namespace skiff::conformance {
namespace {

// schema/state-schema.json, by hand: the types of what is there.
Verdict expect_schema(const Tree &state) {
  using Kind = Tree::Kind;
  struct Field {
    std::string_view pointer;
    Kind kind;
  };
  constexpr std::array<Field, 4> fields = {
      {{"/ociVersion", Kind::string}, {"/id", Kind::string}, {"/status", Kind::string}, {"/bundle", Kind::string}}};
  TRY(expect(state.kind() == Kind::object, "the state", "an object", state.dump()));
  for (const auto &[pointer, kind] : fields) {
    const Tree *found = state.find(pointer);
    TRY(expect(found != nullptr && found->kind() == kind, pointer, "a string",
               found == nullptr ? "nothing" : found->dump()));
  }
  if (const Tree *pid = state.find("/pid"); pid != nullptr) {
    TRY(expect(state.number("/pid").value_or(-1) >= 0, "/pid", "an integer from 0 up", pid->dump()));
  }
  const Tree *annotations = state.find("/annotations");
  if (annotations == nullptr || annotations->kind() == Kind::null) return {};
  TRY(expect(annotations->kind() == Kind::object, "/annotations", "an object", annotations->dump()));
  for (const Tree::Member &member : annotations->members()) {
    TRY(expect(member.value.kind() == Kind::string, "an annotation", "a string", member.value.dump()));
  }
  return {};
}

// Three numbers with points between them; what SemVer allows after a '-' or '+' is not looked at.
bool is_version(std::string_view text) {
  text = text.substr(0, text.find_first_of("-+"));
  int points = 0;
  for (const char c : text) {
    if (c == '.') {
      ++points;
    } else if (c < '0' || c > '9') {
      return false;
    }
  }
  return points == 2;
}

Verdict expect_fields(Stage &stage, const Tree &state, std::string_view status) {
  TRY(expect_schema(state));
  TRY(expect(is_version(state.text("/ociVersion")), "the state's ociVersion", "a version", state.text("/ociVersion")));
  TRY(expect_same("the state's id", state.text("/id"), stage.id()));
  TRY(expect_same("the state's status", state.text("/status"), std::string(status)));
  return expect_same("the state's bundle", state.text("/bundle"), stage.bundle());
}

// The pid names a process in the container's namespaces and not in ours.
Verdict expect_container_pid(const Tree &state) {
  const std::string pid = state.text("/pid");
  TRY(expect(state.number("/pid").value_or(0) > 1, "the state's pid", "a process", pid));
  const std::string theirs = TRY(namespace_of(pid, "uts"));
  const std::string ours = TRY(namespace_of("self", "uts"));
  return expect(theirs != ours, "the uts namespace of the state's pid", "the container's", "the runtime's");
}

Verdict state_of_created(Stage &stage) {
  TRY(stage.created());
  const Tree state = TRY(stage.state());
  TRY(expect_fields(stage, state, "created"));
  return expect_container_pid(state);
}

Verdict state_of_running(Stage &stage) {
  stage.inside("wait");
  (void)TRY(stage.observed());
  const Tree state = TRY(stage.state());
  TRY(expect_fields(stage, state, "running"));
  TRY(expect_container_pid(state));
  const std::string program = TRY(read_file(fmt::format("/proc/{}/cmdline", state.text("/pid"))));
  return expect(program.starts_with("/inside"), "the program of the state's pid", "/inside", program);
}

Verdict state_of_stopped(Stage &stage) {
  TRY(stage.started());
  (void)TRY(stage.ended());
  return expect_fields(stage, TRY(stage.state()), "stopped");
}

Verdict relative_bundle(Stage &stage) {
  TRY(stage.save());
  TRY(stage.succeed({"create", "--bundle", ".", stage.id()}));
  return expect_same("the state's bundle", TRY(stage.state()).text("/bundle"), stage.bundle());
}

Verdict annotations(Stage &stage) {
  stage.config.set("/annotations", R"({"com.example.key": "value", "com.example.empty": ""})"_json);
  TRY(stage.created());
  const Tree state = TRY(stage.state());
  TRY(expect_same("an annotation", state.text("/annotations/com.example.key"), "value"));
  return expect(state.find("/annotations/com.example.empty") != nullptr, "an annotation without text", "\"\"",
                "nothing");
}

constexpr Case table[] = {
    {"state/of-a-created-container",
     "runtime.state.ociVersion runtime.state.id runtime.state.status runtime.state.pid runtime.state.bundle "
     "runtime.state.schema runtime.state.returned",
     state_of_created},
    {"state/of-a-running-container", "runtime.state.status runtime.state.pid runtime.state.schema", state_of_running},
    {"state/of-a-stopped-container", "runtime.state.status runtime.state.schema", state_of_stopped},
    {"state/the-bundle-is-absolute", "runtime.state.bundle", relative_bundle},
    {"state/has-the-annotations", "runtime.state.returned config.annotations.unknown", annotations},
};

}  // namespace

std::span<const Case> state_cases() { return table; }

}  // namespace skiff::conformance
