// A program that runs inside a container must not be a way to the host's binary (CVE-2019-5736).
//
// A process of the container that gets hold of /proc/PID/exe of the runtime could write to the file behind it once no
// one runs it. So what enters a container runs from a read-only mount of the binary that is attached nowhere: opening
// it for writing is EROFS, and no process can make that mount writable, because it is in no mount namespace. It costs
// one exec of a static binary. Where mounts are not allowed (no privileges) a sealed memfd takes its place.
#pragma once

#include "runtime/kernel/fd.h"
#include "spec/error.h"

namespace skiff {

// Executes this program again with the same arguments from a sealed copy, or returns at once where it runs from one.
[[nodiscard]] Status seal_self(const char *const *argv, const char *const *envp);

// The descriptor by which this program was executed, where that is still open: the read-only mount itself. Whoever
// closes the last copy waits until the kernel has taken the mount away (a grace period: 70 us, and milliseconds on a
// busy machine). So it is closed when there is time. To be asked once, before anything else is opened.
[[nodiscard]] kernel::Fd take_image();

}  // namespace skiff
