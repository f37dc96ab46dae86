#include "tests/cli/compose/user_rig.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>

#include "runtime/kernel/namespace.h"
#include "runtime/kernel/netlink.h"
#include "runtime/kernel/socket.h"
#include "tests/cli/compose/engine_rig.h"
#include "tests/cli/compose/remove_containers.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

constexpr unsigned user_id = 61236;
constexpr const char *tun = "/dev/net/tun";
constexpr const char *setpriv = "/usr/bin/setpriv";

std::vector<std::string> as_user() {
  const std::string id = std::to_string(user_id);
  return {setpriv, "--reuid", id, "--regid", id, "--clear-groups"};
}

// Held by a descriptor, it is there as long as the rig; what goes out by it is lost.
kernel::Fd make_uplink() {
  kernel::Fd device = kernel::open(tun, O_RDWR).value();
  ifreq request{};
  std::strncpy(request.ifr_name, "up0", IFNAMSIZ - 1);
  request.ifr_flags = 0x0001 | 0x1000;  // IFF_TUN | IFF_NO_PI
  EXPECT_EQ(::ioctl(device.get(), _IOW('T', 202, int), &request), 0);
  const std::string script = std::string("set -e; ip link set up0 up; ip addr add ") + UserRig::host_address +
                             "/24 dev up0; ip route add default via 198.51.100.1; ip addr add " +
                             UserRig::other_address + "/32 dev lo; ip addr add " + UserRig::other_address6 +
                             "/128 dev lo";
  const Outcome made = run_program({"/bin/busybox", "sh", "-c", script});
  EXPECT_EQ(made.code, 0) << made.err;
  return device;
}

struct Name {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  [[nodiscard]] sockaddr *generic() { return reinterpret_cast<sockaddr *>(&storage); }
};

Name name_of(const std::string &address, std::uint16_t port) {
  Name name;
  if (address.contains(':')) {
    auto &in6 = reinterpret_cast<sockaddr_in6 &>(name.storage);
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(port);
    ::inet_pton(AF_INET6, address.c_str(), &in6.sin6_addr);
    name.size = sizeof(in6);
  } else {
    auto &in4 = reinterpret_cast<sockaddr_in &>(name.storage);
    in4.sin_family = AF_INET;
    in4.sin_port = htons(port);
    ::inet_pton(AF_INET, address.c_str(), &in4.sin_addr);
    name.size = sizeof(in4);
  }
  return name;
}

// IPv4 mapped into IPv6, as a socket of both sees it, is written as IPv4.
std::string text_of(const Name &name) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6 &>(name.storage).sin6_addr, text.data(), text.size());
  const std::string_view address(text.data());
  return std::string(address.starts_with("::ffff:") ? address.substr(7) : address);
}

[[noreturn]] void answer_all(const kernel::Fd &socket, int type) {
  std::array<char, 64> buffer{};
  while (true) {
    Name from;
    if (type == SOCK_DGRAM) {
      if (::recvfrom(socket.get(), buffer.data(), buffer.size(), 0, from.generic(), &from.size) < 0) _exit(1);
      const std::string text = text_of(from);
      (void)::sendto(socket.get(), text.data(), text.size(), 0, from.generic(), from.size);
    } else {
      const kernel::Fd peer(::accept(socket.get(), from.generic(), &from.size));
      // What a server leaves unread resets the connection.
      for (std::string request; !request.ends_with("\r\n\r\n");) {
        const Result<std::size_t> count = kernel::read_some(peer, buffer);
        if (!count || *count == 0) break;
        request.append(buffer.data(), *count);
      }
      const std::string text = text_of(from);
      (void)kernel::write_all(peer,
                              "HTTP/1.0 200 OK\r\nContent-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text);
    }
  }
}

// RFC 1035, 4.1.1: the question with the answer's bit and code 3, that there is no such name.
[[noreturn]] void know_nothing(const kernel::Fd &socket) {
  std::array<char, 512> message{};
  while (true) {
    Name from;
    const ssize_t size = ::recvfrom(socket.get(), message.data(), message.size(), 0, from.generic(), &from.size);
    if (size < 12) continue;
    message[2] = static_cast<char>(0x81);
    message[3] = static_cast<char>(0x83);
    (void)::sendto(socket.get(), message.data(), static_cast<std::size_t>(size), 0, from.generic(), from.size);
  }
}

kernel::Child start_resolver() {
  kernel::SocketPair ready = kernel::socketpair().value();
  kernel::Child child = kernel::clone3({}).value();
  if (child.is_this_process()) {
    const kernel::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    Name name = name_of(UserRig::host_address, 53);
    if (::bind(socket.get(), name.generic(), name.size) != 0) _exit(1);
    (void)kernel::send_message(ready.other, "ready");
    know_nothing(socket);
  }
  ready.other.reset();
  EXPECT_TRUE(kernel::recv_message(ready.one, 16, 0).value());
  return child;
}

}  // namespace

std::string UserRig::missing() {
  if (::geteuid() != 0) return "needs root";
  if (::access(setpriv, X_OK) != 0) return "needs setpriv (util-linux)";
  if (::access(tun, F_OK) != 0) return "needs /dev/net/tun";
  return {};
}

void UserRig::bind(const std::string &name, const std::string &target, const std::string &text) {
  write_file(path(name), text);
  EXPECT_EQ(::mount(path(name).c_str(), target.c_str(), "", MS_BIND, nullptr), 0) << target;
  bound_.push_back(target);
}

// Who he is stands in this mount namespace alone.
void UserRig::grant_ids() {
  const std::string id = std::to_string(user_id);
  const std::string entry = "skiff-rig:x:" + id + ":" + id + "::" + path("") + ":/bin/sh\n";
  bind("passwd", "/etc/passwd", read_file("/etc/passwd") + entry);
  for (const char *name : {"subuid", "subgid"}) {
    bind(name, std::string("/etc/") + name, "skiff-rig:" + std::to_string(granted) + ":65536\n");
  }
}

UserRig::UserRig(Ids ids) {
  EXPECT_EQ(::unshare(CLONE_NEWNET | CLONE_NEWNS), 0);
  EXPECT_EQ(::mount("", "/", "", MS_REC | MS_PRIVATE, nullptr), 0);
  EXPECT_TRUE(kernel::bring_up_loopback());
  // As udev has it; a host without has it for root alone.
  const std::string device = path("tun");
  EXPECT_EQ(::mknod(device.c_str(), S_IFCHR | 0666, makedev(10, 200)), 0);
  EXPECT_EQ(::chmod(device.c_str(), 0666), 0);
  EXPECT_EQ(::mount(device.c_str(), tun, "", MS_BIND, nullptr), 0);
  uplink_ = make_uplink();
  resolver_ = start_resolver();
  bind("resolv.conf", "/etc/resolv.conf", std::string("nameserver ") + host_address + "\n");
  rig_.become(user_id, as_user());
  // Root's: newuidmap(1) counts on them.
  if (ids == Ids::granted) grant_ids();
}

UserRig::~UserRig() {
  remove_containers([&](const std::vector<std::string> &words) { return compose(words); });
  EXPECT_EQ(leftovers(), std::vector<std::string>());
  ::umount2(tun, MNT_DETACH);
  for (const std::string &target : bound_) ::umount2(target.c_str(), MNT_DETACH);
}

std::vector<std::string> UserRig::leftovers() const {
  std::vector<std::string> found;
  // Supervisors and monitors end by themselves once their last container is gone.
  for (const int pid : processes_with(state())) {
    if (!wait_for_end(pid)) found.push_back(read_file("/proc/" + std::to_string(pid) + "/cmdline"));
  }
  for (const char *folder : {"attached", "namespaces", "forwarders"}) {
    std::error_code ignored;
    for (const auto &entry : fs::directory_iterator(state() + "/run/networks/" + folder, ignored)) {
      found.push_back(entry.path());
    }
  }
  for (const char *file : {"holder", "pasta.pid"}) {
    if (fs::exists(state() + "/run/networks/" + file)) found.emplace_back(file);
  }
  return found;
}

Outcome UserRig::compose(const std::vector<std::string> &words, const std::vector<std::string> &front) {
  std::vector<std::string> all = as_user();
  all.insert(all.end(), {"/usr/bin/env", "-C", path(""), "PATH=/usr/bin:/bin"});
  all.insert(all.end(), front.begin(), front.end());
  all.insert(all.end(), {SKIFF_COMPOSE_PROGRAM, "--state", state(), "--store", path("store")});
  all.insert(all.end(), words.begin(), words.end());
  return run_program(all);
}

Outcome UserRig::run(const std::vector<std::string> &flags, const std::string &script,
                     const std::vector<std::string> &front) {
  std::vector<std::string> words = {"run"};
  words.insert(words.end(), flags.begin(), flags.end());
  words.insert(words.end(), {"--rootfs", rig_.rootfs(), "sh", "-c", script});
  return compose(words, front);
}

void UserRig::make_image() {
  std::vector<std::string> words = as_user();
  words.insert(words.end(), {SKIFF_IMAGE_PROGRAM, "--store", path("store"), "-q", "minimal", "-t", "example/busybox",
                             "/bin/busybox"});
  const Outcome made = run_program(words);
  EXPECT_EQ(made.code, 0) << made.err;
}

void UserRig::make_owned_image() {
  const fs::path tree = path("owned");
  for (const char *folder : {"bin", "data", "etc", "tmp"}) fs::create_directories(tree / folder);
  fs::copy_file("/bin/busybox", tree / "bin/busybox");
  for (const char *name : {"sh", "cat", "chmod", "id", "mkdir", "rm", "sleep", "stat"}) {
    fs::create_symlink("busybox", tree / "bin" / name);
  }
  write_file(tree / "etc/passwd", "root:x:0:0::/:/bin/sh\nkeeper:x:70:71::/:/bin/sh\n");
  write_file(tree / "data/file", "kept\n");
  EXPECT_EQ(::mknod((tree / "device").c_str(), S_IFCHR | 0666, makedev(1, 3)), 0);
  EXPECT_EQ(::chmod((tree / "device").c_str(), 0666), 0);
  for (const char *name : {"data/file", "data"}) EXPECT_EQ(::chown((tree / name).c_str(), 70, 71), 0);
  EXPECT_EQ(::chmod((tree / "data/file").c_str(), 0600), 0);
  EXPECT_EQ(::chmod((tree / "data").c_str(), 0700), 0);
  const std::string archive = path("owned.tar");
  EXPECT_EQ(run_program({"/usr/bin/tar", "-C", tree, "-cf", archive, "."}).code, 0);
  EXPECT_EQ(::chmod(archive.c_str(), 0644), 0);
  std::vector<std::string> words = as_user();
  words.insert(words.end(), {SKIFF_IMAGE_PROGRAM, "--store", path("store"), "-q", "import", "-u", "keeper", archive,
                             "example/owned"});
  const Outcome made = run_program(words);
  EXPECT_EQ(made.code, 0) << made.err;
}

void UserRig::write(const std::string &name, const std::string &text) { write_file(path(name), text); }

int UserRig::pid_of(const std::string &container) {
  return Json::parse(compose({"inspect", container}).out).at(0)["State"]["Pid"];
}

kernel::Child serve_in(int pid, int type, std::uint16_t port) {
  kernel::SocketPair ready = kernel::socketpair().value();
  kernel::Child child = kernel::clone3({}).value();
  if (child.is_this_process()) {
    const std::string path = "/proc/" + std::to_string(pid) + "/ns/net";
    if (!kernel::setns(kernel::open(path, O_RDONLY).value(), CLONE_NEWNET)) _exit(1);
    const kernel::Fd socket(::socket(AF_INET6, type | SOCK_CLOEXEC, 0));
    Name name = name_of("::", port);
    if (::bind(socket.get(), name.generic(), name.size) != 0) _exit(1);
    if (type == SOCK_STREAM && ::listen(socket.get(), 8) != 0) _exit(1);
    (void)kernel::send_message(ready.other, "ready");
    answer_all(socket, type);
  }
  ready.other.reset();
  EXPECT_TRUE(kernel::recv_message(ready.one, 16, 0).value());
  return child;
}

std::string ask(int type, const std::string &from, const std::string &address, std::uint16_t port) {
  Name own = name_of(from, 0);
  Name to = name_of(address, port);
  const kernel::Fd socket(::socket(to.storage.ss_family, type | SOCK_CLOEXEC, 0));
  if (::bind(socket.get(), own.generic(), own.size) != 0) return std::strerror(errno);
  if (::connect(socket.get(), to.generic(), to.size) != 0) return std::strerror(errno);
  if (!kernel::write_all(socket, "hello\r\n\r\n")) return "nothing can be sent";
  std::array<char, 256> buffer{};
  if (!kernel::wait_readable(socket, std::chrono::seconds(20)).value_or(false)) return "no answer";
  const Result<std::size_t> count = kernel::read_some(socket, buffer);
  if (!count) return count.error().message();
  const std::string answer(buffer.data(), *count);
  return answer.substr(answer.rfind('\n') + 1);
}

}  // namespace skiff::rig
