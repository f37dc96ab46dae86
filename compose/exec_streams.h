// Our standard streams and those of a program that exec starts. Without a terminal of its own it gets pipes in place of
// ours: who has the descriptor of a terminal may read what is typed there, and write into its input.
#pragma once

#include <string>
#include <vector>

#include "compose/attachment.h"
#include "compose/program.h"
#include "runtime/kernel/process.h"

namespace skiff::compose {

class ExecStreams {
 public:
  // `input`: ours is its own; `terminal`: the runtime has our streams, and makes it a terminal.
  [[nodiscard]] static Result<ExecStreams> open(bool input, bool terminal);

  // For start_program.
  [[nodiscard]] const Streams &of_program() const { return streams_; }
  // Until it has ended; its exit code. Signals that come to us are for it.
  [[nodiscard]] Result<int> attend(kernel::Child &child, const SignalProxy &signals);

 private:
  struct Lane {
    kernel::FdView terminal;
    kernel::Pipe pipe;
    bool inwards = false;
    std::string pending = {};  // read, and not written yet
  };

  Status add_lane(kernel::FdView ours, bool inwards, kernel::FdView &of_program);
  void close_program_ends();
  [[nodiscard]] static pollfd event_of(const Lane &lane);
  static Status move_some(Lane &lane);

  Streams streams_;
  std::vector<Lane> lanes_;
};

}  // namespace skiff::compose
