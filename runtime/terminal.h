// The terminal of a process in the container: a pty of the container's own devpts, whose master goes to whoever asked.
#pragma once

#include <optional>
#include <string>

#include "runtime/kernel/fd.h"
#include "spec/config.h"

namespace skiff {

struct Terminal {
  kernel::Fd master;
  kernel::Fd slave;
  std::string name;  // /dev/pts/0, as the container sees it
};

// A new pair from /dev/pts below `root`. The slave comes from TIOCGPTPEER, not from a path (CVE-2025-52565).
[[nodiscard]] Result<Terminal> open_terminal(const kernel::Fd &root, const std::optional<spec::ConsoleSize> &size);

// The two ends of what a terminal's master travels over.
struct Console {
  kernel::Fd ours;    // where it comes to, when this process stays
  kernel::Fd theirs;  // for the process that makes the terminal
};
// Both ends, for a terminal that stays with this process.
[[nodiscard]] Result<Console> make_console();
// --console-socket: the master goes to whoever listens there.
[[nodiscard]] Result<kernel::Fd> connect_console(const std::string &path);

// Exactly one message with one descriptor, the name as its payload: what containerd, conmon and runc's clients read.
[[nodiscard]] Status send_master(const kernel::Fd &console_socket, const Terminal &terminal);
// The other side of send_master.
[[nodiscard]] Result<kernel::Fd> receive_master(const kernel::Fd &console_socket);

// A new session whose controlling terminal is the slave, which becomes stdin, stdout and stderr.
[[nodiscard]] Status enter_session(const kernel::Fd &slave);

}  // namespace skiff
