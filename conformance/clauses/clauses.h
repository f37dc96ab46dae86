// The catalogue: what runtime-spec 1.3.0 demands of a runtime on Linux (MUST, MUST NOT, REQUIRED), one entry a demand.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace skiff::conformance {

struct Clause {
  std::string_view id;       // stable: what reports and cases cite
  std::string_view section;  // "config.md, Process"
  std::string_view gist;     // in our own words
  // Why no case can test it. Empty: a case does.
  std::string_view untested = {};
};

// runtime.md and runtime-linux.md; bundle.md; config.md; config-linux.md.
[[nodiscard]] std::span<const Clause> runtime_clauses();
[[nodiscard]] std::span<const Clause> bundle_clauses();
[[nodiscard]] std::span<const Clause> config_clauses();
[[nodiscard]] std::span<const Clause> mount_clauses();  // config.md, Mounts
[[nodiscard]] std::span<const Clause> hook_clauses();   // config.md, POSIX-platform Hooks
[[nodiscard]] std::span<const Clause> linux_clauses();
[[nodiscard]] std::span<const Clause> resource_clauses();  // config-linux.md, Control groups
[[nodiscard]] std::span<const Clause> seccomp_clauses();   // config-linux.md, Seccomp

[[nodiscard]] std::vector<Clause> all_clauses();
// nullptr: there is no such id.
[[nodiscard]] const Clause *find_clause(std::string_view id);

}  // namespace skiff::conformance
