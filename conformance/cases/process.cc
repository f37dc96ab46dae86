// config.md, Process, Linux Process and User.
#include <errno.h>
#include <fmt/format.h>
#include <sched.h>

#include "conformance/cases/tables.h"
#include "conformance/stage.h"
#include "runtime/kernel/path.h"

namespace skiff::conformance {
namespace {

Verdict cwd(Stage &stage) {
  stage.config.set("/process/cwd", "/work");
  return expect_same("the working directory", TRY(stage.observed()).text("/cwd"), "/work");
}

Verdict bad_process(Stage &stage) {
  // "POINTER" is removed; "POINTER=JSON" is set.
  const std::string_view edit = stage.variant();
  const std::string pointer(edit.substr(0, edit.find('=')));
  if (pointer.size() == edit.size()) {
    stage.config.remove(pointer);
  } else {
    stage.config.set(pointer, TRY(Tree::parse(edit.substr(pointer.size() + 1))));
  }
  return expect_refused(stage, edit);
}

Verdict arguments(Stage &stage) {
  stage.inside("observe", {"--", "two words", "", "ünï"});
  return expect_same("argv", TRY(stage.observed()).texts("/argv"),
                     {"/inside", "observe", "--", "two words", "", "ünï"});
}

Verdict search_path(Stage &stage) {
  TRY(kernel::linkat(kernel::cwd, stage.program(), kernel::cwd, stage.rootfs() + "/work/found"));
  stage.config.set("/process/env", R"(["PATH=/tmp:/work"])"_json);
  stage.config.set("/process/args", R"(["found", "observe"])"_json);
  return expect_same("argv", TRY(stage.observed()).texts("/argv"), {"found", "observe"});
}

Verdict environment(Stage &stage) {
  stage.config.set("/process/env", R"(["PATH=/", "HOME=/work", "TWO=a=b", "EMPTY="])"_json);
  return expect_same("the environment", TRY(stage.observed()).texts("/env"),
                     {"PATH=/", "HOME=/work", "TWO=a=b", "EMPTY="});
}

Verdict user(Stage &stage) {
  stage.config.set("/process/user", R"({"uid": 1000, "gid": 1001, "additionalGids": [5, 6], "umask": 23})"_json);
  const Tree seen = TRY(stage.observed());
  for (const char *name : {"uid", "euid", "suid"}) {
    TRY(expect_number(name, seen.number(fmt::format("/ids/{}", name)), 1000));
  }
  for (const char *name : {"gid", "egid", "sgid"}) {
    TRY(expect_number(name, seen.number(fmt::format("/ids/{}", name)), 1001));
  }
  TRY(expect_number("umask", seen.number("/umask"), 23));
  // Some runtimes list the group itself too, which gives no right that gid does not give.
  std::vector<std::string> groups = seen.texts("/groups");
  std::erase(groups, "1001");
  return expect_same("the additional groups", groups, {"5", "6"});
}

Verdict no_groups(Stage &stage) {
  std::vector<std::string> groups = TRY(stage.observed()).texts("/groups");
  std::erase(groups, "0");
  return expect_same("the additional groups", groups, {});
}

Verdict no_new_privileges(Stage &stage) {
  const bool on = stage.variant() == "true";
  stage.config.set("/process/noNewPrivileges", on);
  return expect_number("no_new_privs", TRY(stage.observed()).number("/noNewPrivileges"), on ? 1 : 0);
}

Result<std::int64_t> own_score() {
  const Tree score = TRY(Tree::parse(TRY(read_file("/proc/self/oom_score_adj"))));
  return score.number("").value_or(0);
}

Verdict oom_score_set(Stage &stage) {
  // Up is always allowed.
  const std::int64_t wanted = TRY(own_score()) + 100;
  if (wanted > 1000) return skip("our own oom_score_adj is too high to go up from");
  stage.config.set("/process/oomScoreAdj", wanted);
  return expect_number("oom_score_adj", TRY(stage.observed()).number("/oomScoreAdj"), wanted);
}

Verdict oom_score_unset(Stage &stage) {
  const std::int64_t own = TRY(own_score());
  TRY(write_file("/proc/self/oom_score_adj", std::to_string(own + 50)));
  return expect_number("oom_score_adj", TRY(stage.observed()).number("/oomScoreAdj"), own + 50);
}

Verdict scheduler(Stage &stage) {
  stage.config.set("/process/scheduler", R"({"policy": "SCHED_BATCH", "nice": 5})"_json);
  const Tree seen = TRY(stage.observed());
  TRY(expect_number("the policy", seen.number("/scheduler/policy"), SCHED_BATCH));
  return expect_number("the nice value", seen.number("/scheduler/nice"), 5);
}

Verdict io_priority(Stage &stage) {
  stage.config.set("/process/ioPriority", R"({"class": "IOPRIO_CLASS_BE", "priority": 6})"_json);
  const Tree seen = TRY(stage.observed());
  TRY(expect_number("the class", seen.number("/scheduler/ioClass"), 2));
  return expect_number("the priority", seen.number("/scheduler/ioPriority"), 6);
}

Verdict descriptors(Stage &stage) {
  std::vector<std::string> numbers;
  const Tree seen = TRY(stage.observed());
  for (const Tree::Member &one : seen.find("/fds")->members()) numbers.push_back(one.value.text("/fd"));
  return expect_same("the open descriptors", numbers, {"0", "1", "2"});
}

Verdict signals(Stage &stage) {
  const Tree seen = TRY(stage.observed());
  return expect_same("the blocked signals", seen.text("/blockedSignals"), "0000000000000000");
}

constexpr Case table[] = {
    {"process/cwd-is-entered", "runtime.start.runs config.process.cwd.absolute", cwd},
    {"process/cwd-is-required", "config.process.cwd.required", bad_process, "/process/cwd"},
    {"process/cwd-must-be-absolute", "config.process.cwd.absolute config.values", bad_process,
     R"(/process/cwd="work")"},
    {"process/args-are-passed", "runtime.start.runs config.process.args.one", arguments},
    {"process/args-are-required", "config.process.args.one", bad_process, "/process/args"},
    {"process/args-must-not-be-empty", "config.process.args.one", bad_process, "/process/args=[]"},
    {"process/the-program-is-searched", "config.process.args.first", search_path},
    {"process/env-is-passed", "runtime.start.runs", environment},
    {"process/user-is-set", "runtime.start.runs", user},
    {"process/no-groups-without-additionalGids", "runtime.start.runs", no_groups},
    {"process/noNewPrivileges-on", "runtime.start.runs", no_new_privileges, "true"},
    {"process/noNewPrivileges-off", "runtime.start.runs", no_new_privileges, "false"},
    {"process/oomScoreAdj-is-set", "config.process.oomScoreAdj.set", oom_score_set},
    {"process/oomScoreAdj-is-left-alone", "config.process.oomScoreAdj.unset", oom_score_unset},
    {"process/scheduler-is-set", "runtime.start.runs", scheduler},
    {"process/scheduler-needs-a-policy", "config.process.scheduler.policy config.values", bad_process,
     R"(/process/scheduler={"nice": 1})"},
    {"process/scheduler-needs-a-known-policy", "config.process.scheduler.policy config.values", bad_process,
     R"(/process/scheduler={"policy": "SCHED_NONE"})"},
    {"process/ioPriority-is-set", "runtime.start.runs", io_priority},
    {"process/ioPriority-needs-a-class", "config.process.ioPriority.class config.values", bad_process,
     R"(/process/ioPriority={"priority": 4})"},
    {"process/ioPriority-needs-a-known-class", "config.process.ioPriority.class config.values", bad_process,
     R"(/process/ioPriority={"class": "IOPRIO_CLASS_NO", "priority": 4})"},
    {"process/has-three-descriptors", "runtime.start.runs", descriptors},
    {"process/has-no-signal-blocked", "runtime.start.runs", signals},
};

}  // namespace

std::span<const Case> process_cases() { return table; }

}  // namespace skiff::conformance
