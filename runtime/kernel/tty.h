// Terminals: a pseudoterminal inside a container's own devpts, window sizes, raw mode.
#pragma once

#include <sys/ioctl.h>
#include <termios.h>

#include "runtime/kernel/fd.h"

namespace skiff::kernel {

// The master side: "ptmx" in the root of a devpts instance. Refuses a descriptor that is no devpts (EXDEV): a hostile
// rootfs may hold any file by that name. Always O_NOCTTY.
[[nodiscard]] Result<Fd> open_ptmx(FdView devpts);
// TIOCSPTLCK: unlockpt(3).
[[nodiscard]] Status unlockpt(FdView ptmx);
// TIOCGPTN: the N of pts/N.
[[nodiscard]] Result<unsigned> get_pty_number(FdView ptmx);
// TIOCGPTPEER (Linux 4.13): the other side without a path, so no symlink can stand in for it. O_NOCTTY is added.
[[nodiscard]] Result<Fd> open_pty_peer(FdView ptmx, int flags = O_RDWR);

// TIOCGWINSZ, TIOCSWINSZ. ENOTTY where it is no terminal.
[[nodiscard]] Result<winsize> get_window_size(FdView tty);
[[nodiscard]] Status set_window_size(FdView tty, const winsize &size);
// TIOCSCTTY: makes it the session's terminal; the caller leads a session without one (setsid).
[[nodiscard]] Status set_controlling_terminal(FdView tty);
[[nodiscard]] bool is_terminal(FdView fd);
// Takes ONLCR off, so that "\n" goes through the terminal as it was written.
[[nodiscard]] Status disable_newline_translation(FdView tty);

// A terminal in raw mode for as long as the value lives; the settings it had come back with the destructor.
class RawTerminal {
 public:
  // cfmakeraw(3). The descriptor must outlive the value. ENOTTY where it is no terminal.
  static Result<RawTerminal> enter(FdView tty);

  RawTerminal(RawTerminal &&other) noexcept : tty_(std::exchange(other.tty_, no_fd)), saved_(other.saved_) {}
  RawTerminal &operator=(RawTerminal &&) = delete;
  RawTerminal(const RawTerminal &) = delete;
  RawTerminal &operator=(const RawTerminal &) = delete;
  ~RawTerminal();

 private:
  RawTerminal(FdView tty, const termios &saved) : tty_(tty), saved_(saved) {}
  FdView tty_;
  termios saved_;
};

}  // namespace skiff::kernel
