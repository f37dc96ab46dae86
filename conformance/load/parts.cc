#include "conformance/load/parts.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>

#include "conformance/leavings.h"
#include "conformance/load/model.h"
#include "conformance/worker.h"
#include "runtime/kernel/path.h"

namespace skiff::conformance {
namespace {

// What a worker does with its yard: its share of `count`, and what went wrong.
using Work = std::function<Status(Yard &yard, unsigned worker, const kernel::Fd &pipe)>;

void complain(const kernel::Fd &pipe, const std::string &text) {
  Tree value;
  value.set("/failure", text);
  (void)say(pipe, value);
}

void count(const kernel::Fd &pipe, std::uint64_t done) {
  Tree value;
  value.set("/count", done);
  (void)say(pipe, value);
}

// All workers to their ends. Afterwards nothing may be there that was not before.
Result<Load> run_workers(const LoadRequest &request, std::string name, const Work &work) {
  Load load{.name = std::move(name), .count = 0, .time = {}, .failures = {}, .leaks = {}};
  const Clock::time_point began = Clock::now();
  std::vector<Worker> workers;
  for (unsigned i = 0; i < request.jobs; ++i) {
    workers.push_back(TRY(Worker::start([&](const kernel::Fd &pipe) -> Status {
      YardPlace place = request.place;
      place.name = fmt::format("{}-{}", load.name, i);
      Yard yard = TRY(Yard::make(place));
      if (const Status done = work(yard, i, pipe); !done) complain(pipe, done.error().message());
      for (const std::string &left : own_children()) complain(pipe, "a process is left: " + left);
      return {};
    })));
  }
  TRY(hear_all(workers, [&](const Tree &value) {
    if (value.find("/failure") != nullptr) load.failures.push_back(value.text("/failure"));
    load.count += static_cast<std::uint64_t>(value.number("/count").value_or(0));
  }));
  load.time = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began);
  load.leaks = find_leavings(request.place.directory, request.place.cgroup);
  return load;
}

// How much of `whole` this worker does.
std::uint32_t share(std::uint32_t whole, unsigned jobs, unsigned worker) {
  return whole / jobs + (worker < whole % jobs ? 1 : 0);
}

Status run_cycle(Yard &yard, const std::string &id) {
  TRY(yard.created(id, {"exit", "0"}));
  TRY(yard.succeed({"start", id}));
  TRY(yard.wait_for_end(id));
  return yard.removed(id);
}

Status end_container(Yard &yard, const std::string &id) {
  TRY(yard.succeed({"kill", id, "KILL"}));
  TRY(yard.wait_for_end(id));
  return yard.removed(id);
}

// What a process holds on to: of an idle one it stays the same whatever is executed beside it.
struct Holdings {
  std::size_t descriptors = 0;
  std::size_t mounts = 0;
  std::size_t processes = 0;

  bool operator==(const Holdings &) const = default;
};

std::size_t lines_of(const std::string &path) {
  const std::string text = read_file(path).value_or("");
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

Holdings holdings_of(int pid, const std::string &cgroup) {
  Holdings holdings;
  const Result<kernel::Fd> fds = kernel::open(fmt::format("/proc/{}/fd", pid), O_RDONLY | O_DIRECTORY);
  if (fds) holdings.descriptors = kernel::list_directory(*fds).value_or(std::vector<std::string>()).size();
  holdings.mounts = lines_of(fmt::format("/proc/{}/mountinfo", pid));
  for (const std::string &directory : find_cgroups(cgroup)) {
    holdings.processes = std::max(holdings.processes, lines_of(directory + "/cgroup.procs"));
  }
  return holdings;
}

}  // namespace

double Load::rate() const {
  const double seconds = std::chrono::duration<double>(time).count();
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

Result<Load> run_cycles(const LoadRequest &request) {
  return run_workers(request, "cycles", [&](Yard &yard, unsigned worker, const kernel::Fd &pipe) -> Status {
    const std::uint32_t times = share(request.cycles, request.jobs, worker);
    std::uint64_t done = 0;
    for (std::uint32_t i = 0; i < times; ++i) {
      const Status cycle = run_cycle(yard, fmt::format("cycle-{}-{}", worker, i));
      if (!cycle) complain(pipe, cycle.error().message());
      if (cycle) ++done;
    }
    count(pipe, done);
    return {};
  });
}

Result<Load> run_crowd(const LoadRequest &request) {
  // All workers have their part of the crowd alive while one looks at the whole: who is done with its part waits for
  // a byte.
  kernel::Pipe all_here = TRY(kernel::pipe2());
  kernel::Pipe looked_at = TRY(kernel::pipe2());
  const auto look = [&](Yard &yard) -> Status {
    const Outcome outcome = TRY(yard.call({"list", "--format", "json"}));
    const Tree list = TRY(in("list's output", Tree::parse(outcome.out)));
    const auto running = std::ranges::count_if(
        list.members(), [](const Tree::Member &member) { return member.value.text("/status") == "running"; });
    if (static_cast<std::uint32_t>(running) == request.crowd) return {};
    return fail(fmt::format("list: expected {} running containers, saw {}", request.crowd, running));
  };
  const auto meet = [&](Yard &yard, unsigned worker) -> Status {
    std::array<char, 1> byte{};
    TRY(kernel::write_all(all_here.write, "h"));
    if (worker != 0) {
      (void)TRY(kernel::read_some(looked_at.read, byte));
      return {};
    }
    for (unsigned i = 0; i < request.jobs; ++i) (void)TRY(kernel::read_some(all_here.read, byte));
    const Status looked = look(yard);
    TRY(kernel::write_all(looked_at.write, std::string(request.jobs, 'l')));
    return looked;
  };
  const auto work = [&](Yard &yard, unsigned worker, const kernel::Fd &pipe) -> Status {
    std::vector<std::string> ids;
    for (std::uint32_t i = 0; i < share(request.crowd, request.jobs, worker); ++i) {
      std::string id = fmt::format("crowd-{}-{}", worker, i);
      Status up = yard.created(id, {"wait"});
      if (up) up = yard.succeed({"start", id});
      if (!up) complain(pipe, up.error().message());
      if (up) ids.push_back(std::move(id));
    }
    if (const Status met = meet(yard, worker); !met) complain(pipe, met.error().message());
    std::uint64_t done = 0;
    for (const std::string &id : ids) {
      const Status ended = end_container(yard, id);
      if (!ended) complain(pipe, ended.error().message());
      if (ended) ++done;
    }
    count(pipe, done);
    return {};
  };
  return run_workers(request, "crowd",
                     [&](Yard &yard, unsigned worker, const kernel::Fd &pipe) { return work(yard, worker, pipe); });
}

Result<Load> run_execs(const LoadRequest &request) {
  // The container belongs to a worker of its own, which outlives the others: so here it is this process.
  YardPlace place = request.place;
  place.name = "target";
  Yard target = TRY(Yard::make(place));
  TRY(target.created("target", {"wait"}));
  TRY(target.succeed({"start", "target"}));
  TRY(target.wait_for_line("target"));
  const std::string cgroup = request.place.cgroup + "/target";
  const Holdings before = holdings_of(target.pid("target"), cgroup);
  Load load = TRY(run_workers(request, "execs", [&](Yard &yard, unsigned worker, const kernel::Fd &pipe) -> Status {
    std::uint64_t done = 0;
    for (std::uint32_t i = 0; i < share(request.execs, request.jobs, worker); ++i) {
      const std::uint32_t code = i % 100;
      const Outcome outcome = TRY(yard.call({"exec", "target", "/inside", "exit", std::to_string(code)}));
      if (outcome.code == static_cast<int>(code)) ++done;
      if (outcome.code != static_cast<int>(code)) {
        complain(pipe, fmt::format("exec: expected exit status {}, saw {}", code, outcome.summary()));
      }
    }
    count(pipe, done);
    return {};
  }));
  const Holdings after = holdings_of(target.pid("target"), cgroup);
  TRY(end_container(target, "target"));
  load.leaks = find_leavings(request.place.directory, request.place.cgroup);
  if (after != before) {
    load.leaks.push_back(fmt::format(
        "the container has {} descriptors, {} mounts, {} processes; before it had {}, {}, {}", after.descriptors,
        after.mounts, after.processes, before.descriptors, before.mounts, before.processes));
  }
  return load;
}

Result<Load> run_random(const LoadRequest &request) {
  const Clock::time_point end = Clock::now() + request.time;
  return run_workers(request, "random", [&](Yard &yard, unsigned worker, const kernel::Fd &pipe) -> Status {
    const Walk walk = TRY(walk_at_random(yard, fmt::format("random-{}", worker), request.seed + worker, end));
    for (const std::string &wrong : walk.wrong) complain(pipe, wrong);
    count(pipe, walk.commands);
    return {};
  });
}

}  // namespace skiff::conformance
