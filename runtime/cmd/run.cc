#include <fmt/format.h>

#include <optional>

#include "runtime/cmd/command.h"
#include "runtime/cmd/create_flags.h"
#include "runtime/create.h"
#include "runtime/foreground.h"
#include "runtime/hooks.h"
#include "runtime/host_probe.h"
#include "runtime/terminal.h"

namespace skiff {
namespace {

constexpr auto flags = [] {
  std::array<cli::FlagSpec, create_flags.size() + 2> all{};
  std::ranges::copy(create_flags, all.begin());
  all[create_flags.size()] = {
      .name = "detach", .letter = 'd', .kind = cli::Kind::Bool, .text = "return as soon as the program runs"};
  all[create_flags.size() + 1] = {
      .name = "keep", .kind = cli::Kind::Bool, .text = "do not delete the container when its program has ended"};
  return all;
}();

Status run_poststart_hooks(const Created &created, std::string_view state) {
  const spec::Config &config = created.bundle.config;
  if (config.hooks.poststart.empty()) return {};
  return run_hooks(RunHooks::Kind::poststart, config.hooks.poststart, state, TRY(open_hook_files(config.annotations)));
}

// Where the program never ran, nothing stays; nor where a poststart hook failed (runtime.md, "Lifecycle", step 9).
Result<NotifySocket> start(Created &created, const cli::Log &log) {
  Result<NotifySocket> notify = NotifySocket::open(created.container.directory(), read_notify_socket());
  Status started = notify ? let_go(created.launched) : Status(std::unexpected(notify.error()));
  if (started) {
    const std::string state = spec::print_hook_state(created.container.state(spec::ContainerStatus::running));
    started = run_poststart_hooks(created, state);
  }
  if (!started) {
    created.launched.init = {};
    (void)destroy_container(created.container, log);
    return std::unexpected(std::move(started).error());
  }
  return notify;
}

Result<int> stay(Created &created, kernel::Fd console, const Forwarding &forwarding, const NotifySocket &notify,
                 const Context &context) {
  kernel::Fd master;
  if (console.valid()) master = TRY(receive_master(console));
  Result<int> code = attend(created.launched.init, std::move(master), forwarding, notify);
  if (!context.flags().boolean("keep")) TRY(destroy_container(created.container, context.log));
  return code;
}

Result<int> run(const Context &context) {
  const bool detach = context.flags().boolean("detach");
  std::optional<Forwarding> forwarding;
  CreateRequest request = create_request(context);
  request.gate = false;
  request.detached = detach;
  Console console;
  if (!detach) {
    forwarding = TRY(Forwarding::start());
    console = TRY(make_console());
    request.console = std::move(console.theirs);
    request.console_size = read_window_size();
  }
  Created created = TRY(create_container(std::move(request), context.log));
  const NotifySocket notify = TRY(start(created, context.log));
  if (detach) {
    if (notify.valid()) {
      TRY(notify.pass_on_until_ready(created.launched.init.pidfd(), created.launched.init.pid()));
    }
    (void)created.launched.init.release();
    return 0;
  }
  const bool terminal = created.bundle.config.process && created.bundle.config.process->terminal;
  return stay(created, terminal ? std::move(console.ours) : kernel::Fd{}, *forwarding, notify, context);
}

}  // namespace

const CommandEntry run_command = {
    .command = {.name = "run",
                .usage = "CONTAINER",
                .summary = "create a container, start it, and stay until its program has ended",
                .description = "The exit code is the program's, or 128 + n where signal n ended it.",
                .flags = flags,
                .min_positionals = 1,
                .max_positionals = 1},
    .run = run,
    .enters_container = true};

}  // namespace skiff
