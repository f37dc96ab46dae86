#include "compose/parallel.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "compose/answer.h"
#include "runtime/kernel/prctl.h"
#include "runtime/kernel/process.h"
#include "runtime/kernel/socket.h"

namespace skiff::compose {
namespace {

using kernel::Fd;
using Fate = Schedule::Fate;

struct Running {
  std::size_t task = 0;
  kernel::Child child;
  Fd answer;
};

[[noreturn]] void run_and_tell(const Job &job, const Fd &answer, pid_t parent) {
  (void)kernel::set_pdeathsig(SIGKILL);
  if (kernel::getppid() != parent) _exit(1);
  const Tell tell = [&](std::string_view words) { (void)kernel::send_message(answer, fmt::format("~{}", words)); };
  const Status told = kernel::send_message(answer, print_answer(job.run ? job.run() : job.run_telling(tell)));
  _exit(told ? 0 : 1);
}

class Runner {
 public:
  Runner(const std::vector<Job> &jobs, const ParallelOptions &options)
      : jobs_(jobs), options_(options), schedule_(tasks_of(jobs), options.limit), outcomes_(jobs.size()) {}

  Result<std::vector<Outcome>> run() {
    while (true) {
      for (const std::size_t task : schedule_.take()) TRY(begin(task));
      if (running_.empty()) break;
      TRY(wait());
    }
    note_skipped();
    return std::move(outcomes_);
  }

 private:
  static std::vector<Task> tasks_of(const std::vector<Job> &jobs) {
    std::vector<Task> tasks;
    for (const Job &job : jobs) tasks.push_back(job.task);
    return tasks;
  }

  void report(std::size_t task) {
    outcomes_[task].fate = schedule_.fate(task);
    if (options_.report) options_.report(task, outcomes_[task]);
  }

  Status begin(std::size_t task) {
    kernel::SocketPair pair = TRY(kernel::socketpair());
    report(task);
    const pid_t self = kernel::getpid();
    kernel::Child child = TRY(kernel::clone3({}));
    if (child.is_this_process()) run_and_tell(jobs_[task], pair.other, self);
    running_.push_back({task, std::move(child), std::move(pair.one)});
    return {};
  }

  Status wait() {
    std::vector<pollfd> events;
    for (const Running &one : running_) events.push_back({one.answer.get(), POLLIN, 0});
    TRY(kernel::poll(events, kernel::forever));
    for (std::size_t i = events.size(); i-- > 0;) {
      if (events[i].revents == 0) continue;
      std::optional<kernel::Message> message = TRY(kernel::recv_message(running_[i].answer, longest_answer, 0));
      if (message && message->bytes.starts_with('~')) {
        outcomes_[running_[i].task].answer = message->bytes.substr(1);
        report(running_[i].task);
        continue;
      }
      Running ended = std::move(running_[i]);
      running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
      TRY(end(ended, message));
    }
    return {};
  }

  Status end(Running &one, const std::optional<kernel::Message> &message) {
    const kernel::ExitStatus status = TRY(one.child.wait());
    Outcome &outcome = outcomes_[one.task];
    Result<std::string> answer = message ? read_answer(message->bytes)
                                         : fail(fmt::format("the process that was at it ended by {} {}",
                                                            status.signaled ? "signal" : "exit code", status.code));
    if (answer) {
      outcome.answer = std::move(*answer);
    } else {
      outcome.error = std::move(answer).error();
    }
    schedule_.end(one.task, !outcome.error.has_value());
    if (outcome.error && options_.stop_at_failure) schedule_.cancel();
    report(one.task);
    return {};
  }

  void note_skipped() {
    for (std::size_t i = 0; i < outcomes_.size(); ++i) {
      if (outcomes_[i].fate != Fate::pending) continue;
      outcomes_[i].fate = Fate::skipped;
      outcomes_[i].cause = schedule_.fate(i) == Fate::skipped ? schedule_.cause(i) : i;
      if (options_.report) options_.report(i, outcomes_[i]);
    }
  }

  const std::vector<Job> &jobs_;
  const ParallelOptions &options_;
  Schedule schedule_;
  std::vector<Outcome> outcomes_;
  std::vector<Running> running_;
};

}  // namespace

Result<std::vector<Outcome>> run_parallel(const std::vector<Job> &jobs, const ParallelOptions &options) {
  return Runner(jobs, options).run();
}

Status gather_failures(const std::vector<Job> &jobs, const std::vector<Outcome> &outcomes) {
  std::vector<Error> failures;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (outcomes[i].error) failures.push_back(*outcomes[i].error);
  }
  // One thing is skipped several times: its creation, its start.
  std::vector<std::string> skipped;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const std::size_t cause = outcomes[i].cause;
    if (outcomes[i].fate != Fate::skipped || cause == i || jobs[cause].task.name == jobs[i].task.name) continue;
    std::string line = fmt::format("{} was left alone: it waits for {}", jobs[i].task.name, jobs[cause].task.name);
    if (std::ranges::find(skipped, line) == skipped.end()) skipped.push_back(std::move(line));
  }
  if (failures.empty()) return {};
  if (failures.size() == 1 && skipped.empty()) return std::unexpected(std::move(failures.front()));
  std::string text;
  for (const Error &failure : failures) text += (text.empty() ? "" : "\n  ") + failure.message();
  for (const std::string &line : skipped) text += "\n  " + line;
  return fail(std::move(text));
}

}  // namespace skiff::compose
