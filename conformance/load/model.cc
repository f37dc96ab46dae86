#include "conformance/load/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <random>

#include "conformance/leavings.h"

namespace skiff::conformance {
namespace {

// `held` is a created container that is paused.
enum class Condition : std::uint8_t { none, created, held, running, paused, stopped };

constexpr std::array<std::string_view, 6> names = {"missing", "created", "held", "running", "paused", "stopped"};
// What `state` calls them; runc knows a paused container, others a created one, where it is both.
constexpr std::array<std::string_view, 6> statuses = {"", "created", "paused", "running", "paused", "stopped"};

enum class Step : std::uint8_t { create, start, term, kill, pause, resume, exec, remove, force, update };
constexpr std::size_t step_count = 10;

constexpr int exec_code = 7;
constexpr int any_failure = -1;

struct Prediction {
  Condition next;
  int code;
  std::string_view words = {};  // one of them, with | between them, is in the message of an error
};

constexpr std::string_view missing = "does not exist|No such file";

Prediction refused(Condition now, std::string_view words) { return {now, any_failure, words}; }

// TERM is what a program handles, so only one that runs is sent it.
bool may_follow(Step step, Condition now, bool limited) {
  using enum Condition;
  if (step == Step::update && !limited) return false;
  if (step == Step::term) return now == running || now == none || now == stopped;
  return step != Step::update || now != stopped;  // of a stopped container runtimes differ
}

Prediction predict_start(Condition now) {
  using enum Condition;
  if (now == created) return {running, 0};
  return refused(now, now == none ? missing : "cannot start");
}

Prediction predict_kill(Condition now) {
  using enum Condition;
  if (now == none) return refused(now, missing);
  if (now == stopped) return refused(now, "not running|stopped");
  return {stopped, 0};
}

Prediction predict_pause(Condition now, bool on) {
  using enum Condition;
  if (now == none) return refused(now, missing);
  if (on && now == running) return {paused, 0};
  if (on && now == created) return {held, 0};
  if (!on && now == paused) return {running, 0};
  if (!on && now == held) return {created, 0};
  return refused(now, "not running|not paused|right state|stopped|paused");
}

Prediction predict_exec(Condition now) {
  using enum Condition;
  if (now == none) return refused(now, missing);
  if (now == stopped) return refused(now, "stopped|not running");
  if (now == paused || now == held) return refused(now, "paused");
  return {now, exec_code};
}

Prediction predict(Step step, Condition now) {
  using enum Condition;
  switch (step) {
    case Step::create:
      return now == none ? Prediction{created, 0} : refused(now, "exist");
    case Step::start:
      return predict_start(now);
    case Step::term:
    case Step::kill:
      return predict_kill(now);
    case Step::pause:
      return predict_pause(now, true);
    case Step::resume:
      return predict_pause(now, false);
    case Step::exec:
      return predict_exec(now);
    case Step::remove:
      if (now == stopped) return {none, 0};
      return refused(now, now == none ? missing : "not stopped|still running");
    case Step::force:
      return {none, 0};
    case Step::update:
      return now == none ? refused(now, missing) : Prediction{now, 0};
  }
  return {now, 0};
}

std::vector<std::string> words_of(Step step, const std::string &id) {
  switch (step) {
    case Step::create:
      return {"create"};
    case Step::start:
      return {"start", id};
    case Step::term:
      return {"kill", id, "TERM"};
    case Step::kill:
      return {"kill", id, "KILL"};
    case Step::pause:
      return {"pause", id};
    case Step::resume:
      return {"resume", id};
    case Step::exec:
      return {"exec", id, "/inside", "exit", std::to_string(exec_code)};
    case Step::remove:
      return {"delete", id};
    case Step::force:
      return {"delete", "--force", id};
    case Step::update:
      return {"update", "--pids-limit", "99", id};
  }
  return {};
}

bool has_one(std::string_view text, std::string_view words) {
  while (!words.empty()) {
    const std::string_view word = words.substr(0, words.find('|'));
    if (text.find(word) != std::string_view::npos) return true;
    words.remove_prefix(std::min(word.size() + 1, words.size()));
  }
  return false;
}

struct Subject {
  std::string id;
  Condition now = Condition::none;
};

// What the command has begun comes to its end before the next one.
Status settle(Yard &yard, const Subject &subject, Step step, Condition before) {
  if (step == Step::start && before == Condition::created) return yard.wait_for_line(subject.id);
  const bool ends = step == Step::kill || step == Step::term || step == Step::force;
  const bool lived = before != Condition::none && before != Condition::stopped;
  return ends && lived ? yard.wait_for_end(subject.id) : Status{};
}

Status take_step(Yard &yard, Subject &subject, Step step, Walk &walk) {
  const Condition before = subject.now;
  const Prediction expected = predict(step, before);
  const std::vector<std::string> words = words_of(step, subject.id);
  const Outcome outcome = step == Step::create ? TRY(yard.create(subject.id, {"wait"})) : TRY(yard.call(words));
  ++walk.commands;
  const std::string what = fmt::format("{} of a {} container", words.front(), names[static_cast<std::size_t>(before)]);
  const bool told = has_one(outcome.err, expected.words);
  const bool answered = expected.code == any_failure ? outcome.code != 0 && told : outcome.code == expected.code;
  if (!answered) {
    const std::string wanted = expected.code == any_failure ? fmt::format("an error with \"{}\"", expected.words)
                                                            : fmt::format("exit status {}", expected.code);
    walk.wrong.push_back(fmt::format("{}: expected {}, saw {}", what, wanted, outcome.summary()));
  }
  subject.now = expected.next;
  if (answered) TRY(in(what, settle(yard, subject, step, before)));
  const std::string status = TRY(in("state after " + what, yard.status(subject.id)));
  const std::string_view wanted = statuses[static_cast<std::size_t>(subject.now)];
  if (status == wanted || (subject.now == Condition::held && status == "created")) return {};
  walk.wrong.push_back(fmt::format("{}: expected the status \"{}\", saw \"{}\"", what, wanted, status));
  // From something known on.
  TRY(in(what, yard.succeed({"delete", "--force", subject.id})));
  if (yard.pid(subject.id) != 0) TRY(yard.wait_for_end(subject.id));
  subject.now = Condition::none;
  return {};
}

}  // namespace

Result<Walk> walk_at_random(Yard &yard, const std::string &name, std::uint64_t seed, Clock::time_point end) {
  constexpr std::size_t subjects = 3;
  std::mt19937_64 random(seed);
  std::vector<Subject> all;
  for (std::size_t i = 0; i < subjects; ++i) all.push_back({fmt::format("{}-{}", name, i)});
  Walk walk;
  const bool limited = !find_hierarchy("pids").empty();
  while (Clock::now() < end) {
    Subject &subject = all[random() % subjects];
    const auto step = static_cast<Step>(random() % step_count);
    if (may_follow(step, subject.now, limited)) TRY(take_step(yard, subject, step, walk));
  }
  for (Subject &subject : all) TRY(take_step(yard, subject, Step::force, walk));
  return walk;
}

}  // namespace skiff::conformance
