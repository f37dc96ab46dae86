// A process that outlives its starter, named by a file: "PID START", as Procfs knows its start time.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "runtime/kernel/fd.h"

namespace skiff::compose {

struct MarkedProcess {
  pid_t pid = 0;
  kernel::Fd pidfd;  // invalid: there is none
};

// The caller itself, as it is written.
[[nodiscard]] Result<std::string> own_process_mark();
[[nodiscard]] Status mark_own_process(const std::string &path);
// One whose number another process has by now is none.
[[nodiscard]] Result<MarkedProcess> find_marked_process(const std::string &path);
// SIGKILL; returns when it is gone and so is the file. None there is no error.
[[nodiscard]] Status end_marked_process(const std::string &path);

// A process that wrote its pid itself, and no start time. `name` is how its own begins: the number may be another's by
// now.
[[nodiscard]] Result<MarkedProcess> find_by_pid_file(const std::string &path, std::string_view name);
[[nodiscard]] Status end_by_pid_file(const std::string &path, std::string_view name);

}  // namespace skiff::compose
