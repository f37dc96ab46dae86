// config.md, POSIX process: rlimits. config.md, Linux Process: capabilities.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>

#include "conformance/cases/tables.h"
#include "conformance/stage.h"

namespace skiff::conformance {
namespace {

Verdict limits(Stage &stage) {
  rlimit own{};
  if (::getrlimit(RLIMIT_NOFILE, &own) != 0 || own.rlim_max < 256) return skip("our own limit of files is too low");
  stage.config.set("/process/rlimits", R"([{"type": "RLIMIT_NOFILE", "soft": 200, "hard": 250},
                                           {"type": "RLIMIT_CORE", "soft": 0, "hard": 0}])"_json);
  const Tree seen = TRY(stage.observed());
  TRY(expect_number("the soft limit of files", seen.number("/rlimits/RLIMIT_NOFILE/soft"), 200));
  TRY(expect_number("the hard limit of files", seen.number("/rlimits/RLIMIT_NOFILE/hard"), 250));
  TRY(expect_number("the soft limit of core files", seen.number("/rlimits/RLIMIT_CORE/soft"), 0));
  return expect_number("the hard limit of core files", seen.number("/rlimits/RLIMIT_CORE/hard"), 0);
}

// Every type of getrlimit(2), at the value that it has here: nothing needs a privilege then.
Verdict every_limit(Stage &stage) {
  Tree before = TRY(stage.observed());
  (void)TRY(stage.ended());
  TRY(stage.succeed({"delete", stage.id()}));
  const Tree *own = before.find("/rlimits");
  for (const Tree::Member &limit : own->members()) {
    Tree entry;
    entry.set("/type", std::string(limit.key));
    entry.set("/soft", *limit.value.find("/soft"));
    entry.set("/hard", *limit.value.find("/hard"));
    stage.config.at("/process/rlimits/-") = std::move(entry);
  }
  const Tree seen = TRY(stage.observed());
  return expect_same("the limits", seen.find("/rlimits")->dump(), own->dump());
}

Verdict bad_limits(Stage &stage) {
  stage.config.set("/process/rlimits", TRY(Tree::parse(stage.variant())));
  return expect_refused(stage, stage.variant());
}

constexpr Case limit_table[] = {
    {"rlimits/are-set", "config.process.rlimits.soft config.process.rlimits.hard config.process.rlimits.getrlimit",
     limits},
    {"rlimits/of-every-type", "config.process.rlimits.getrlimit config.process.rlimits.known", every_limit},
    {"rlimits/type-is-required", "config.process.rlimits.type config.values", bad_limits,
     R"([{"soft": 10, "hard": 10}])"},
    {"rlimits/type-must-be-known", "config.process.rlimits.known config.values", bad_limits,
     R"([{"type": "RLIMIT_PATIENCE", "soft": 10, "hard": 10}])"},
    {"rlimits/type-must-be-unique", "config.process.rlimits.unique", bad_limits,
     R"([{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}, {"type": "RLIMIT_CORE", "soft": 0, "hard": 0}])",
     "runc and crun let the later one win; the clause is explicit"},
    {"rlimits/soft-above-hard-fails", "config.values", bad_limits,
     R"([{"type": "RLIMIT_CORE", "soft": 20, "hard": 10}])"},
};

std::vector<std::string> sorted(std::vector<std::string> words) {
  std::ranges::sort(words);
  return words;
}

Verdict expect_sets(const Stage &stage, const Tree &seen) {
  for (const char *set : {"bounding", "effective", "inheritable", "permitted", "ambient"}) {
    TRY(expect_same(fmt::format("the {} set", set), sorted(seen.texts(fmt::format("/capabilities/{}", set))),
                    sorted(stage.config.texts(fmt::format("/process/capabilities/{}", set)))));
  }
  return {};
}

Verdict capabilities(Stage &stage) {
  stage.config.set("/process/capabilities", R"({
    "bounding": ["CAP_KILL", "CAP_CHOWN", "CAP_NET_RAW"], "effective": ["CAP_KILL"],
    "permitted": ["CAP_KILL", "CAP_CHOWN"], "inheritable": ["CAP_CHOWN"], "ambient": ["CAP_CHOWN"]})"_json);
  // Root regains its capabilities at exec, so only another user shows the sets as they were made; and for that user
  // only what is ambient outlives exec.
  stage.config.set("/process/user/uid", 1000);
  const Tree seen = TRY(stage.observed());
  TRY(expect_same("the bounding set", sorted(seen.texts("/capabilities/bounding")),
                  {"CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW"}));
  for (const char *set : {"effective", "permitted", "inheritable", "ambient"}) {
    TRY(expect_same(fmt::format("the {} set", set), seen.texts(fmt::format("/capabilities/{}", set)), {"CAP_CHOWN"}));
  }
  return {};
}

Verdict capabilities_of_root(Stage &stage) {
  stage.config.set("/process/capabilities", R"({"bounding": ["CAP_KILL", "CAP_CHOWN"],
    "effective": ["CAP_KILL", "CAP_CHOWN"], "permitted": ["CAP_KILL", "CAP_CHOWN"]})"_json);
  return expect_sets(stage, TRY(stage.observed()));
}

Verdict no_capabilities(Stage &stage) {
  stage.config.set("/process/capabilities", R"({})"_json);
  return expect_sets(stage, TRY(stage.observed()));
}

Verdict unknown_capability(Stage &stage) {
  for (const char *set : {"bounding", "effective", "permitted"}) {
    stage.config.set(fmt::format("/process/capabilities/{}", set), R"(["CAP_KILL", "CAP_NO_SUCH_THING"])"_json);
  }
  const Tree seen = TRY(stage.observed());
  return expect_same("the effective set", seen.texts("/capabilities/effective"), {"CAP_KILL"});
}

constexpr Case capability_table[] = {
    {"capabilities/five-sets", "runtime.start.runs", capabilities},
    {"capabilities/of-root", "runtime.start.runs", capabilities_of_root},
    {"capabilities/none", "runtime.start.runs", no_capabilities},
    {"capabilities/unknown-is-a-warning", "config.process.capabilities.unknown runtime.warnings.continue",
     unknown_capability},
};

}  // namespace

std::span<const Case> rlimit_cases() { return limit_table; }
std::span<const Case> capability_cases() { return capability_table; }

}  // namespace skiff::conformance
