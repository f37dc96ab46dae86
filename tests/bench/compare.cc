// Whole commands of skiff against the floor and the other runtimes of this host, in turn, so that a drift of the
// machine hits all alike. Needs root.
#include <fmt/format.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <random>

#include "tests/bench/cases.h"
#include "tests/bench/contestants.h"
#include "tests/bench/report.h"

namespace skiff::bench {
namespace {

volatile sig_atomic_t interrupted = 0;
void interrupt(int /*signal*/) { interrupted = 1; }

double to_milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

// One untimed round warms up and shows who can do it at all. Then each round has an order of its own: in a fixed one,
// turned or not, everybody would always come after the same other, and what that one leaves to the kernel to clean up.
void measure_case(const Wish &wish, const Stage &stage, std::vector<Measured> &all, const Case &which, int resident) {
  std::vector<Steps> steps;
  steps.reserve(all.size());
  for (const Measured &one : all) steps.push_back(make_steps(which, stage, one.contestant, resident));
  std::vector<std::size_t> order(all.size());
  std::iota(order.begin(), order.end(), 0);
  std::minstd_rand random;  // seeded with 1: every run has the same orders
  for (int round = -1; round < wish.rounds && interrupted == 0; ++round) {
    for (const std::size_t i : order) {
      if (!all[i].failure.empty()) continue;
      const Result<Cost> cost = run_steps(steps[i], stage.streams());
      if (!cost) all[i].failure = cost.error().message();
      if (!cost || round < 0) continue;
      all[i].wall.push_back(to_milliseconds(cost->wall));
      all[i].cpu.push_back(to_milliseconds(cost->cpu));
    }
    std::ranges::shuffle(order, random);
  }
}

// After the rounds: a traced command is slow.
void trace_case(const Stage &stage, std::vector<Measured> &all, const Case &which, int resident) {
  for (Measured &one : all) {
    if (!one.failure.empty() || interrupted != 0) continue;
    const Result<Traced> traced =
        trace_steps(make_steps(which, stage, one.contestant, resident), stage.streams(), stage.busybox());
    if (traced) one.traced = *traced;
    if (!traced) fmt::print(stderr, "{} {}: {}\n", which.name, one.contestant.name, traced.error().message());
  }
}

std::vector<Measured> measure_cases(const Wish &wish, const Stage &stage, const std::vector<Contestant> &contestants) {
  const int resident = pid_of_resident(stage, contestants);
  std::vector<Measured> all;
  for (const Case &which : all_cases()) {
    if (!wish.has_case(which.name)) continue;
    std::vector<Measured> measured;
    for (const Contestant &contestant : contestants) {
      if (!contestant.options.empty() && !which.is_container) continue;  // the same as the floor without
      measured.push_back({.case_name = which.name,
                          .floor = which.floor,
                          .contestant = contestant,
                          .wall = {},
                          .cpu = {},
                          .traced = {},
                          .failure = {}});
    }
    measure_case(wish, stage, measured, which, resident);
    if (!wish.untraced) trace_case(stage, measured, which, resident);
    std::ranges::move(measured, std::back_inserter(all));
  }
  return all;
}

void print_tables(const Wish &wish, const Report &report) {
  fmt::print("{}.", report.machine);
  for (const Contestant &contestant : report.contestants) {
    if (!contestant.is_floor) fmt::print(" {}.", contestant.version);
  }
  if (report.cases.empty()) {
    fmt::print("\n");
  } else {
    fmt::print(" Median and p95 of {} rounds.\n\n{}", wish.rounds, print_table(report.cases));
  }
  if (wish.calls) fmt::print("\n{}", print_calls(report.cases));
  if (!report.crowds.empty()) fmt::print("\n{}", print_crowds(report.crowds, {}));
  if (!report.limits.empty()) fmt::print("\n{}", print_limits(report.limits));
}

// Whether all that was asked of skiff could be measured.
bool is_whole(const Report &report) {
  const auto is_well = [](const auto &one) { return one.contestant.name != "skiff" || one.failure.empty(); };
  return std::ranges::all_of(report.cases, is_well) && std::ranges::all_of(report.crowds, is_well) &&
         std::ranges::all_of(report.limits, is_well);
}

void prepare_process() {
  struct sigaction action{};
  action.sa_handler = interrupt;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  // Containers outlive the command that made them: they become our children, for us to reap.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  // Wakes up before whoever else keeps the processors busy, as all that is measured does then.
  (void)::setpriority(PRIO_PROCESS, 0, -20);
}

Result<int> compare(int argc, char **argv) {
  const Wish wish = TRY(parse_words(argc, argv));
  prepare_process();
  Stage stage = TRY(Stage::make(wish.host_cgroups));
  Report report;
  report.contestants = TRY(admit(stage, find_contestants(wish)));
  report.machine = describe_machine(wish.host_cgroups);
  report.cases = measure_cases(wish, stage, report.contestants);
  if (wish.crowds) report.crowds = measure_crowds(stage, report.contestants, {}, interrupted);
  if (wish.limits) report.limits = measure_limits(stage, report.contestants, interrupted);
  if (interrupted != 0) return fail("interrupted");
  if (wish.json) {
    fmt::print("{}", print_json(report));
  } else {
    print_tables(wish, report);
  }
  return is_whole(report) ? 0 : 1;
}

}  // namespace
}  // namespace skiff::bench

int main(int argc, char **argv) {
  const skiff::Result<int> code = skiff::bench::compare(argc, argv);
  if (code) return *code;
  fmt::print(stderr, "compare: {}\n", code.error().message());
  return 1;
}
