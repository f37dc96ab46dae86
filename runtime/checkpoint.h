// checkpoint: the processes of a container into files, by CRIU.
#pragma once

#include <string>

#include "runtime/cli/log.h"
#include "runtime/container.h"
#include "runtime/criu_message.h"

namespace skiff {

struct CheckpointRequest {
  std::string root;          // of the runtime's state
  std::string criu;          // the program; empty: of $PATH
  std::string image_path;    // made where it is missing
  std::string work_path;     // for the log; empty: that of the images
  std::string parent_path;   // of the images of an earlier pre-dump, relative to image_path; empty: none
  bool pre_dump = false;     // the memory alone; the container goes on
  kernel::Fd status;         // gets a zero byte when the page server is ready; may be invalid
  CriuOptions options = {};  // the switches of the command line; the rest is filled in
};

// Waits until CRIU is done: with lazy pages, until somebody has fetched the last one. Afterwards the container has
// ended, unless it was to go on; its directory and cgroup are the caller's. An error leaves it running, and has the
// lines of CRIU's log that matter.
[[nodiscard]] Status checkpoint(const Container &container, CheckpointRequest request, const cli::Log &log);

}  // namespace skiff
