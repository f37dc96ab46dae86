#include "runtime/restore.h"

#include <fmt/format.h>

#include <optional>

#include "runtime/cmd/command.h"
#include "runtime/cmd/create_flags.h"
#include "runtime/cmd/criu_flags.h"
#include "runtime/foreground.h"
#include "runtime/host_probe.h"
#include "runtime/terminal.h"

namespace skiff {
namespace {

using cli::Kind;

constexpr auto flags = [] {
  constexpr std::array<cli::FlagSpec, 9> own = {{
      {.name = "bundle",
       .letter = 'b',
       .value = "DIR",
       .text = "the bundle's directory, instead of the working directory"},
      {.name = "console-socket", .value = "FILE", .text = "unix socket that receives the terminal's master"},
      {.name = "pid-file", .value = "FILE", .text = "write the init process's pid to this file"},
      {.name = "detach", .letter = 'd', .kind = Kind::Bool, .text = "return as soon as the container runs"},
      {.name = "tcp-close", .kind = Kind::Bool, .text = "restore TCP connections as closed ones"},
      {.name = "lsm-profile",
       .value = "TYPE:NAME",
       .text = "the profile for the processes, such as apparmor:NAME, instead of the one they had"},
      {.name = "lsm-mount-context", .value = "CONTEXT", .text = "the SELinux context for mounts, instead of theirs"},
      {.name = "no-pivot", .kind = Kind::Bool, .text = "accepted for runc's callers", .hidden = true},
      {.name = "no-subreaper", .kind = Kind::Bool, .text = "accepted for runc's callers", .hidden = true},
  }};
  std::array<cli::FlagSpec, criu_flags.size() + own.size()> all{};
  std::ranges::copy(own, std::ranges::copy(criu_flags, all.begin()).out);
  return all;
}();

CreateRequest make_create_request(const Context &context) {
  CreateRequest request;
  request.root = context.root;
  request.id = context.id();
  request.bundle = context.flag("bundle");
  request.pid_file = context.flag("pid-file");
  request.console_socket = context.flag("console-socket");
  request.systemd_cgroup = wants_systemd_cgroup(context.invocation.global);
  request.disable_cgroups = context.invocation.global.string("cgroup-manager") == "disabled";
  request.detached = context.flags().boolean("detach");
  request.gate = false;
  return request;
}

RestoreRequest make_request(const Context &context) {
  RestoreRequest request{.create = make_create_request(context),
                         .criu = std::string(context.invocation.global.string("criu")),
                         .image_path = context.flag("image-path"),
                         .work_path = context.flag("work-path"),
                         .options = criu_options(context.flags())};
  request.options.tcp_close = context.flags().boolean("tcp-close");
  request.options.lsm_profile = context.flag("lsm-profile");
  request.options.lsm_mount_context = context.flag("lsm-mount-context");
  return request;
}

// As with `run`, the container goes with its program.
Result<int> stay(Created &restored, kernel::Fd console, const Forwarding &forwarding, const Context &context) {
  kernel::Fd master;
  const std::optional<spec::Process> &process = restored.bundle.config.process;
  if (process && process->terminal) master = TRY(receive_master(console));
  const NotifySocket notify = TRY(NotifySocket::open(restored.container.directory(), read_notify_socket()));
  Result<int> code = attend(restored.launched.init, std::move(master), forwarding, notify);
  TRY(destroy_container(restored.container, context.log));
  return code;
}

Result<int> run(const Context &context) {
  RestoreRequest request = make_request(context);
  if (request.create.detached) {
    Created restored = TRY(restore_container(std::move(request), context.log));
    (void)restored.launched.init.release();  // it outlives us
    return 0;
  }
  const Forwarding forwarding = TRY(Forwarding::start());
  Console console = TRY(make_console());
  request.create.console = std::move(console.theirs);
  Created restored = TRY(restore_container(std::move(request), context.log));
  return stay(restored, std::move(console.ours), forwarding, context);
}

}  // namespace

const CommandEntry restore_command = {
    .command = {.name = "restore",
                .usage = "CONTAINER",
                .summary =
                    "make a container again from the files of a checkpoint, and stay until its program has ended",
                .description =
                    "CRIU does the work, as root. The bundle is the one that the container was made from, or one like "
                    "it: root directory, mounts, namespaces with a path and cgroup may be others. The exit code is "
                    "the program's, or 128 + n where signal n ended it.",
                .flags = flags,
                .min_positionals = 1,
                .max_positionals = 1},
    .run = run};

}  // namespace skiff
