#include "runtime/cli/usage.h"

#include <gtest/gtest.h>

#include "runtime/cli/man.h"
#include "runtime/cli/nearest.h"
#include "tests/runtime/cli/boat.h"

namespace skiff::cli {
namespace {

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

TEST(Usage, TheHelpOfACommandShowsItsFlagsAndHidesTheHiddenOnes) {
  EXPECT_EQ(command_help(kBoat, kCreate), R"(NAME:
   boat create - create a container

usage: boat create [flags] CONTAINER

The process waits.

It starts at `boat start`.

flags:
  -b, --bundle DIR               directory of the bundle: 'rootfs' and [config.json]
  -d, --detach                   do not wait
      --preserve-fds N           descriptors to pass on (default: 0)
      --lsm-mount-context VALUE  context of mounts
  -p, --pull[=WHEN]              ask (default: missing)
  -h, --help                     show this text
)");
}

TEST(Usage, TheHelpOfTheProgramListsItsCommands) {
  const std::string help = program_help(kBoat);
  EXPECT_TRUE(contains(help, "usage: boat [global flags] COMMAND [flags] [arguments]\n"));
  EXPECT_TRUE(contains(help, "\n  features  show what is supported\n"));
  EXPECT_TRUE(contains(help, "--log-format text|json  form of the log (default: text)\n"));
  EXPECT_FALSE(contains(help, "print the page"));
  EXPECT_FALSE(contains(help, "rootless"));
}

TEST(Usage, LongTextIsWrappedUnderItsColumn) {
  EXPECT_EQ(wrap("one two three", 7, 2), "one two\n  three");
  EXPECT_EQ(wrap("a\n\nb c", 10, 0), "a\n\nb c");
  EXPECT_EQ(wrap("unbreakable", 4, 0), "unbreakable");
  EXPECT_EQ(wrap("", 4, 0), "");
}

TEST(Usage, NoLineOfHelpIsWiderThanAHundredColumns) {
  static constexpr FlagSpec kWide[] = {
      {.name = "manage-cgroups-mode-of-the-whole-thing", .letter = 'm', .value = "MODE", .text = "x"},
      {.name = "l",
       .text = "many words that together need far more than the hundred columns which a line of help may have, so that "
               "they have to be broken at a blank somewhere, and more than once"}};
  static constexpr Command kCommand{
      .name = "wide", .usage = "A", .summary = "wide", .flags = kWide, .max_positionals = 1};
  std::string_view help;
  const std::string text = command_help(kBoat, kCommand);
  for (help = text; !help.empty(); help.remove_prefix(std::min(help.find('\n') + 1, help.size()))) {
    EXPECT_LE(help.find('\n'), 100U) << help;
  }
  EXPECT_TRUE(contains(text, "-m, --manage-cgroups-mode-of-the-whole-thing MODE\n"));
}

TEST(Man, ThePageHoldsEveryShownFlagAndEscapesRoff) {
  const std::string page = man_page(kBoat);
  EXPECT_TRUE(page.starts_with(".TH boat 8 \"\" \"boat 1.2.3\""));
  EXPECT_TRUE(contains(page, "\\fB\\-b\\fR, \\fB\\-\\-bundle\\fR \\fIDIR\\fR\n"));
  EXPECT_TRUE(contains(page, "The process waits.\n.PP\nIt starts"));
  EXPECT_FALSE(contains(page, "no\\-subreaper"));
  EXPECT_FALSE(contains(page, "SS man"));
}

TEST(Nearest, ASwapIsOneEdit) {
  EXPECT_EQ(edit_distance("bundel", "bundle"), 1U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("same", "same"), 0U);
}

TEST(Nearest, WhatIsFarIsNotOffered) {
  Nearest nearest("xyz");
  nearest.offer("bundle");
  EXPECT_EQ(nearest.found(), "");
}

}  // namespace
}  // namespace skiff::cli
