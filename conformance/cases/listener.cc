// config-linux.md, Seccomp: listenerPath, and The Container Process State that is sent there.
#include <fmt/format.h>
#include <sys/syscall.h>

#include "conformance/cases/tables.h"
#include "conformance/stage.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/socket.h"

namespace skiff::conformance {
namespace {

constexpr std::size_t longest = 65536;

void add_listener(Stage &stage, const std::string &path) {
  stage.config.set("/linux/seccomp", R"({"defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "some words",
    "syscalls": [{"names": ["getpgid"], "action": "SCMP_ACT_NOTIFY"}]})"_json);
  stage.config.set("/linux/seccomp/listenerPath", path);
}

// What came over one connection, from its begin to its end.
struct Delivery {
  std::string bytes;
  std::size_t first_fds = 0;  // with the first bytes
  std::size_t later_fds = 0;
  std::vector<kernel::Fd> fds;
};

Result<Delivery> receive(const kernel::Fd &listener, Clock::time_point deadline) {
  if (!TRY(kernel::wait_readable(listener, left(deadline)))) return fail("nobody connected to listenerPath");
  const kernel::Fd connection = TRY(kernel::accept4(listener));
  Delivery delivery;
  for (bool first = true;; first = false) {
    if (!TRY(kernel::wait_readable(connection, left(deadline))))
      return fail("the connection to listenerPath stays open");
    std::optional<kernel::Message> message = TRY(kernel::recv_message(connection, longest, 8));
    if (!message) return delivery;
    (first ? delivery.first_fds : delivery.later_fds) += message->fds.size();
    delivery.bytes += message->bytes;
    for (kernel::Fd &fd : message->fds) delivery.fds.push_back(std::move(fd));
  }
}

Result<Delivery> deliver(Stage &stage) {
  const std::string path = stage.path("agent");
  const kernel::Fd listener = TRY(kernel::listen_unix(kernel::cwd, path, SOCK_STREAM, 4));
  add_listener(stage, path);
  TRY(stage.started());
  Delivery delivery = TRY(receive(listener, stage.deadline()));
  (void)TRY(stage.line());
  if (TRY(kernel::wait_readable(listener, std::chrono::milliseconds(0)))) return fail("a second connection was made");
  return delivery;
}

Verdict document(Stage &stage) {
  const Delivery delivery = TRY(deliver(stage));
  // One document and nothing after it: the parser refuses more.
  const Tree state = TRY(in("the container process state", Tree::parse(delivery.bytes)));
  TRY(expect(!state.text("/ociVersion").empty(), "its ociVersion", "a version", "nothing"));
  TRY(expect_same("its metadata", state.text("/metadata"), "some words"));
  TRY(expect_same("the id of its state", state.text("/state/id"), stage.id()));
  TRY(expect_same("the bundle of its state", state.text("/state/bundle"), stage.bundle()));
  return expect(state.number("/pid").value_or(0) > 1, "its pid", "a process", state.text("/pid"));
}

Verdict descriptors(Stage &stage) {
  const Delivery delivery = TRY(deliver(stage));
  const Tree state = TRY(Tree::parse(delivery.bytes));
  TRY(expect_same("the names of the descriptors", state.texts("/fds"), {"seccompFd"}));
  TRY(expect_number("descriptors with the first bytes", static_cast<std::int64_t>(delivery.first_fds), 1));
  TRY(expect_number("descriptors with later bytes", static_cast<std::int64_t>(delivery.later_fds), 0));
  const std::string link =
      TRY(kernel::readlinkat(kernel::cwd, fmt::format("/proc/self/fd/{}", delivery.fds.front().get())));
  return expect_same("the descriptor", link, "anon_inode:seccomp notify");
}

Verdict nobody_listens(Stage &stage) {
  add_listener(stage, stage.path("nobody"));
  return expect_refused(stage, "a listenerPath that nobody listens on");
}

Verdict unused_listener(Stage &stage) {
  add_listener(stage, stage.path("nobody"));
  stage.config.set("/linux/seccomp/syscalls/0/action", "SCMP_ACT_ERRNO");
  (void)TRY(stage.observed());
  return {};
}

constexpr Case table[] = {
    {"listener/gets-one-document",
     "linux.seccomp.listenerPath.socket linux.seccomp.listenerPath.one linux.seccomp.listenerPath.closed "
     "linux.seccomp.state.json linux.seccomp.state.ociVersion linux.seccomp.state.pid linux.seccomp.state.state",
     document},
    {"listener/gets-the-descriptor", "linux.seccomp.seccompFd linux.seccomp.state.rights linux.seccomp.state.first",
     descriptors},
    {"listener/must-be-there", "linux.seccomp.listenerPath.error", nobody_listens},
    {"listener/is-ignored-without-notify", "linux.seccomp.listenerPath.socket", unused_listener},
};

}  // namespace

std::span<const Case> listener_cases() { return table; }

}  // namespace skiff::conformance
