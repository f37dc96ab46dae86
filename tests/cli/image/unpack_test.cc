// `skiff-image unpack`: its flags.
#include <gtest/gtest.h>

#include "tests/cli/image/image_rig.h"

namespace skiff::rig {
namespace {

TEST(ImageUnpack, AMappingThatIsNoneIsNamed) {
  ImageRig rig;
  for (const std::string text : {"1", "a:b:c:d", "0:1:2:3", "0:1:0", "0:1:", "0:-1:2", "0:4294967296:1"}) {
    const Outcome outcome = rig.image({"unpack", "--uid-map", text, "x", rig.path("bundle")});
    EXPECT_NE(outcome.code, 0) << text;
    EXPECT_NE(outcome.err.find("--uid-map: \"" + text + "\" is no mapping"), std::string::npos) << outcome.err;
  }
}

}  // namespace
}  // namespace skiff::rig
