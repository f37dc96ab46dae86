// One fault in one command, and what is wrong afterwards.
#pragma once

#include <string>
#include <vector>

#include "conformance/faults/scene.h"

namespace skiff::conformance {

enum class Flaw : std::uint8_t {
  leak,      // something is left that `delete --force` does not remove
  hang,      // the command, or the `delete --force` after it, does not end
  harm,      // the container beside it is not what it was, or the one that a command that failed should have let be
  silent,    // it says that it succeeded, and has not done it, or not all of it
  wordless,  // it fails without a word about the call that failed or about its error
  remains,   // a command that makes a container fails, and `delete --force` is needed
};
inline constexpr std::size_t flaw_count = 6;
[[nodiscard]] std::string_view flaw_name(Flaw flaw);

// How the command goes where nothing fails.
struct Reference {
  Facts facts;  // those that are the same each time
  std::vector<TracedCall> calls;
};
[[nodiscard]] Result<Reference> learn(Site &site, const Scene &scene);

struct Complaint {
  Flaw flaw;
  std::string text;
};
struct Attempt {
  bool reached = false;  // the call was made
  std::string path;      // its argument
  std::vector<Complaint> complaints;
};
// An error only where no more can be tried at this site.
[[nodiscard]] Result<Attempt> attempt(Site &site, const Scene &scene, const Reference &reference,
                                      const Injection &injection);

}  // namespace skiff::conformance
