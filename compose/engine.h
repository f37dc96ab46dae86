// What every command about containers works with: the places, and how the other programs are called.
#pragma once

#include <cstdint>
#include <string>

#include "compose/program.h"
#include "compose/state.h"
#include "runtime/cli/log.h"

namespace skiff::compose {

struct Engine {
  Places places;
  Words self;     // this program and the global flags that make it look at the same places
  Words runtime;  // skiff --root RUN/runtime
  Words image;    // skiff-image --store
  cli::Log log;

  [[nodiscard]] Words run_runtime(std::initializer_list<std::string> words) const;
  [[nodiscard]] Words run_image(std::initializer_list<std::string> words) const;
  [[nodiscard]] Words run_self(std::initializer_list<std::string> words) const;
};

// Whether supervisors that were killed are started again: by every command that people type.
enum class Supervisors : std::uint8_t { revive, leave };
// By the global flags; makes the places that are missing.
[[nodiscard]] Result<Engine> open_engine(const cli::Flags &global, const cli::Log &log,
                                         Supervisors supervisors = Supervisors::revive);

}  // namespace skiff::compose
