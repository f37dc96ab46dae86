#include "runtime/events.h"

#include <fmt/format.h>

#include <chrono>

#include "runtime/cmd/command.h"
#include "runtime/container.h"

namespace skiff {
namespace {

using std::chrono::milliseconds;

constexpr std::array<cli::FlagSpec, 2> flags = {{
    {.name = "interval",
     .kind = cli::Kind::Duration,
     .value = "TIME",
     .text = "time between two lines of statistics",
     .initial = "5s"},
    {.name = "stats", .kind = cli::Kind::Bool, .text = "print the statistics once and end"},
}};

Result<int> run(const Context &context) {
  const Container container = TRY(Container::load(context.root, context.id()));
  const kernel::Procfs proc = TRY(kernel::Procfs::open_host());
  if (TRY(container.process_status(proc)) == spec::ContainerStatus::stopped) {
    return fail(fmt::format("container with id {} is not running", container.record.id));
  }
  const Cgroup cgroup = TRY(Cgroup::open(container.record.cgroup_paths));
  if (context.flags().boolean("stats")) {
    TRY(print_statistics(container.record.id, cgroup));
  } else {
    const auto interval = std::chrono::duration_cast<milliseconds>(*context.flags().duration("interval"));
    if (interval.count() <= 0)
      return fail("--interval: it must be longer than 0", "for one line only there is --stats");
    TRY(follow_events(container.record.id, cgroup, TRY(container.open_init(proc)), interval));
  }
  return 0;
}

}  // namespace

const CommandEntry events_command = {
    .command = {.name = "events",
                .usage = "CONTAINER",
                .summary = "print statistics and out-of-memory events as lines of JSON",
                .flags = flags,
                .min_positionals = 1,
                .max_positionals = 1},
    .run = run};

}  // namespace skiff
