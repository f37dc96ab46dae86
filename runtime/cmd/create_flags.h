// The flags that create and run share.
#pragma once

#include <array>

#include "runtime/cmd/cgroup_flags.h"
#include "runtime/cmd/command.h"
#include "runtime/create.h"

namespace skiff {

inline constexpr std::array<cli::FlagSpec, 8> create_flags = {{
    {.name = "bundle",
     .letter = 'b',
     .value = "DIR",
     .text = "the bundle's directory, instead of the working directory"},
    {.name = "console-socket", .value = "FILE", .text = "unix socket that receives the terminal's master"},
    {.name = "pidfd-socket", .value = "FILE", .text = "unix socket that receives a pidfd of the init process"},
    {.name = "pid-file", .value = "FILE", .text = "write the init process's pid to this file"},
    {.name = "no-pivot",
     .kind = cli::Kind::Bool,
     .text = "move the root instead of pivot_root(2), for a rootfs on a ramdisk"},
    {.name = "no-new-keyring", .kind = cli::Kind::Bool, .text = "keep the caller's session keyring"},
    {.name = "preserve-fds", .kind = cli::Kind::Uint32, .value = "N", .text = "pass on N more descriptors, from 3 up"},
    {.name = "no-subreaper", .kind = cli::Kind::Bool, .text = "accepted for runc's callers", .hidden = true},
}};

[[nodiscard]] inline CreateRequest create_request(const Context &context) {
  CreateRequest request;
  request.image = std::move(context.image);
  request.root = context.root;
  request.id = context.id();
  request.bundle = context.flag("bundle");
  request.pid_file = context.flag("pid-file");
  request.console_socket = context.flag("console-socket");
  request.pidfd_socket = context.flag("pidfd-socket");
  request.no_pivot = context.flags().boolean("no-pivot");
  request.no_new_keyring = context.flags().boolean("no-new-keyring");
  request.systemd_cgroup = wants_systemd_cgroup(context.invocation.global);
  request.disable_cgroups = context.invocation.global.string("cgroup-manager") == "disabled";
  request.preserve_fds = context.flags().uint32("preserve-fds").value_or(0);
  return request;
}

}  // namespace skiff
