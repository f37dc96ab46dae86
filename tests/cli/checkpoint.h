// What the tests of checkpoint and restore share: a CRIU that works here, and a container to talk with.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/cli/background.h"

namespace skiff::rig {

// $SKIFF_CRIU, or criu of $PATH.
[[nodiscard]] std::string criu_program();
// Empty where it works here (`criu check`), or its own reason.
[[nodiscard]] std::string why_no_criu(const std::string &feature = "");

// A container whose stdin and stdout are pipes of the test. It counts the lines that it is told: what it answers shows
// whether it is the same process as before.
class Talk {
 public:
  explicit Talk(Rig &rig);
  // run --detach, checkpoint, restore --detach with our pipes; the images are in rig.path("images").
  [[nodiscard]] Outcome start(const std::vector<std::string> &flags = {});
  [[nodiscard]] Outcome checkpoint(const std::vector<std::string> &flags = {});
  [[nodiscard]] Outcome restore(const std::vector<std::string> &flags = {});
  [[nodiscard]] Outcome restore_and_stay();  // without --detach
  void tell(const std::string &line);
  // Writes a line and reads the answer: "2 there" to "there" that is the second.
  [[nodiscard]] std::string say(const std::string &line);

 private:
  [[nodiscard]] Outcome run(const std::vector<std::string> &words);
  Rig &rig_;
  kernel::Pipe in_;
  kernel::Pipe out_;
};

}  // namespace skiff::rig

#define REQUIRE_CRIU(...) \
  REQUIRE_ROOT();         \
  if (const std::string why = skiff::rig::why_no_criu(__VA_ARGS__); !why.empty()) GTEST_SKIP() << why
