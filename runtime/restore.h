// restore: a container from the files of a checkpoint, by CRIU; what `create` and `start` are to a bundle alone.
#pragma once

#include <string>

#include "runtime/create.h"
#include "runtime/criu_message.h"

namespace skiff {

struct RestoreRequest {
  CreateRequest create;  // without a gate: a restored container runs
  std::string criu;      // the program; empty: of $PATH
  std::string image_path;
  std::string work_path;     // for the log; empty: that of the images
  CriuOptions options = {};  // the switches of the command line; the rest is filled in
};

// The bundle may be another one than the container was made from: its rootfs, its mounts' sources, its namespaces with
// a path and its cgroup are taken. The prestart and createRuntime hooks run while the namespaces are there and nothing
// else is. On an error nothing is left behind; it has the lines of CRIU's log that matter.
[[nodiscard]] Result<Created> restore_container(RestoreRequest request, const cli::Log &log);

}  // namespace skiff
