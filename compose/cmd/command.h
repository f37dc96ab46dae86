// What every command gets, and the table entry that each command's file owns.
#pragma once

#include <string>
#include <string_view>

#include "runtime/cli/flags.h"
#include "runtime/cli/log.h"

namespace skiff::compose {

struct Context {
  const cli::Program &program;
  const cli::Invocation &invocation;
  const cli::Log &log;

  [[nodiscard]] const cli::Flags &flags() const { return invocation.flags; }
  [[nodiscard]] const cli::Flags &global() const { return invocation.global; }
  [[nodiscard]] std::string flag(std::string_view name) const { return std::string(invocation.flags.string(name)); }
  [[nodiscard]] std::string argument(std::size_t index) const {
    return index < invocation.positionals.size() ? std::string(invocation.positionals[index]) : std::string();
  }
};

// The exit code, or the error that main prints: 1 for a failure, 2 for a finding in the user's files or words, 3 where
// a permission is missing, 4 where what was named is not there (CTST.md).
using Run = Result<int> (*)(const Context &);

struct CommandEntry {
  cli::Command command;
  Run run;
};

extern const CommandEntry attach_command, build_command, completion_command, config_command, convert_command,
    create_command, diff_command, down_command, events_command, exec_command, images_command, info_command,
    inspect_command, kill_command, logs_command, ls_command, man_command, monitor_command, network_connect_command,
    network_create_command, network_disconnect_command, network_inspect_command, network_list_command,
    network_prune_command, network_rm_command, pause_command, plan_command, port_command, prune_command, ps_command,
    pull_command, push_command, rename_command, restart_command, rm_command, run_command, scale_command, settle_command,
    start_by_policy_command, start_command, stats_command, stop_command, supervisor_command, top_command,
    unpause_command, up_command, update_command, version_command, volume_create_command, volume_inspect_command,
    volume_list_command, volume_prune_command, volume_rm_command, wait_command;

}  // namespace skiff::compose
