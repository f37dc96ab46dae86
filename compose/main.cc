// skiff-compose: one container with docker's habits, many from a file, without a daemon. Parses the command line, opens
// the log, runs one command, prints its error: nothing else prints errors.

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <span>

#include "compose/cmd/command.h"
#include "compose/cmd/project_flags.h"
#include "compose/finding.h"
#include "compose/output.h"
#include "runtime/cli/usage.h"
#include "runtime/kernel/process.h"

namespace skiff::compose {
namespace {

constexpr auto entries = std::to_array<const CommandEntry *>({
    &run_command,
    &create_command,
    &cp_command,
    &ps_command,
    &logs_command,
    &exec_command,
    &inspect_command,
    &start_command,
    &attach_command,
    &stop_command,
    &restart_command,
    &kill_command,
    &pause_command,
    &unpause_command,
    &wait_command,
    &rename_command,
    &rm_command,
    &completion_command,
    &man_command,
    &monitor_command,
    &settle_command,
    &supervisor_command,
    &start_by_policy_command,
    &hold_network_command,
    &forward_command,
    &up_command,
    &down_command,
    &plan_command,
    &scale_command,
    &build_command,
    &bundle_command,
    &unbundle_command,
    &pull_command,
    &push_command,
    &images_command,
    &ls_command,
    &config_command,
    &convert_command,
    &top_command,
    &port_command,
    &stats_command,
    &events_command,
    &prune_command,
    &info_command,
    &version_command,
    &update_command,
    &diff_command,
    &dashboard_command,
    &watch_command,
    &network_create_command,
    &network_list_command,
    &network_inspect_command,
    &network_rm_command,
    &network_connect_command,
    &network_disconnect_command,
    &network_prune_command,
    &volume_create_command,
    &volume_list_command,
    &volume_inspect_command,
    &volume_rm_command,
    &volume_prune_command,
});

constexpr auto commands = [] {
  std::array<const cli::Command *, entries.size()> all{};
  std::ranges::transform(entries, all.begin(), [](const CommandEntry *entry) { return &entry->command; });
  return all;
}();

constexpr auto own_flags = std::to_array<cli::FlagSpec>({
    {.name = "state", .value = "DIR", .text = "keep containers below this directory; also $SKIFF_COMPOSE_STATE"},
    {.name = "store", .value = "DIR", .text = "keep images in this directory; also $SKIFF_STORE"},
    {.name = "log", .value = "FILE", .text = "append the log to this file, instead of stderr"},
    {.name = "log-format", .value = "FORMAT", .text = "format of the log", .choices = "text|json", .initial = "text"},
    {.name = "debug", .kind = cli::Kind::Bool, .text = "log what is done"},
});

constexpr auto global_flags = [] {
  std::array<cli::FlagSpec, project_flags.size() + own_flags.size()> all{};
  std::ranges::copy(own_flags, std::ranges::copy(project_flags, all.begin()).out);
  return all;
}();

constexpr cli::Program program = {
    .name = "skiff-compose",
    .version = SKIFF_VERSION,
    .summary = "containers from the command line, compose.yaml and .ctst files",
    .description =
        "skiff-compose runs one container with docker's habits, or the services of a compose.yaml or .ctst "
        "file. It has no daemon: it drives skiff and skiff-image.\n\n"
        "Where one word serves a container and a service (ps, logs, exec, run, stop and so on): with -f, -p or their "
        "variables, or with a compose.yaml or compose.ctst in this folder or above it, the command is about that "
        "project, and names are its services; a name that no service has is a container's, or to run an image's. "
        "Without, and with --no-project, it is about containers. Where a command has a -f or -p of its own, the "
        "project's stand before the command.",
    .flags = global_flags,
    .commands = commands};

Result<int> run(const cli::Invocation &invocation, const cli::Log &log) {
  const CommandEntry &entry =
      **std::ranges::find(entries, invocation.command, [](const CommandEntry *one) { return &one->command; });
  if (entry.dry_run == DryRun::refused && invocation.global.boolean("dry-run")) {
    return fail(finding_number, fmt::format("{}: --dry-run: it cannot tell what it would change", entry.command.name),
                "leave --dry-run out; up, down, scale, build, pull, push, start, stop, restart, kill, rm, pause and "
                "unpause have it");
  }
  return entry.run({.program = program, .invocation = invocation, .log = log});
}

int exit_code(const Error &error) {
  if (error.number == finding_number) return 2;
  if (error.number == EACCES || error.number == EPERM) return 3;
  return error.number == ENOENT ? 4 : 1;
}

int end_with(const cli::Log &log, Error error, int code) {
  if (error.number == finding_number) error.number = 0;
  cli::report(log, program.name, error);
  return code;
}

Result<int> show(const cli::Invocation &invocation) {
  if (invocation.version) return print(fmt::format("{} version {}\n", program.name, program.version));
  return print(invocation.command != nullptr ? cli::command_help(program, *invocation.command)
                                             : cli::program_help(program));
}

int main(std::span<const char *const> words) {
  (void)kernel::ignore_signal(SIGPIPE);
  const Result<cli::Invocation> invocation = cli::parse(program, words.subspan(1));
  if (!invocation) return end_with({}, invocation.error(), 2);
  const cli::Flags &global = invocation->global;
  const Result<cli::Log> log =
      cli::open_log(global.string("log"), global.string("log-format"), global.boolean("debug"));
  if (!log) return end_with({}, log.error(), 1);
  const bool asks = invocation->version || invocation->help || invocation->command == nullptr;
  const Result<int> code = asks ? show(*invocation) : run(*invocation, *log);
  return code ? *code : end_with(*log, code.error(), exit_code(code.error()));
}

}  // namespace
}  // namespace skiff::compose

int main(int argc, char **argv) {
  return skiff::compose::main({const_cast<const char *const *>(argv), static_cast<std::size_t>(argc)});
}
