#include <fmt/format.h>

#include "compose/cmd/command.h"
#include "compose/cmd/format_flag.h"
#include "compose/container_filter.h"
#include "compose/engine.h"
#include "compose/lifecycle.h"
#include "compose/output.h"
#include "runtime/kernel/path.h"
#include "spec/writer.h"

namespace skiff::compose {
namespace {

constexpr auto prune_flags = std::to_array<cli::FlagSpec>({
    {.name = "force", .letter = 'f', .kind = cli::Kind::Bool, .text = "accepted for docker's callers", .hidden = true},
    {.name = "filter", .kind = cli::Kind::Strings, .value = "KEY=VALUE", .text = "only those, as ps has them"},
    {.name = "volumes", .kind = cli::Kind::Bool, .text = "their anonymous volumes as well"},
});

Result<int> prune(const Context &context) {
  const ContainerFilter filter = TRY(ContainerFilter::parse(context.flags().strings("filter")));
  const Engine engine = TRY(open_engine(context.global(), context.log));
  const std::vector<Container> all = TRY(list_containers(engine.places));
  for (const Container &container : all) {
    if (container.state.is_running() || !filter.takes(container, all)) continue;
    TRY(remove_container(engine, container.id(), {.force = false, .volumes = context.flags().boolean("volumes")}));
    TRY(print(container.id() + "\n"));
  }
  return 0;
}

constexpr auto version_flags = std::to_array<cli::FlagSpec>({
    format_flag("pretty|json", 'f'),
    {.name = "short", .kind = cli::Kind::Bool, .text = "the number alone"},
});

struct Version {
  std::string version;
};

void fields(spec::Writer &v, const Version &one) { v.always("version", one.version); }

Result<int> version(const Context &context) {
  if (context.flag("format") == "json") {
    return print(spec::Writer("").document(Version{std::string(context.program.version)}) + "\n");
  }
  if (context.flags().boolean("short")) return print(fmt::format("{}\n", context.program.version));
  return print(fmt::format("{} version {}\n", context.program.name, context.program.version));
}

constexpr auto info_flags = std::to_array<cli::FlagSpec>({
    format_flag("text|json", 'f'),
});

struct Info {
  std::size_t containers = 0, running = 0, paused = 0;
  std::string state, run, runtime, image_program, version;
  int cgroup_version = 0;

  [[nodiscard]] std::size_t stopped() const { return containers - running - paused; }
};

// docker's names, where it has one.
void fields(spec::Writer &v, const Info &info) {
  v.always("Containers", info.containers);
  v.always("ContainersRunning", info.running);
  v.always("ContainersPaused", info.paused);
  v.always("ContainersStopped", info.stopped());
  v.always("State", info.state);
  v.always("Run", info.run);
  v.always("Runtime", info.runtime);
  v.always("ImageProgram", info.image_program);
  v.always("CgroupVersion", std::to_string(info.cgroup_version));
  v.always("ServerVersion", info.version);
}

Result<int> info(const Context &context) {
  const Engine engine = TRY(open_engine(context.global(), context.log));
  Info info;
  const std::vector<Container> all = TRY(list_containers(engine.places));
  info.containers = all.size();
  for (const Container &container : all) {
    info.running += container.state.phase == ContainerState::Phase::running ? 1 : 0;
    info.paused += container.state.phase == ContainerState::Phase::paused ? 1 : 0;
  }
  const bool unified = kernel::faccessat(kernel::cwd, "/sys/fs/cgroup/cgroup.controllers", F_OK).has_value();
  info.cgroup_version = unified ? 2 : 1;
  info.state = engine.places.data;
  info.run = engine.places.run;
  info.runtime = engine.runtime.front();
  info.image_program = engine.image.front();
  info.version = context.program.version;
  if (context.flag("format") == "json") return print(spec::Writer("  ").document(info) + "\n");
  return print(
      fmt::format("Containers: {}\n Running: {}\n Paused: {}\n Stopped: {}\nState: {}\nRun: {}\n"
                  "Runtime: {}\nImage program: {}\nCgroup version: {}\nVersion: {}\n",
                  info.containers, info.running, info.paused, info.stopped(), info.state, info.run, info.runtime,
                  info.image_program, info.cgroup_version, info.version));
}

}  // namespace

const CommandEntry prune_command = {
    .command = {.name = "prune", .summary = "remove all containers that do not run", .flags = prune_flags},
    .run = prune};
const CommandEntry version_command = {
    .command = {.name = "version", .summary = "print the version", .flags = version_flags},
    .run = version,
    .dry_run = DryRun::reads};
const CommandEntry info_command = {
    .command = {.name = "info", .summary = "what is here, and where it is kept", .flags = info_flags},
    .run = info,
    .dry_run = DryRun::reads};

}  // namespace skiff::compose
