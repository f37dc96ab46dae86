#include <fmt/format.h>

#include "runtime/cmd/command.h"
#include "runtime/container.h"
#include "runtime/gate.h"
#include "runtime/hooks.h"
#include "runtime/host_probe.h"
#include "runtime/notify.h"
#include "runtime/signal.h"

namespace skiff {
namespace {

Status check_created(const Container &container, spec::ContainerStatus status) {
  if (status == spec::ContainerStatus::created) return {};
  if (status == spec::ContainerStatus::stopped) {
    return fail("cannot start a container that has stopped",
                fmt::format("`skiff delete {}` it and create it again", container.record.id));
  }
  if (status == spec::ContainerStatus::paused) {
    return fail("cannot start a container in the paused state",
                fmt::format("`skiff resume {}` it first", container.record.id));
  }
  return fail(fmt::format("cannot start a container in the {} state", spec::status_name(status)),
              "only a created container can be started, once");
}

Result<int> run(const Context &context) {
  Container container = TRY(Container::load(context.root, context.id()));
  TRY(container.lock());
  const kernel::Procfs proc = TRY(kernel::Procfs::open_host());
  // Init could not answer in a frozen cgroup.
  TRY(check_created(container, TRY(container.status(proc))));
  const NotifySocket notify = TRY(NotifySocket::open(container.directory(), read_notify_socket()));
  const kernel::Fd init = notify.valid() ? TRY(container.open_init(proc)) : kernel::Fd{};
  TRY(open_gate(container.directory()));
  const spec::Hooks hooks =
      container.record.has_late_hooks ? spec::parse_config(TRY(container.read_config())).config.hooks : spec::Hooks{};
  const std::string state = spec::print_hook_state(container.state(spec::ContainerStatus::running));
  const HookFiles files = hooks.poststart.empty() ? HookFiles{} : TRY(open_hook_files(container.record.annotations));
  if (Status done = run_hooks(RunHooks::Kind::poststart, hooks.poststart, state, files); !done) {
    // runtime.md, "Lifecycle", step 9: the container is stopped. Its caller deletes it, as after any failed start.
    TRY(kill_init(container));
    return std::unexpected(std::move(done).error());
  }
  if (notify.valid()) {
    TRY(container.unlock());  // a program that never gets ready can be killed
    TRY(notify.pass_on_until_ready(init, container.record.pid));
  }
  return 0;
}

}  // namespace

const CommandEntry start_command = {.command = {.name = "start",
                                                .usage = "CONTAINER",
                                                .summary = "run the program of a created container",
                                                .min_positionals = 1,
                                                .max_positionals = 1},
                                    .run = run};

}  // namespace skiff
