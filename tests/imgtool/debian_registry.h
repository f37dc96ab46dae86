// Debian's docker-registry, a process of the test's own with its own directory, on a port of loopback that it chooses.
#pragma once

#include <string>
#include <thread>

#include "runtime/kernel/process.h"
#include "tests/runtime/temporary_directory.h"

namespace skiff::image::testing {

class DebianRegistry {
 public:
  // False where the program is not installed.
  [[nodiscard]] static bool is_installed();

  // `more` is put behind the configuration: what it listens to by TLS, whom it lets in. DIRECTORY in it is its own.
  explicit DebianRegistry(std::string more = "", std::string more_http = "");
  DebianRegistry(const DebianRegistry &) = delete;
  DebianRegistry &operator=(const DebianRegistry &) = delete;
  ~DebianRegistry();

  [[nodiscard]] std::string host() const { return host_; }  // "127.0.0.1:PORT"

 private:
  TemporaryDirectory directory_;
  std::string host_;
  kernel::Child process_;
  kernel::Fd log_;
  std::thread reader_;  // empties the log, which would stop the process when it is full
};

}  // namespace skiff::image::testing
