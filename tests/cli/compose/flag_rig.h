// The flags of `run` down to a running container: what a user writes becomes a Service, that a config.json, and skiff
// runs it on the rig's busybox.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "compose/lower.h"
#include "tests/cli/rig.h"

namespace skiff::rig {

class FlagRig {
 public:
  FlagRig();

  // `run FLAGS... image sh -c SCRIPT`: what came of it. An error on the way is code 2, its message in `err`.
  [[nodiscard]] Outcome run(const std::vector<std::string> &flags, const std::string &script);
  // The same with another command than sh; `image` is what the image says.
  [[nodiscard]] Outcome run_words(const std::vector<std::string> &flags, const std::vector<std::string> &words);

  [[nodiscard]] Rig &rig() { return rig_; }
  [[nodiscard]] std::string path(const std::string &name) const { return rig_.path(name); }
  // A directory on the host, made.
  [[nodiscard]] std::string directory(const std::string &name) const;

  spec::ImageDefaults image;
  compose::HostFacts host;
  compose::LowerContext context;

 private:
  Rig rig_;
};

// Whether the container printed this; where it did not, why.
[[nodiscard]] ::testing::AssertionResult prints(const Outcome &outcome, const std::string &text);

}  // namespace skiff::rig

#define EXPECT_PRINTS(outcome, text) EXPECT_TRUE(skiff::rig::prints((outcome), (text)))
