#include "tests/compose/network_rig.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "compose/address.h"
#include "runtime/kernel/mount.h"
#include "runtime/kernel/namespace.h"
#include "runtime/kernel/netlink.h"
#include "runtime/kernel/socket.h"

namespace skiff::compose {
namespace {

std::string firewall_rules() {
  std::string text;
  for (const char *program : {"iptables-save", "ip6tables-save"}) {
    const Result<std::string> path = find_program(program);
    const Result<std::string> saved = path ? call_program({*path}) : std::unexpected(path.error());
    EXPECT_TRUE(saved) << saved.error().message();
    if (!saved) continue;
    // Its comments hold the time, its chains their counters.
    for (std::size_t at = 0; at < saved->size();) {
      const std::size_t end = saved->find('\n', at);
      const std::string line = saved->substr(at, end - at);
      if (line.starts_with("-A") || (line.starts_with(':') && line.contains(" - "))) text += line + "\n";
      at = end + 1;
    }
  }
  return text;
}

std::string links() {
  const Result<kernel::RouteSocket> socket = kernel::RouteSocket::open();
  if (!socket) return socket.error().message();
  std::string text;
  const std::vector<kernel::Link> all = socket->list_links().value();
  for (const kernel::Link &link : all) text += link.name + " ";
  return text;
}

sockaddr_in name_of(const std::string &address, std::uint16_t port) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  ::inet_pton(AF_INET, address.c_str(), &name.sin_addr);
  return name;
}

std::string read_answer(const kernel::Fd &socket, std::chrono::milliseconds patience) {
  std::array<char, 1500> buffer{};
  if (!kernel::wait_readable(socket, patience).value_or(false)) return "no answer";
  const Result<std::size_t> count = kernel::read_some(socket, buffer);
  return count ? std::string(buffer.data(), *count) : count.error().message();
}

std::string text_of(const sockaddr_in &name) {
  std::array<char, INET_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET, &name.sin_addr, text.data(), text.size());
  return text.data();
}

void answer_one(const kernel::Fd &socket, const std::string &protocol) {
  sockaddr_in from{};
  socklen_t size = sizeof(from);
  auto *generic = reinterpret_cast<sockaddr *>(&from);
  if (protocol == "udp") {
    std::array<char, 64> buffer{};
    (void)::recvfrom(socket.get(), buffer.data(), buffer.size(), 0, generic, &size);
    const std::string text = "hello " + text_of(from);
    (void)::sendto(socket.get(), text.data(), text.size(), 0, generic, size);
    return;
  }
  const kernel::Fd peer(::accept(socket.get(), generic, &size));
  (void)kernel::write_all(peer, "hello " + text_of(from));
}

}  // namespace

void NetworkTest::SetUp() {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  places_ = {.data = directory_.path() + "/state", .run = directory_.path() + "/state/run"};
  ASSERT_TRUE(kernel::unshare(CLONE_NEWNET | CLONE_NEWNS));
  ASSERT_TRUE(kernel::mount("", "/", "", MS_REC | MS_PRIVATE));
  ASSERT_TRUE(kernel::bring_up_loopback());
  ASSERT_TRUE(make_places(places_));
  rules_before_ = firewall_rules();
  runs_ = true;
}

void NetworkTest::TearDown() {
  if (!runs_) return;
  const std::vector<NetworkState> states = list_attached(places_).value();
  for (const NetworkState &state : states) {
    const Status detached = detach_networks(places_, state.container);
    EXPECT_TRUE(detached) << detached.error().message();
  }
  EXPECT_EQ(links(), "lo ");
  EXPECT_EQ(firewall_rules(), rules_before_);
  for (const char *folder : {"/networks/attached", "/networks/namespaces"}) {
    const Result<kernel::Fd> fd = kernel::open(places_.run + folder, O_RDONLY | O_DIRECTORY);
    if (!fd) continue;
    EXPECT_EQ(kernel::list_directory(*fd).value(), std::vector<std::string>());
  }
}

NetworkRecord NetworkTest::make_network(const std::string &name) const {
  Network network;
  network.key = name;
  network.name = name;
  const Result<NetworkRecord> record = create_network(places_, network);
  EXPECT_TRUE(record) << record.error().message();
  return record.value_or(NetworkRecord{});
}

NetworkState NetworkTest::attach(const std::string &container, const std::string &network,
                                 const std::vector<Port> &ports) {
  Attachment attachment;
  attachment.network = network;
  attachment.aliases = {container + "-alias"};
  const Result<NetworkState> state = attach_as(
      {.container = container + "0123456789abcdef", .name = container, .attachments = {attachment}, .ports = ports});
  EXPECT_TRUE(state) << state.error().message();
  return state.value_or(NetworkState{});
}

Result<NetworkState> NetworkTest::attach_as(const NetworkRequest &request) const {
  TRY(attach_networks(places_, request));
  return join_networks(places_, request.container, 0);
}

void call(const Words &words, const std::string &input) {
  Words whole = words;
  const Result<std::string> path = find_program(words.front());
  ASSERT_TRUE(path) << path.error().message();
  whole.front() = *path;
  const Result<std::string> called = call_program(whole, input);
  ASSERT_TRUE(called) << called.error().message();
}

std::string run_inside(const std::string &path, const std::function<std::string()> &inside) {
  kernel::SocketPair sockets = kernel::socketpair().value();
  kernel::Child child = kernel::clone3({}).value();
  if (child.is_this_process()) {
    if (!path.empty() && !kernel::setns(kernel::open(path, O_RDONLY).value(), CLONE_NEWNET)) _exit(1);
    _exit(kernel::send_message(sockets.other, inside()) ? 0 : 1);
  }
  sockets.other.reset();
  const auto message = kernel::recv_message(sockets.one, 65536, 0);
  EXPECT_EQ(child.wait()->shell_code(), 0);
  return message && *message ? (*message)->bytes : "nothing";
}

std::string ask_name(const std::string &server, const std::string &name) {
  // RFC 1035, 4.1: a header with one question, which wants recursion, for an A record.
  std::string query("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", 12);
  query += static_cast<char>(name.size()) + name + std::string("\x00\x00\x01\x00\x01", 5);
  const kernel::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const sockaddr_in to = name_of(server, 53);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr *>(&to), sizeof(to)) != 0) return std::strerror(errno);
  if (!kernel::write_all(socket, query)) return "the query cannot be sent";
  // What it does not know it asks of the host's servers, which may be out of reach.
  const std::string answer = read_answer(socket, std::chrono::milliseconds(250));
  if (answer.size() < query.size() + 16) return fmt::format("code {}", answer.size() > 3 ? answer[3] & 15 : -1);
  std::array<char, INET_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET, answer.data() + answer.size() - 4, text.data(), text.size());
  return text.data();
}

std::string find_name(const std::string &server, const std::string &name) {
  std::string answer;
  for (int tries = 0; tries < 20000 && !Address::parse(answer); ++tries) answer = ask_name(server, name);
  return answer;
}

kernel::Child serve(const std::string &path, const std::string &protocol, std::uint16_t port) {
  kernel::SocketPair ready = kernel::socketpair().value();
  kernel::Child child = kernel::clone3({}).value();
  if (child.is_this_process()) {
    if (!kernel::setns(kernel::open(path, O_RDONLY).value(), CLONE_NEWNET)) _exit(1);
    const kernel::Fd socket(::socket(AF_INET, (protocol == "udp" ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0));
    const sockaddr_in name = name_of("0.0.0.0", port);
    if (::bind(socket.get(), reinterpret_cast<const sockaddr *>(&name), sizeof(name)) != 0) _exit(1);
    if (protocol != "udp" && ::listen(socket.get(), 1) != 0) _exit(1);
    (void)kernel::send_message(ready.other, "ready");
    answer_one(socket, protocol);
    _exit(0);
  }
  ready.other.reset();
  EXPECT_TRUE(kernel::recv_message(ready.one, 16, 0).value());
  return child;
}

std::string talk_to(const std::string &protocol, const std::string &address, std::uint16_t port,
                    std::chrono::milliseconds patience) {
  const kernel::Fd socket(::socket(AF_INET, (protocol == "udp" ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0));
  const sockaddr_in to = name_of(address, port);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr *>(&to), sizeof(to)) != 0) return std::strerror(errno);
  if (protocol == "udp" && !kernel::write_all(socket, "hi")) return "the datagram cannot be sent";
  return read_answer(socket, patience);
}

}  // namespace skiff::compose
