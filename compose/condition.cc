#include "compose/condition.h"

#include <fmt/format.h>

#include <array>

#include "compose/at_rest.h"
#include "compose/health.h"
#include "compose/log_reader.h"
#include "runtime/kernel/inotify.h"

namespace skiff::compose {
namespace {

using Phase = ContainerState::Phase;

constexpr std::uint64_t last_words = 5;
// What happens without a word on disk, such as a SIGKILL of the container and its monitor, is found out by looking.
constexpr std::chrono::milliseconds longest_nap{500};
// Between two looks at a program that starts; one that computes for so long without a pause does what it is there for.
constexpr std::chrono::milliseconds between_looks{10};
constexpr std::chrono::seconds longest_start{1};

// The files of state: one that is missing now may come.
Result<kernel::Fd> watch_state(const Places &places, const std::string &id) {
  kernel::Fd watch = TRY(kernel::inotify_init1());
  for (const std::string &folder : {places.directory(id), places.sockets(id)}) {
    (void)kernel::inotify_add_watch(watch, folder, IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE_SELF);
  }
  return watch;
}

std::string last_lines(const Places &places, const std::string &id) {
  Result<LogReader> reader = LogReader::open(places.directory(id) + "/log", last_words);
  std::string text;
  while (reader) {
    const Result<std::optional<LogEntry>> entry = reader->next();
    if (!entry || !*entry) break;
    text += "\n    | " + (*entry)->text.substr(0, (*entry)->text.find('\n'));
  }
  return text;
}

Status ended(const Places &places, const Container &container, bool checked) {
  const int code = container.state.run.exit_code;
  return fail(
      fmt::format("container {} exited ({}){}{}", container.record.name, code, checked ? " before it was healthy" : "",
                  last_lines(places, container.id())),
      code == 0 ? "for a job that is to end, let a service depend on it with service_completed_successfully" : "");
}

Status unhealthy(const Places &places, const Container &container) {
  const Result<HealthReport> report = load_health(places, container.id());
  std::string said;
  if (report && !report->log.empty()) {
    const HealthResult &last = report->log.back();
    said = fmt::format(": its check ended with {}{}{}", last.exit_code, last.output.empty() ? "" : ": ",
                       last.output.substr(0, last.output.find('\n')));
  }
  return fail(fmt::format("container {} is unhealthy{}", container.record.name, said));
}

// True: it is so. False: not yet.
Result<bool> is_met(const Places &places, const Container &container, Wanted wanted) {
  const ContainerState &state = container.state;
  const bool over = state.phase == Phase::exited || state.phase == Phase::created;
  if (wanted == Wanted::completed) {
    if (!over) return false;
    if (state.run.started.empty() && state.run.finished.empty()) {
      return fail(fmt::format("container {} was not started", container.record.name));
    }
    if (state.run.exit_code == 0) return true;
    return fail(fmt::format("container {} did not complete: it exited ({}){}", container.record.name,
                            state.run.exit_code, last_lines(places, container.id())));
  }
  const bool checked = has_health_check(container.record);
  if (wanted == Wanted::healthy && !checked) {
    return fail(fmt::format("container {} has no health check", container.record.name),
                "give its service a healthcheck, or depend on service_started");
  }
  if (over || state.phase == Phase::restarting) {
    TRY(ended(places, container, checked));
  }
  if (state.phase != Phase::running) return false;
  if (state.health == "unhealthy") TRY(unhealthy(places, container));
  return !checked || state.health == "healthy";
}

}  // namespace

Status wait_until(const Engine &engine, const std::string &id, Wanted wanted, std::optional<Moment> until) {
  const Moment start_is_over = std::chrono::steady_clock::now() + longest_start;
  RestWatch rest;
  while (true) {
    const kernel::Fd watch = TRY(watch_state(engine.places, id));
    const Container container = TRY(load_container(engine.places, id));
    std::chrono::milliseconds nap = longest_nap;
    if (TRY(is_met(engine.places, container, wanted))) {
      const bool may_still_fail = wanted == Wanted::running && !has_health_check(container.record);
      if (!may_still_fail || rest.look(container.state.run.pid)) return {};
      if (std::chrono::steady_clock::now() >= start_is_over) return {};
      nap = between_looks;
    }
    if (until) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*until - std::chrono::steady_clock::now());
      if (left.count() <= 0) {
        return fail(ETIMEDOUT,
                    fmt::format("container {} is {}{}{}", container.record.name, phase_name(container.state.phase),
                                container.state.health.empty() ? "" : ", ", container.state.health));
      }
      nap = std::min(nap, left);
    }
    TRY(kernel::wait_readable(watch, nap));
  }
}

Status check_runs(const Engine &engine, const Container &container) {
  TRY(is_met(engine.places, container, Wanted::running));
  return {};
}

}  // namespace skiff::compose
