// A stage while it is carried out: the image's configuration so far, and the variables in scope. Instructions that
// change nothing else are applied here. Pure.
#pragma once

#include <string>
#include <vector>

#include "imgtool/build_plan.h"
#include "spec/image.h"

namespace skiff::image {

struct StageState {
  spec::ImageConfig config;
  Arguments arguments;       // declared by ARG, with a value
  bool command_set = false;  // CMD stood in this stage: an ENTRYPOINT after it leaves it

  // ENV before ARG ("Using ARG variables").
  [[nodiscard]] Variables variables() const;
  // SHELL, or /bin/sh -c.
  [[nodiscard]] std::vector<std::string> shell() const;
  // What a RUN sees: ENV, and the arguments that no ENV hides.
  [[nodiscard]] std::vector<std::string> environment() const;
  // A path of an instruction: relative to WORKDIR; "." and ".." resolved, without a '/' at the end but for "/".
  [[nodiscard]] std::string absolute(std::string_view path) const;
};

// Whether it changes the configuration alone: all but FROM, RUN, COPY, ADD and WORKDIR (which makes a directory, too).
[[nodiscard]] bool is_setting(const Instruction &instruction);
// Such an instruction, or the part of WORKDIR that is one. Errors without the line.
[[nodiscard]] Status apply_setting(const BuildPlan &plan, const Instruction &instruction, StageState &state);

// JSON form or shell form: the words to execute.
[[nodiscard]] std::vector<std::string> command_words(const Instruction &instruction, const StageState &state);

}  // namespace skiff::image
