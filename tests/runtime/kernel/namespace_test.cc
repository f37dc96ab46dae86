#include "runtime/kernel/namespace.h"

#include <gtest/gtest.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "runtime/kernel/keyring.h"
#include "runtime/kernel/netlink.h"
#include "runtime/kernel/process.h"
#include "tests/runtime/kernel/isolated.h"

namespace skiff::kernel {
namespace {

TEST(Namespace, TellsItsTypeAndItsOwner) {
  EXPECT_ISOLATED(CLONE_NEWUSER | CLONE_NEWUTS, []() -> std::string {
    const Result<Procfs> proc = Procfs::open_host();
    const Result<Fd> uts = open_namespace(*proc, getpid(), "uts");
    const Result<Fd> user = open_namespace(*proc, getpid(), "user");
    NEED_OK(uts);
    NEED_OK(user);
    NEED(*get_namespace_type(*uts) == CLONE_NEWUTS);
    const Result<Fd> owner = get_owning_user_namespace(*uts);
    NEED_OK(owner);
    NEED(*is_same_namespace(*owner, *user));
    NEED(!*is_same_namespace(*owner, *uts));
    NEED(*get_owner_uid(*user) == 0);
    return {};
  });
}

TEST(Namespace, AFileThatIsNoneIsRefused) {
  const Result<Fd> file = open("/proc/self/status", O_RDONLY);
  EXPECT_ERRNO(get_namespace_type(*file), ENOTTY);
  const Status joined = setns(*file, CLONE_NEWNET);
  EXPECT_ERRNO(joined, EINVAL);
  EXPECT_NE(joined.error().text.find("CLONE_NEWNET"), std::string::npos);
}

TEST(Namespace, IsJoinedByDescriptor) {
  EXPECT_ISOLATED(CLONE_NEWUSER | CLONE_NEWUTS, []() -> std::string {
    const Result<Procfs> proc = Procfs::open_host();
    const Result<Fd> first = open_namespace(*proc, getpid(), "uts");
    NEED_OK(sethostname("first"));
    NEED_OK(unshare(CLONE_NEWUTS));
    NEED_OK(sethostname("second"));
    NEED_OK(setns(*first, CLONE_NEWUTS));
    NEED(*proc->read_file("sys/kernel/hostname") == "first\n");
    return {};
  });
}

bool is_up(const char *name) {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strncpy(static_cast<char *>(request.ifr_name), name, IFNAMSIZ - 1);
  return ::ioctl(socket.get(), SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) != 0;
}

TEST(Netlink, BringsTheLoopbackUp) {
  EXPECT_ISOLATED(CLONE_NEWUSER | CLONE_NEWNET, []() -> std::string {
    NEED(!is_up("lo"));
    NEED_OK(bring_up_loopback());
    NEED(is_up("lo"));
    return {};
  });
}

TEST(Netlink, ALinkThatIsNotThereIsNamed) {
  EXPECT_ISOLATED(CLONE_NEWUSER | CLONE_NEWNET, []() -> std::string {
    const Status moved = move_link("eth7", cwd, "");
    NEED(moved.error().number == ENODEV);
    NEED(moved.error().text == "ioctl(SIOCGIFINDEX, \"eth7\")");
    NEED(move_link("a-name-of-sixteen", cwd, "").error().number == EINVAL);
    NEED(bring_up_link("").error().number == EINVAL);
    return {};
  });
}

// A tun device: the one kind of link that a file descriptor makes.
TEST(Netlink, ALinkMovesAndGetsItsNewName) {
  EXPECT_ISOLATED(CLONE_NEWUSER | CLONE_NEWNET, []() -> std::string {
    const Result<Fd> tun = open("/dev/net/tun", O_RDWR);
    if (!tun) return "skip: " + tun.error().message();
    ifreq request{};
    std::strncpy(static_cast<char *>(request.ifr_name), "before", IFNAMSIZ - 1);
    request.ifr_flags = 0x0001 | 0x1000;  // IFF_TUN | IFF_NO_PI
    NEED(::ioctl(tun->get(), _IOW('T', 202, int), &request) == 0);
    const Result<Procfs> proc = Procfs::open_host();
    const Result<Fd> here = open_namespace(*proc, getpid(), "net");
    NEED_OK(unshare(CLONE_NEWNET));
    const Result<Fd> there = open_namespace(*proc, getpid(), "net");
    NEED_OK(setns(*here, CLONE_NEWNET));
    NEED_OK(move_link("before", *there, "after"));
    NEED(::if_nametoindex("before") == 0);
    NEED_OK(setns(*there, CLONE_NEWNET));
    NEED(::if_nametoindex("after") != 0);
    NEED_OK(bring_up_link("after"));
    return {};
  });
}

TEST(Keyring, ASessionGetsItsOwn) {
  EXPECT_ISOLATED(0, []() -> std::string {
    const Result<KeyId> key = join_session_keyring("_ses.skiff-test");
    if (!key && (key.error().number == ENOSYS || key.error().number == EPERM || key.error().number == EDQUOT)) {
      return "skip: " + key.error().message();
    }
    NEED_OK(key);
    const Result<std::string> description = keyctl_describe(*key);
    NEED_OK(description);
    NEED(description->starts_with("keyring;"));
    NEED(description->ends_with(";_ses.skiff-test"));
    NEED_OK(add_key_permissions(*key, 0x00080000));
    return {};
  });
}

}  // namespace
}  // namespace skiff::kernel
