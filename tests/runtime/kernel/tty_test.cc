#include "runtime/kernel/tty.h"

#include <gtest/gtest.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <unistd.h>

#include "runtime/kernel/mount.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"
#include "tests/runtime/kernel/isolated.h"

namespace skiff::kernel {
namespace {

Result<Fd> make_devpts() {
  const Fd context = TRY(fsopen("devpts"));
  TRY(fsconfig_set_string(context, "ptmxmode", "0666"));
  TRY(fsconfig_create(context));
  return fsmount(context, 0);
}

TEST(Terminal, OfAPrivateDevptsIsMadeWithoutAPath) {
  EXPECT_ISOLATED(CLONE_NEWUSER | CLONE_NEWNS, []() -> std::string {
    const Result<Fd> devpts = make_devpts();
    NEED_OK(devpts);
    const Result<Fd> ptmx = open_ptmx(*devpts);
    NEED_OK(ptmx);
    NEED_OK(unlockpt(*ptmx));
    NEED(*get_pty_number(*ptmx) == 0);
    const Result<Fd> tty = open_pty_peer(*ptmx);
    NEED_OK(tty);
    NEED(is_terminal(*tty));
    NEED_OK(set_window_size(*ptmx, {.ws_row = 33, .ws_col = 77, .ws_xpixel = 0, .ws_ypixel = 0}));
    NEED(get_window_size(*tty)->ws_row == 33 && get_window_size(*tty)->ws_col == 77);
    // The end of the master hangs up the session that the test leads.
    NEED_OK(ignore_signal(SIGHUP));
    NEED_OK(setsid());
    NEED_OK(set_controlling_terminal(*tty));
    NEED_OK(open("/dev/tty", O_RDWR));
    return {};
  });
}

// CVE-2025-52565, CVE-2026-41579: an image brings its own /dev/pts/ptmx.
TEST(Terminal, APtmxThatIsNoneIsRefused) {
  const testing::TemporaryDirectory directory;
  const Result<Fd> dir = open(directory.path(), O_PATH | O_DIRECTORY);
  ASSERT_OK(make_file_in_root(*dir, "ptmx", 0666));
  EXPECT_ERRNO(open_ptmx(*dir), EXDEV);
  ASSERT_OK(unlinkat(*dir, "ptmx"));
  ASSERT_OK(symlinkat("/dev/pts/ptmx", *dir, "ptmx"));
  EXPECT_ERRNO(open_ptmx(*dir), ELOOP);
}

TEST(RawTerminal, GivesTheSettingsBack) {
  EXPECT_ISOLATED(CLONE_NEWUSER | CLONE_NEWNS, []() -> std::string {
    const Result<Fd> devpts = make_devpts();
    NEED_OK(devpts);
    const Result<Fd> ptmx = open_ptmx(*devpts);
    NEED_OK(ptmx);
    NEED_OK(unlockpt(*ptmx));
    const Result<Fd> tty = open_pty_peer(*ptmx);
    NEED_OK(disable_newline_translation(*tty));
    termios before{};
    termios raw{};
    termios after{};
    NEED(::tcgetattr(tty->get(), &before) == 0);
    NEED((before.c_oflag & ONLCR) == 0);
    {
      const Result<RawTerminal> terminal = RawTerminal::enter(*tty);
      NEED_OK(terminal);
      NEED(::tcgetattr(tty->get(), &raw) == 0);
    }
    NEED(::tcgetattr(tty->get(), &after) == 0);
    NEED((raw.c_lflag & (ICANON | ECHO)) == 0);
    NEED(after.c_lflag == before.c_lflag && after.c_iflag == before.c_iflag);
    return {};
  });
}

TEST(RawTerminal, AFileThatIsNoTerminalIsRefused) {
  const Result<Fd> file = open("/dev/null", O_RDWR);
  EXPECT_ERRNO(RawTerminal::enter(*file), ENOTTY);
  EXPECT_FALSE(is_terminal(*file));
}

}  // namespace
}  // namespace skiff::kernel
