#include <fmt/format.h>

#include "runtime/cgroup.h"
#include "runtime/cmd/command.h"
#include "runtime/container.h"
#include "runtime/output.h"
#include "runtime/process_table.h"

namespace skiff {
namespace {

constexpr std::array<cli::FlagSpec, 1> flags = {{
    {.name = "format",
     .letter = 'f',
     .value = "FORMAT",
     .text = "how to print them",
     .choices = "table|json",
     .initial = "table"},
}};

Result<std::vector<pid_t>> find_processes(const Container &container) {
  const Cgroup cgroup = TRY(Cgroup::open(container.record.cgroup_paths));
  if (!container.record.cgroup_paths.empty()) return cgroup.processes();
  const kernel::Procfs proc = TRY(kernel::Procfs::open_host());
  if (TRY(container.process_status(proc)) == spec::ContainerStatus::stopped) return std::vector<pid_t>();
  return processes_beside(proc, container.record.pid);
}

Result<int> run(const Context &context) {
  const Container container = TRY(Container::load(context.root, context.id()));
  const std::vector<pid_t> pids = TRY(find_processes(container));
  if (context.flag("format") == "json") return print(fmt::format("[{}]\n", fmt::join(pids, ",")));
  const auto &words = context.invocation.positionals;
  return print(TRY(process_table({words.begin() + 1, words.end()}, pids)));
}

}  // namespace

const CommandEntry ps_command = {.command = {.name = "ps",
                                             .usage = "CONTAINER [PS-OPTION...]",
                                             .summary = "list the processes of a container",
                                             .description = "The options after the container are those of ps(1); -ef "
                                                            "where there are none.",
                                             .flags = flags,
                                             .min_positionals = 1,
                                             .max_positionals = cli::kUnlimited,
                                             .stop_at_first_positional = true},
                                 .run = run};

}  // namespace skiff
