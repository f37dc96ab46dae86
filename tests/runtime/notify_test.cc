#include "runtime/notify.h"

#include <gtest/gtest.h>

namespace skiff {
namespace {

TEST(NotifyLines, OnlyWhatAContainerMaySayOfTheServiceIsPassedOn) {  // sd_notify(3)
  EXPECT_EQ(lines_to_pass_on("READY=1"), "READY=1\n");
  EXPECT_EQ(lines_to_pass_on("READY=1\nMAINPID=1\nFDSTORE=1\nSTATUS=a b\n"), "READY=1\nSTATUS=a b\n");
  EXPECT_EQ(lines_to_pass_on("RELOADING=1\nMONOTONIC_USEC=5\nERRNO=2\nWATCHDOG=1\nEXTEND_TIMEOUT_USEC=9"),
            "RELOADING=1\nMONOTONIC_USEC=5\nERRNO=2\nWATCHDOG=1\nEXTEND_TIMEOUT_USEC=9\n");
}

TEST(NotifyLines, NothingRemainsOfAMessageThatMayNotPass) {
  for (const char *message : {"", "\n", "\n\n", "BARRIER=1", "XREADY=1", "READY", "FDNAME=x\nX_READY=1"}) {
    EXPECT_EQ(lines_to_pass_on(message), "") << message;
  }
}

}  // namespace
}  // namespace skiff
