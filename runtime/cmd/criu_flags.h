// The flags that checkpoint and restore share, with runc's names and crun's.
#pragma once

#include <array>
#include <string>

#include "runtime/cmd/command.h"
#include "runtime/criu_message.h"

namespace skiff {

inline constexpr std::array<cli::FlagSpec, 12> criu_flags = {{
    {.name = "image-path", .value = "DIR", .text = "where the images are", .initial = "checkpoint"},
    {.name = "work-path", .value = "DIR", .text = "where CRIU works and writes its log, instead of --image-path"},
    {.name = "parent-path", .value = "DIR", .text = "the images of an earlier pre-dump, relative to --image-path"},
    {.name = "tcp-established", .kind = cli::Kind::Bool, .text = "keep TCP connections open"},
    {.name = "ext-unix-sk", .kind = cli::Kind::Bool, .text = "allow unix sockets that are connected to the outside"},
    {.name = "shell-job", .kind = cli::Kind::Bool, .text = "allow a terminal that is the caller's own"},
    {.name = "file-locks", .kind = cli::Kind::Bool, .text = "keep file locks"},
    {.name = "lazy-pages", .kind = cli::Kind::Bool, .text = "move memory pages when they are first needed"},
    {.name = "auto-dedup", .kind = cli::Kind::Bool, .text = "drop from older images what newer ones have"},
    {.name = "manage-cgroups-mode",
     .value = "MODE",
     .text = "what of the container's cgroups is kept",
     .choices = "soft|full|strict|ignore"},
    {.name = "network-lock",
     .value = "METHOD",
     .text = "how the network is held still meanwhile",
     .choices = "iptables|nftables|skip"},
    {.name = "empty-ns",
     .kind = cli::Kind::Strings,
     .value = "NAMESPACE",
     .text = "make this namespace without what was in it; always so",
     .choices = "network"},
}};

// The switches of the table above, as CRIU takes them.
[[nodiscard]] inline CriuOptions criu_options(const cli::Flags &flags) {
  CriuOptions options;
  options.tcp_established = flags.boolean("tcp-established");
  options.ext_unix_sk = flags.boolean("ext-unix-sk");
  options.shell_job = flags.boolean("shell-job");
  options.file_locks = flags.boolean("file-locks");
  options.lazy_pages = flags.boolean("lazy-pages");
  options.auto_dedup = flags.boolean("auto-dedup");
  options.manage_cgroups_mode = criu_cgroups_mode(flags.string("manage-cgroups-mode"));
  options.network_lock = criu_network_lock(flags.string("network-lock"));
  return options;
}

}  // namespace skiff
