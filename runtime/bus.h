// One connection to a D-Bus server over a unix socket: a message bus, or a service that listens itself.
//
// Every wait has an end: what does not answer within its time is an error (ETIMEDOUT).
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "runtime/bus_message.h"
#include "runtime/cgroup_wait.h"
#include "runtime/kernel/fd.h"

namespace skiff {

// An answer that is an error: its name and words.
struct BusRefusal {
  std::string name;  // org.freedesktop.systemd1.UnitExists
  std::string text;
};

// The body, or a refusal: some of those are expected.
using BusAnswer = std::expected<std::vector<BusValue>, BusRefusal>;

class Bus {
 public:
  enum class Kind : std::uint8_t { bus, service };
  // Connects and authenticates as whoever the kernel says that we are (EXTERNAL without a name, D-Bus specification,
  // "Authentication Mechanisms"): a uid that we would name ourselves is another one outside of our user namespace.
  // A bus then gives us our name. ENOENT and ECONNREFUSED where nobody listens.
  [[nodiscard]] static Result<Bus> connect(const std::string &socket, Kind kind, std::chrono::milliseconds patience);

  [[nodiscard]] Result<BusAnswer> call(const BusCall &call, const Deadline &deadline);
  // The next signal of this name, of those that came during calls too. ETIMEDOUT when the time is over.
  [[nodiscard]] Result<std::vector<BusValue>> wait_for_signal(std::string_view member, const Deadline &deadline);

 private:
  explicit Bus(kernel::Fd socket) : socket_(std::move(socket)) {}
  [[nodiscard]] Status authenticate(const Deadline &deadline);
  [[nodiscard]] Status receive_some(const Deadline &deadline);
  [[nodiscard]] Result<std::string> receive_line(const Deadline &deadline);
  [[nodiscard]] Result<BusMessage> receive(const Deadline &deadline);

  kernel::Fd socket_;
  std::string received_;             // not yet a whole message
  std::vector<BusMessage> signals_;  // not yet asked for
  std::uint32_t last_serial_ = 0;
};

// The path of the first unix:path= in a D-Bus address, its %xx undone; empty where there is none.
[[nodiscard]] std::string find_socket(std::string_view address);

}  // namespace skiff
