#include "runtime/gate.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "runtime/kernel/path.h"
#include "runtime/sync.h"

namespace skiff {
namespace {

constexpr const char *name = "exec.fifo";  // as in runc's directories, where people and tools look for it
constexpr std::string_view go = "g";

Error init_died() { return {ESRCH, "container not running: its init process died before it was started", ""}; }

}  // namespace

Result<kernel::Fd> make_gate(const kernel::Fd &state_directory) {
  TRY(kernel::mknodat(state_directory, name, S_IFIFO | 0600, 0));
  return kernel::openat(state_directory, name, O_RDWR);
}

Status wait_at_gate(const kernel::Fd &gate) {
  char byte = 0;
  const std::size_t got = TRY(kernel::read_some(gate, {&byte, 1}));
  if (got != 1 || byte != go.front()) return fail("the gate of the container is broken");
  return {};
}

void report_at_gate(const kernel::Fd &gate, const Error &error) {
  // start reads it; where that fails too there is nobody left to tell.
  (void)kernel::write_some(gate, make_message(Word::failed, error));
}

Result<bool> is_gate_closed(const kernel::Fd &state_directory) {
  const Result<kernel::Fd> gate = kernel::find_at(state_directory, name, O_WRONLY | O_NONBLOCK);
  if (gate) return gate->valid();
  if (gate.error().number == ENXIO) return false;
  return std::unexpected(gate.error());
}

Status open_gate(const kernel::Fd &state_directory) {
  // The reading end first, so that what init writes cannot be lost between its death and our read.
  const kernel::Fd answer = TRY(kernel::openat(state_directory, name, O_RDONLY | O_NONBLOCK));
  {
    const kernel::Fd gate = TRY(kernel::openat(state_directory, name, O_WRONLY | O_NONBLOCK));
    TRY(kernel::write_all(gate, go));
  }
  // Without POLLIN: our own byte is there until init takes it. POLLHUP comes when the last writer, init, is gone.
  pollfd hangup{.fd = answer.get(), .events = 0, .revents = 0};
  TRY(kernel::poll({&hangup, 1}, kernel::forever));
  TRY(kernel::unlinkat(state_directory, name));
  const std::string said = TRY(kernel::read_all(answer, 1 << 16));
  if (said.empty()) return {};
  const Result<Received> message = parse_message(said);
  if (!message) return std::unexpected(init_died());
  return std::unexpected(message->error);
}

}  // namespace skiff
