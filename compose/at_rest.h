// Whether a container's program has come to wait for something, such as its first client: `up --wait` believes that one
// without a health check runs when it has. What fails while it starts is still at work until it has failed.
#pragma once

#include <sys/types.h>

#include <string>

namespace skiff::compose {

class RestWatch {
 public:
  // True where no thread of the process and its descendants works, and none has since the last look.
  [[nodiscard]] bool look(pid_t pid);

 private:
  std::string before_;
};

}  // namespace skiff::compose
