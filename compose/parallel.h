// Runs what a Schedule lets run: each task in a process of its own, so that a thing that takes long holds up no other,
// and one that is killed is an error of that task alone.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compose/schedule.h"
#include "spec/error.h"

namespace skiff::compose {

// How far a job is, in a few words, while it goes on.
using Tell = std::function<void(std::string_view)>;

struct Job {
  Task task;
  // Called in a process of its own, forked when its turn has come: it sees what earlier ones have told. Its answer,
  // 64 KiB at most, becomes the Outcome's.
  std::function<Result<std::string>()> run = {};
  // In its place, for one that tells how far it is.
  std::function<Result<std::string>(const Tell &tell)> run_telling = {};
};

struct Outcome {
  Schedule::Fate fate = Schedule::Fate::pending;
  std::string answer;          // of one that is done; of one that runs, what it told last
  std::optional<Error> error;  // of one that failed
  std::size_t cause = 0;       // of one that was skipped: the task that failed
};

struct ParallelOptions {
  std::size_t limit = 8;
  // Told in this process of every task that begins, tells something and ends, with its outcome so far.
  std::function<void(std::size_t task, const Outcome &outcome)> report = {};
  bool stop_at_failure = false;  // nothing is begun after the first one
};

// One outcome for each job. An Error only where processes cannot be made; those that run are killed by then.
[[nodiscard]] Result<std::vector<Outcome>> run_parallel(const std::vector<Job> &jobs, const ParallelOptions &options);

// All failures of the outcomes as one error, and none where all is done; the tasks that were skipped are named with
// what they waited for.
[[nodiscard]] Status gather_failures(const std::vector<Job> &jobs, const std::vector<Outcome> &outcomes);

}  // namespace skiff::compose
