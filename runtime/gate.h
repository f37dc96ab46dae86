// The gate between create and start: a FIFO in the container's state directory.
//
// init opens it for reading and writing before it loses the host, and blocks in read(2) until start writes. It needs no
// other call there, because the container's seccomp profile may be in force already. The descriptor is CLOEXEC: when it
// goes, the program runs or init has died; what init had to say before it died is left in the FIFO.
//
// A FIFO that no init holds open (ENXIO for a writer) is one whose container was started: so the status is exact even
// when start was killed before it could remove the file.
#pragma once

#include "runtime/kernel/fd.h"

namespace skiff {

// Makes the FIFO and opens it; init inherits the descriptor.
[[nodiscard]] Result<kernel::Fd> make_gate(const kernel::Fd &state_directory);

// init: waits for start. An error where the FIFO broke.
[[nodiscard]] Status wait_at_gate(const kernel::Fd &gate);

// init: why the program could not be run; at most PIPE_BUF bytes reach start.
void report_at_gate(const kernel::Fd &gate, const Error &error);

// True while init waits.
[[nodiscard]] Result<bool> is_gate_closed(const kernel::Fd &state_directory);

// start: lets init go on, waits until the program runs, removes the FIFO. The Error is init's own; ESRCH where init
// died at the gate.
[[nodiscard]] Status open_gate(const kernel::Fd &state_directory);

}  // namespace skiff
