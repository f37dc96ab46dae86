#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <climits>

#include "tests/runtime/rootfs_stage.h"

namespace skiff::testing {
namespace {

using kernel::testing::read_whole;
using kernel::testing::write_whole;

constexpr const char *listed = "linux.devices[0] (/dev/null)";
constexpr const char *by_default = "default devices";

MakeDevice null_device(const std::string &path) {
  return {.path = path, .mode = S_IFCHR | 0666, .major = 1, .minor = 3, .uid = 0, .gid = 0, .bind_from_host = false};
}

struct stat status_of(const std::string &path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) status.st_mode = 0;
  return status;
}

bool is_null(const struct stat &status) { return S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3); }

std::string link_of(const std::string &path) {
  std::array<char, PATH_MAX> text{};
  const ssize_t size = ::readlink(path.c_str(), text.data(), text.size());
  return size < 0 ? "" : std::string(text.data(), static_cast<std::size_t>(size));
}

// Whether this process may make device nodes at all.
bool can_make_nodes(const Stage &stage) {
  const std::string path = stage.host("/probe");
  const bool can = ::mknod(path.c_str(), S_IFCHR | 0600, makedev(1, 3)) == 0;
  ::unlink(path.c_str());
  return can;
}

// ---- config-linux.md, "Devices" ----

TEST(Devices, ANodeHasItsModeAndOwnerWhateverTheUmaskIs) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    if (!can_make_nodes(stage)) return "skip: no CAP_MKNOD";
    MakeDevice device = null_device("/dev/deep/null");
    device.mode = S_IFCHR | 0621;
    device.uid = 12;
    device.gid = 34;
    ::umask(0077);
    NEED_OK(stage.apply(device, listed));
    const auto status = status_of(stage.rootfs_path("/dev/deep/null"));
    NEED(is_null(status) && (status.st_mode & 07777) == 0621 && status.st_uid == 12 && status.st_gid == 34);
    MakeDevice fifo{.path = "/dev/fifo", .mode = S_IFIFO | 0606};
    NEED_OK(stage.apply(fifo, "linux.devices[1]"));
    NEED(status_of(stage.rootfs_path("/dev/fifo")).st_mode == (S_IFIFO | 0606));
    return {};
  }));
}

TEST(Devices, AFileThatIsNotTheListedDeviceIsAnError) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    ::mkdir(stage.rootfs_path("/dev").c_str(), 0755);
    write_whole(stage.rootfs_path("/dev/null"), "content");
    const auto done = stage.apply(null_device("/dev/null"), listed);
    NEED(!done && done.error().number == EEXIST && !done.error().remedy.empty());
    NEED(read_whole(stage.rootfs_path("/dev/null")) == "content");
    return {};
  }));
}

TEST(Devices, ADefaultDeviceReplacesAFileThatIsInItsPlace) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    if (!can_make_nodes(stage)) return "skip: no CAP_MKNOD";
    ::mkdir(stage.rootfs_path("/dev").c_str(), 0755);
    write_whole(stage.rootfs_path("/dev/null"), "content");
    NEED_OK(stage.apply(null_device("/dev/null"), by_default));
    NEED(is_null(status_of(stage.rootfs_path("/dev/null"))));
    const auto inode = status_of(stage.rootfs_path("/dev/null")).st_ino;
    NEED_OK(stage.apply(null_device("/dev/null"), by_default));
    NEED(status_of(stage.rootfs_path("/dev/null")).st_ino == inode);
    return {};
  }));
}

TEST(Devices, ADirectoryInItsPlaceIsAnError) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    ::mkdir(stage.rootfs_path("/dev").c_str(), 0755);
    ::mkdir(stage.rootfs_path("/dev/null").c_str(), 0755);
    const auto done = stage.apply(null_device("/dev/null"), by_default);
    NEED(!done && done.error().number == EEXIST);
    return {};
  }));
}

TEST(Devices, InAUserNamespaceTheNodeOfTheHostIsBound) {
  EXPECT_STAGED(on_stage(CLONE_NEWUSER, [](Stage &stage) -> Verdict {
    MakeDevice device = null_device("/dev/null");
    device.bind_from_host = true;
    NEED_OK(stage.apply(device, by_default));
    NEED(is_null(status_of(stage.rootfs_path("/dev/null"))));
    NEED_OK(stage.apply(device, by_default));
    MakeDevice plain = null_device("/dev/zero");
    plain.minor = 5;
    NEED_OK(stage.apply(plain, by_default));  // mknod is refused here, so it is bound too
    NEED(status_of(stage.rootfs_path("/dev/zero")).st_rdev == makedev(1, 5));
    MakeDevice missing{
        .path = "/dev/none", .mode = S_IFCHR | 0666, .major = 4000, .minor = 4000, .bind_from_host = true};
    const auto done = stage.apply(missing, by_default);
    NEED(!done && !done.error().remedy.empty());
    MakeDevice wrong = null_device("/dev/zero2");
    wrong.path = "/dev/full";
    wrong.major = 4000;
    wrong.bind_from_host = true;
    const auto other = stage.apply(wrong, by_default);
    NEED(!other && other.error().text.find("is not character device 4000:3") != std::string::npos);
    return {};
  }));
}

// ---- CVE-2026-41579, CVE-2026-47766, CVE-2026-88264, CVE-2026-88265: links in the place of /dev and below it ----

Verdict expect_host_untouched(const Stage &stage) {
  NEED(read_whole(stage.host("/dev/null")) == "host");
  const auto status = status_of(stage.host("/dev/null"));
  NEED(S_ISREG(status.st_mode) && (status.st_mode & 07777) == 0600 && status.st_uid == 7);
  NEED(link_of(stage.host("/dev/ptmx")) == "host");
  NEED(!exists(stage.host("/dev/zero")) && !exists(stage.host("/dev/fd")) && !exists(stage.host("/made")));
  return {};
}

Verdict prepare_host(const Stage &stage) {
  ::mkdir(stage.host("/dev").c_str(), 0755);
  write_whole(stage.host("/dev/null"), "host");
  NEED(::chown(stage.host("/dev/null").c_str(), 7, 7) == 0 && ::chmod(stage.host("/dev/null").c_str(), 0600) == 0);
  NEED(::symlink("host", stage.host("/dev/ptmx").c_str()) == 0);
  return {};
}

Verdict make_all(Stage &stage) {
  (void)stage.apply(null_device("/dev/null"), by_default);
  MakeDevice zero = null_device("/dev/zero");
  zero.minor = 5;
  (void)stage.apply(zero, by_default);
  (void)stage.apply(MakeSymlink{.path = "/dev/fd", .target = "/proc/self/fd"}, by_default);
  (void)stage.apply(MakeSymlink{.path = "/dev/ptmx", .target = "pts/ptmx"}, by_default);
  return expect_host_untouched(stage);
}

class HostileDev : public ::testing::TestWithParam<const char *> {};

TEST_P(HostileDev, ADevThatIsALinkLeadsNowhereOnTheHost) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    if (Verdict made = prepare_host(stage); !made.empty()) return made;
    std::string target = GetParam();
    if (const auto at = target.find("%h"); at != std::string::npos) target.replace(at, 2, stage.host(""));
    NEED(::symlink(target.c_str(), stage.rootfs_path("/dev").c_str()) == 0);
    return make_all(stage);
  }));
}
INSTANTIATE_TEST_SUITE_P(Links, HostileDev,
                         ::testing::Values("%h/dev", "../host/dev", "../../../../..%h/dev", "/proc/self/root%h/dev",
                                           "%h/made"));

TEST(Devices, LinksInThePlaceOfNodesAreReplacedAndWhatTheyLeadToIsLeftAlone) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    if (!can_make_nodes(stage)) return "skip: no CAP_MKNOD";
    if (Verdict made = prepare_host(stage); !made.empty()) return made;
    ::mkdir(stage.rootfs_path("/dev").c_str(), 0755);
    for (const char *name : {"/dev/null", "/dev/zero", "/dev/ptmx"}) {
      NEED(::symlink(stage.host("/dev/null").c_str(), stage.rootfs_path(name).c_str()) == 0);
    }
    if (Verdict untouched = make_all(stage); !untouched.empty()) return untouched;
    NEED(is_null(status_of(stage.rootfs_path("/dev/null"))));
    NEED(link_of(stage.rootfs_path("/dev/ptmx")) == "pts/ptmx");
    return {};
  }));
}

TEST(Devices, ANodeThatIsExchangedForALinkMeanwhileGivesNothingAway) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    if (!can_make_nodes(stage)) return "skip: no CAP_MKNOD";
    if (Verdict made = prepare_host(stage); !made.empty()) return made;
    ::mkdir(stage.rootfs_path("/dev").c_str(), 0755);
    const std::string node = stage.rootfs_path("/dev/null");
    const std::string link = stage.rootfs_path("/dev/link");
    NEED(::symlink(stage.host("/dev/null").c_str(), link.c_str()) == 0);
    const pid_t racer = ::fork();
    if (racer == 0) {
      for (;;) ::renameat2(AT_FDCWD, node.c_str(), AT_FDCWD, link.c_str(), RENAME_EXCHANGE);
    }
    Verdict verdict;
    for (int tries = 0; tries < 200 && verdict.empty(); ++tries) {
      (void)stage.apply(null_device("/dev/null"), by_default);
      verdict = expect_host_untouched(stage);
      ::unlink(node.c_str());
    }
    ::kill(racer, SIGKILL);
    ::waitpid(racer, nullptr, 0);
    return verdict;
  }));
}

// ---- "Default Devices" ----

TEST(Devices, LinksThatTheImageBringsStay) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    ::mkdir(stage.rootfs_path("/dev").c_str(), 0755);
    NEED(::symlink("mine", stage.rootfs_path("/dev/stdin").c_str()) == 0);
    NEED_OK(stage.apply(MakeSymlink{.path = "/dev/stdin", .target = "/proc/self/fd/0"}, by_default));
    NEED(link_of(stage.rootfs_path("/dev/stdin")) == "mine");
    NEED_OK(stage.apply(MakeSymlink{.path = "/dev/fd", .target = "/proc/self/fd"}, by_default));
    NEED(link_of(stage.rootfs_path("/dev/fd")) == "/proc/self/fd");
    return {};
  }));
}

}  // namespace
}  // namespace skiff::testing
