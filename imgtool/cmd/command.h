// What every command gets, and the table entry that each command's file owns.
#pragma once

#include <string>

#include "imgtool/copy.h"
#include "imgtool/interrupts.h"
#include "imgtool/platform.h"
#include "imgtool/progress.h"
#include "imgtool/registry.h"
#include "runtime/cli/flags.h"
#include "runtime/cli/log.h"

namespace skiff::image {

struct Context {
  const cli::Program &program;
  const cli::Invocation &invocation;
  const cli::Log &log;
  std::string store;         // the directory of --store
  RegistryOptions registry;  // of the global flags
  ProgressMode progress = ProgressMode::automatic;
  Interrupts &interrupts;

  [[nodiscard]] const cli::Flags &flags() const { return invocation.flags; }
  [[nodiscard]] std::string flag(std::string_view name) const { return std::string(invocation.flags.string(name)); }
  [[nodiscard]] std::string argument(std::size_t index) const {
    return index < invocation.positionals.size() ? std::string(invocation.positionals[index]) : std::string();
  }
  // Of platform_flag; the host's where it is not given.
  [[nodiscard]] Result<PlatformRequest> platform() const {
    const std::string_view text = invocation.flags.string("platform");
    return text.empty() ? host_platform() : parse_platform(text);
  }
  // Both sides with the options of the global flags.
  [[nodiscard]] Workplace workplace(Progress &shown) const {
    return {.store = store,
            .source = registry,
            .destination = registry,
            .progress = &shown,
            .interrupts = &interrupts,
            .limits = {}};
  }
  [[nodiscard]] bool quiet() const { return progress == ProgressMode::quiet; }
};

inline constexpr cli::FlagSpec platform_flag = {
    .name = "platform",
    .value = "OS/ARCH[/VARIANT]",
    .text = "which image of several platforms is meant, where it is not this machine's"};

// "USER:PASSWORD" as a login; none where it is empty.
[[nodiscard]] std::optional<Login> login_of(std::string_view creds);

// The exit code, or the error that main prints. One whose errno is ENOENT ends the program with 2, as skopeo says that
// there is no such image.
using Run = Result<int> (*)(const Context &);

struct CommandEntry {
  cli::Command command;
  Run run;
};

// Each table is constant: it stands in the program's own, which is built when it is compiled.
extern const CommandEntry build_command, completion_command, copy_command, df_command, export_command, gc_command,
    history_command, images_command, import_command, inspect_command, list_command, list_tags_command, load_command,
    login_command, logout_command, ls_command, man_command, minimal_command, mount_command, prune_command, pull_command,
    push_command, repack_command, rm_command, rmi_command, save_command, search_tags_command, tag_command,
    tree_receive_command, tree_send_command, umount_command, unmount_command, unpack_command, verify_command;

}  // namespace skiff::image
