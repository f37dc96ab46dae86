// The steps that turn init, or the process of an exec, into the user's process: config.md, "Process", in the order that
// privileges allow.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/plan.h"

namespace skiff {

// What is decided outside of `process`.
struct ProcessContext {
  const spec::Config *config = nullptr;     // borrowed, never null: the container's
  const Host *host = nullptr;               // borrowed, never null
  const SeccompProgram *seccomp = nullptr;  // as in PlanOptions
  bool defer_seccomp = false;
};

struct ProcessSteps {
  std::vector<Step> steps;
  std::vector<Step> outer_rlimits;  // the container has a user namespace: the parent sets them
  std::vector<std::string> warnings;
};

// Errors name their field: an rlimit, a personality, a seccomp rule; groups that this user may not set.
[[nodiscard]] Result<ProcessSteps> make_process_steps(const spec::Process &process, const ProcessContext &context);

// The variables as the program gets them: of those with one name the last, and LISTEN_FDS and LISTEN_PID where
// descriptors are passed (sd_listen_fds(3); the container's process is number 1 of its pid namespace).
[[nodiscard]] std::vector<std::string> make_environment(const std::vector<std::string> &env, std::uint32_t listen_fds);

// The bit of "CAP_CHOWN", as capabilities(7) counts them; 0 for another name.
[[nodiscard]] std::uint64_t parse_capability_bit(std::string_view name);
// Every name it knows, whether this kernel does or not.
[[nodiscard]] std::span<const std::string_view> known_capabilities();
// The name of number `n`; empty where it has none.
[[nodiscard]] std::string_view capability_name(unsigned n);

// Whether the container has a user namespace, new or joined.
[[nodiscard]] bool has_user_namespace(const spec::Config &config);

}  // namespace skiff
