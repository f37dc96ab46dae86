// Debian's docker-registry on loopback, with nothing in it.
#pragma once

#include <string>

#include "runtime/kernel/process.h"

namespace skiff::conformance {

class Registry {
 public:
  Registry() = default;
  // Keeps what it is given in `directory`. One without an address where the program is not installed.
  [[nodiscard]] static Result<Registry> start(const std::string &directory);

  // "127.0.0.1:PORT"
  [[nodiscard]] const std::string &address() const { return address_; }

 private:
  std::string address_;
  kernel::Child process_;
  kernel::Child reader_;  // of what it logs: a pipe that nobody reads would stop it
};

}  // namespace skiff::conformance
