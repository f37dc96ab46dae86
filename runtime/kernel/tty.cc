#include "runtime/kernel/tty.h"

#include <linux/magic.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "runtime/kernel/call.h"

// glibc 2.36 has it in <asm/ioctls.h> only.
#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

namespace skiff::kernel {
namespace {

// Every ptmx is character device 5:2 (TTYAUX_MAJOR).
bool is_ptmx(dev_t device) { return major(device) == 5 && minor(device) == 2; }

Result<termios> get_attributes(FdView tty) {
  termios settings{};
  if (::tcgetattr(tty.get(), &settings) == 0) return settings;
  return call_failed("tcgetattr", {tty});
}

Status set_attributes(FdView tty, const termios &settings) {
  if (retry([&] { return ::tcsetattr(tty.get(), TCSANOW, &settings); }) == 0) return {};
  return call_failed("tcsetattr", {tty, Argument::word("TCSANOW")});
}

}  // namespace

Result<Fd> open_ptmx(FdView devpts) {
  Fd ptmx = TRY(openat(devpts, "ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW));
  const bool real = TRY(fstatfs(ptmx)).f_type == DEVPTS_SUPER_MAGIC && is_ptmx(TRY(fstat(ptmx)).st_rdev);
  if (real) return ptmx;
  return call_failed(EXDEV, "openat", {devpts, CString("ptmx")});
}

Status unlockpt(FdView ptmx) {
  int locked = 0;
  if (::ioctl(ptmx.get(), TIOCSPTLCK, &locked) == 0) return {};
  return call_failed("ioctl", {ptmx, Argument::word("TIOCSPTLCK")});
}

Result<unsigned> get_pty_number(FdView ptmx) {
  unsigned number = 0;
  if (::ioctl(ptmx.get(), TIOCGPTN, &number) == 0) return number;
  return call_failed("ioctl", {ptmx, Argument::word("TIOCGPTN")});
}

Result<Fd> open_pty_peer(FdView ptmx, int flags) {
  const int fd = ::ioctl(ptmx.get(), TIOCGPTPEER, flags | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return call_failed("ioctl", {ptmx, Argument::word("TIOCGPTPEER"), Argument::open_flags(flags)});
  return Fd(fd);
}

Result<winsize> get_window_size(FdView tty) {
  winsize size{};
  if (::ioctl(tty.get(), TIOCGWINSZ, &size) == 0) return size;
  return call_failed("ioctl", {tty, Argument::word("TIOCGWINSZ")});
}

Status set_window_size(FdView tty, const winsize &size) {
  if (::ioctl(tty.get(), TIOCSWINSZ, &size) == 0) return {};
  return call_failed("ioctl", {tty, Argument::word("TIOCSWINSZ"), size.ws_row, size.ws_col});
}

Status set_controlling_terminal(FdView tty) {
  if (::ioctl(tty.get(), TIOCSCTTY, 0) == 0) return {};
  return call_failed("ioctl", {tty, Argument::word("TIOCSCTTY")});
}

bool is_terminal(FdView fd) { return ::isatty(fd.get()) == 1; }

Status disable_newline_translation(FdView tty) {
  termios settings = TRY(get_attributes(tty));
  settings.c_oflag &= ~static_cast<tcflag_t>(ONLCR);
  return set_attributes(tty, settings);
}

Result<RawTerminal> RawTerminal::enter(FdView tty) {
  const termios saved = TRY(get_attributes(tty));
  termios raw = saved;
  ::cfmakeraw(&raw);
  TRY(set_attributes(tty, raw));
  return RawTerminal(tty, saved);
}

RawTerminal::~RawTerminal() {
  // A terminal that is gone by now has nothing to restore.
  if (tty_.valid()) [[maybe_unused]]
    const Status restored = set_attributes(tty_, saved_);
}

}  // namespace skiff::kernel
