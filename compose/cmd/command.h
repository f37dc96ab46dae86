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

// What --dry-run makes of a command. What has no answer to it is refused, so that nothing is changed by mistake.
enum class DryRun : std::uint8_t {
  refused,
  reads,  // it changes nothing anyway
  shown,  // it prints what it would do
};

struct CommandEntry {
  cli::Command command;
  Run run;
  DryRun dry_run = DryRun::refused;
};

extern const CommandEntry attach_command;
extern const CommandEntry build_command;
extern const CommandEntry bundle_command;
extern const CommandEntry completion_command;
extern const CommandEntry config_command;
extern const CommandEntry convert_command;
extern const CommandEntry cp_command;
extern const CommandEntry create_command;
extern const CommandEntry dashboard_command;
extern const CommandEntry diff_command;
extern const CommandEntry down_command;
extern const CommandEntry events_command;
extern const CommandEntry exec_command;
extern const CommandEntry forward_command;
extern const CommandEntry hold_network_command;
extern const CommandEntry images_command;
extern const CommandEntry info_command;
extern const CommandEntry inspect_command;
extern const CommandEntry kill_command;
extern const CommandEntry logs_command;
extern const CommandEntry ls_command;
extern const CommandEntry man_command;
extern const CommandEntry monitor_command;
extern const CommandEntry network_connect_command;
extern const CommandEntry network_create_command;
extern const CommandEntry network_disconnect_command;
extern const CommandEntry network_inspect_command;
extern const CommandEntry network_list_command;
extern const CommandEntry network_prune_command;
extern const CommandEntry network_rm_command;
extern const CommandEntry pause_command;
extern const CommandEntry plan_command;
extern const CommandEntry port_command;
extern const CommandEntry prune_command;
extern const CommandEntry ps_command;
extern const CommandEntry pull_command;
extern const CommandEntry push_command;
extern const CommandEntry rename_command;
extern const CommandEntry restart_command;
extern const CommandEntry rm_command;
extern const CommandEntry run_command;
extern const CommandEntry scale_command;
extern const CommandEntry settle_command;
extern const CommandEntry start_by_policy_command;
extern const CommandEntry start_command;
extern const CommandEntry stats_command;
extern const CommandEntry stop_command;
extern const CommandEntry supervisor_command;
extern const CommandEntry top_command;
extern const CommandEntry unbundle_command;
extern const CommandEntry unpause_command;
extern const CommandEntry up_command;
extern const CommandEntry update_command;
extern const CommandEntry version_command;
extern const CommandEntry volume_create_command;
extern const CommandEntry volume_inspect_command;
extern const CommandEntry volume_list_command;
extern const CommandEntry volume_prune_command;
extern const CommandEntry volume_rm_command;
extern const CommandEntry wait_command;
extern const CommandEntry watch_command;

}  // namespace skiff::compose
