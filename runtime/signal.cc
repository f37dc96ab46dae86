#include "runtime/signal.h"

#include <fmt/format.h>
#include <signal.h>
#include <string.h>
#include <strings.h>

#include <charconv>
#include <optional>

#include "runtime/cgroup.h"
#include "runtime/kernel/process.h"

namespace skiff {
namespace {

std::optional<int> parse_integer(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<int> number_of(const std::string &name) {
  for (int number = 1; number < 32; ++number) {
    const char *known = sigabbrev_np(number);
    if (known != nullptr && strcasecmp(known, name.c_str()) == 0) return number;
  }
  if (strcasecmp(name.c_str(), "IOT") == 0) return SIGIOT;
  if (strcasecmp(name.c_str(), "CLD") == 0) return SIGCHLD;
  if (strcasecmp(name.c_str(), "POLL") == 0) return SIGPOLL;
  const bool low = strncasecmp(name.c_str(), "RTMIN", 5) == 0;
  const bool high = strncasecmp(name.c_str(), "RTMAX", 5) == 0;
  if (!low && !high) return std::nullopt;
  std::string_view offset = std::string_view(name).substr(5);
  if (offset.starts_with('+')) offset.remove_prefix(1);
  const std::optional<int> distance = offset.empty() ? 0 : parse_integer(offset);
  if (!distance) return std::nullopt;
  return (low ? SIGRTMIN : SIGRTMAX) + *distance;
}

}  // namespace

Result<int> parse_signal(std::string_view text) {
  std::optional<int> number = parse_integer(text);
  if (!number) {
    const std::string name(text);
    const bool prefixed = name.size() > 3 && strncasecmp(name.c_str(), "SIG", 3) == 0;
    number = number_of(prefixed ? name.substr(3) : name);
  }
  if (!number || *number < 0 || *number > SIGRTMAX) {
    return fail(fmt::format("unknown signal \"{}\"", text), "give a name such as SIGTERM or a number from 1 to 64");
  }
  return *number;
}

Status signal_container(const Container &container, int number, bool all) {
  const kernel::Procfs proc = TRY(kernel::Procfs::open_host());
  const Result<kernel::Fd> init = container.open_init(proc);
  if (!init && init.error().number != ESRCH) return std::unexpected(init.error());
  // containerd ends what is left of a pod this way after its init, and expects success.
  if (all) return TRY(Cgroup::open(container.record.cgroup_paths)).kill_all(number);
  if (number == SIGKILL && !container.record.new_pid_namespace) {
    // The kernel does not end the others with this init: it is not the first process of its pid namespace. They may
    // even have outlived it.
    Cgroup cgroup = TRY(Cgroup::open(container.record.cgroup_paths));
    if (init || !TRY(cgroup.processes()).empty()) return cgroup.kill_all(SIGKILL);
  }
  if (!init) return fail("container not running", "`skiff state` tells what it is");
  TRY(kernel::pidfd_send_signal(*init, number));
  // A frozen process takes SIGKILL only when it thaws.
  if (number == SIGKILL && TRY(container.status(proc)) == spec::ContainerStatus::paused) {
    return TRY(Cgroup::open(container.record.cgroup_paths)).thaw();
  }
  return {};
}

Status kill_init(const Container &container) {
  const kernel::Procfs proc = TRY(kernel::Procfs::open_host());
  const Result<kernel::Fd> init = container.open_init(proc);
  if (!init && init.error().number == ESRCH) return {};
  if (!init) return std::unexpected(init.error());
  TRY(kernel::pidfd_send_signal(*init, SIGKILL));
  TRY(TRY(Cgroup::open(container.record.cgroup_paths)).kill_all(SIGKILL));
  if (!TRY(kernel::wait_readable(*init, std::chrono::seconds(10)))) {
    return fail(ETIMEDOUT, fmt::format("process {} does not die", container.record.pid),
                fmt::format("it hangs in the kernel: see /proc/{}/stack", container.record.pid));
  }
  return {};
}

}  // namespace skiff
