// config.md, Annotations, Extensibility and Valid values.
#include "conformance/cases/tables.h"
#include "conformance/stage.h"

namespace skiff::conformance {
namespace {

// "POINTER=JSON"
Status edit(Stage &stage) {
  const std::string_view text = stage.variant();
  const std::size_t equals = text.find('=');
  stage.config.set(text.substr(0, equals), TRY(Tree::parse(text.substr(equals + 1))));
  return {};
}

Verdict refused(Stage &stage) {
  TRY(edit(stage));
  return expect_refused(stage, stage.variant());
}

Verdict accepted(Stage &stage) {
  TRY(edit(stage));
  (void)TRY(stage.observed());
  return {};
}

constexpr Case annotation_table[] = {
    {"annotations/unknown-are-ignored", "config.annotations.unknown config.extensibility", accepted,
     R"(/annotations={"com.example.unknown": "1", "org.opencontainers.image.nothing": "x"})"},
    {"annotations/may-be-empty", "config.annotations.map", accepted, "/annotations={}"},
    {"annotations/must-be-a-map", "config.annotations.map config.values", refused, R"(/annotations=["key"])"},
    {"annotations/values-must-be-strings", "config.annotations.values config.values", refused,
     R"(/annotations={"com.example.number": 1})"},
    {"annotations/values-may-be-empty", "config.annotations.values", accepted,
     R"(/annotations={"com.example.empty": ""})"},
};

constexpr Case value_table[] = {
    {"values/unknown-property-is-ignored", "config.extensibility", accepted, R"(/unknown={"deep": [1, 2]})"},
    {"values/unknown-process-property-is-ignored", "config.extensibility", accepted, R"(/process/unknown="value")"},
    {"values/unknown-linux-property-is-ignored", "config.extensibility", accepted, "/linux/unknown=[1]"},
    {"values/unknown-mount-property-is-ignored", "config.extensibility", accepted, "/mounts/0/unknown=true"},
    {"values/other-platforms-are-ignored", "config.extensibility", accepted,
     R"(/windows={"layerFolders": ["c:\\layer"]})"},
    {"values/a-string-for-a-number", "config.values", refused, R"(/process/user/uid="root")"},
    {"values/a-number-for-a-string", "config.values", refused, "/process/cwd=1"},
    {"values/a-string-for-a-bool", "config.values", refused, R"(/process/terminal="no")"},
    {"values/a-string-for-an-array", "config.values", refused, R"(/process/args="/inside")"},
    {"values/an-array-for-an-object", "config.values", refused, "/root=[]"},
    {"values/a-negative-uid", "config.values", refused, "/process/user/uid=-1"},
    {"values/a-uid-beyond-32-bits", "config.values", refused, "/process/user/uid=4294967296"},
    {"values/an-unknown-propagation", "config.values", refused, R"(/linux/rootfsPropagation="sideways")"},
    {"values/an-unknown-personality", "linux.personality.domain config.values", refused,
     R"(/linux/personality={"domain": "MINIX"})"},
    {"values/a-personality-without-domain", "linux.personality.domain config.values", refused,
     R"(/linux/personality={"flags": []})"},
    {"values/an-unknown-memory-policy", "linux.memoryPolicy.mode config.values", refused,
     R"(/linux/memoryPolicy={"mode": "MPOL_ELSEWHERE"})"},
    {"values/a-memory-policy-without-mode", "linux.memoryPolicy.mode config.values", refused,
     R"(/linux/memoryPolicy={"nodes": "0"})"},
    {"values/an-oomScoreAdj-out-of-range", "config.values", refused, "/process/oomScoreAdj=5000"},
    {"values/an-unknown-clock", "config.values", refused, R"(/linux/timeOffsets={"sundial": {"secs": 1}})"},
};

}  // namespace

std::span<const Case> annotation_cases() { return annotation_table; }
std::span<const Case> value_cases() { return value_table; }

}  // namespace skiff::conformance
