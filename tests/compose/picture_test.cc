#include "compose/picture.h"

#include <gtest/gtest.h>

namespace skiff::compose {
namespace {

constexpr Canvas narrow{.rows = 5, .columns = 10, .utf8 = true};
constexpr Canvas ascii{.rows = 5, .columns = 10, .utf8 = false};

TEST(Picture, WhatAProgramWroteCannotSteerTheTerminal) {
  EXPECT_EQ(screen_text("\x1b[31mred\x1b[0m", narrow), "red");
  EXPECT_EQ(screen_text("\x1b]0;title\a"
                        "after",
                        narrow),
            "after");
  EXPECT_EQ(screen_text("\x1b]8;;http://x\x1b\\link", narrow), "link");
  EXPECT_EQ(screen_text("a\rb\bc\x7f\x1b"
                        "7",
                        narrow),
            "abc");
  EXPECT_EQ(screen_text("a\tb", narrow), "a       b");
  EXPECT_EQ(screen_text("\xc2\x9bm", narrow), "m") << "the C1 control CSI";
  EXPECT_EQ(screen_text("cut \x1b[3", narrow), "cut ");
}

TEST(Picture, WhatCannotBeShownIsAQuestionMark) {
  EXPECT_EQ(screen_text("ü\xff", narrow), "ü?");
  EXPECT_EQ(screen_text("ü漢", ascii), "??");
}

TEST(Picture, LinesAreCutAtTheEdgeAndReversedOnesFillIt) {
  PictureLine line = line_of("0123456789abc");
  fit_line(line, narrow);
  EXPECT_EQ(text_of(line), "012345678…");
  line = line_of("0123456789abc");
  fit_line(line, ascii);
  EXPECT_EQ(text_of(line), "012345678~");
  line = line_of("one");
  line.reversed = true;
  fit_line(line, narrow);
  EXPECT_EQ(text_of(line), "one       ");
}

TEST(Picture, LongTextIsWrappedBetweenLetters) {
  EXPECT_EQ(wrap_text("", 4), std::vector<std::string>{""});
  EXPECT_EQ(wrap_text("abcdefgh", 4), (std::vector<std::string>{"abcd", "efgh"}));
  EXPECT_EQ(wrap_text("漢字漢", 5), (std::vector<std::string>{"漢字", "漢"}));
}

TEST(Picture, ASparkLineIsAsHighAsItsHighestValue) {
  EXPECT_EQ(spark_line({0, 1, 2, 4}, 10, narrow), "▁▂▄█");
  EXPECT_EQ(spark_line({0, 1, 2, 4}, 2, ascii), "-#");
  EXPECT_EQ(spark_line({0, 0}, 10, narrow), "▁▁");
  EXPECT_EQ(spark_line({}, 10, narrow), "");
}

TEST(Picture, ARuleIsAsWideAsTheScreen) {
  EXPECT_EQ(text_of(rule_line("Log", narrow)), "── Log ───");
  EXPECT_EQ(text_of(rule_line("Log", ascii)), "-- Log ---");
}

}  // namespace
}  // namespace skiff::compose
