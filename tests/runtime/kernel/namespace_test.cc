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
    const Result<RouteSocket> socket = RouteSocket::open();
    NEED_OK(socket);
    const Result<int> found = socket->find_link("eth7");
    NEED(found.error().number == ENODEV);
    NEED(found.error().text == "ioctl(SIOCGIFINDEX, \"eth7\")");
    NEED(socket->find_link("a-name-of-sixteen").error().number == EINVAL);
    NEED(socket->find_link("").error().number == EINVAL);
    NEED(socket->set_up(4711).error().number == ENODEV);
    NEED(socket->move_link(1, cwd, "a-name-of-sixteen").error().number == EINVAL);
    return {};
  });
}

TEST(Netlink, AddressesAreThoseOfTheLinkThatIsAskedFor) {
  EXPECT_ISOLATED(CLONE_NEWUSER | CLONE_NEWNET, []() -> std::string {
    const Result<RouteSocket> socket = RouteSocket::open();
    const int loopback = *socket->find_link("lo");
    NEED(socket->list_addresses(loopback)->empty());
    LinkAddress address;
    address.family = AF_INET;
    address.prefix_length = 8;
    address.local = std::string("\x7f\0\0\x05", 4);
    NEED_OK(socket->add_address(loopback, address));
    NEED(socket->list_addresses(loopback)->size() == 1);
    NEED(socket->list_addresses(loopback)->front().local == address.local);
    NEED(socket->list_addresses(loopback + 1)->empty());
    NEED(socket->list_links()->front().name == "lo");
    const Status twice = socket->add_address(loopback, address);
    NEED(twice.error().number == EEXIST);
    NEED(twice.error().text.starts_with("rtnetlink(RTM_NEWADDR, 1, \"127.0.0.5/8\")"));
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
