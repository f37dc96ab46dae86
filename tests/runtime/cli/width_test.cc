#include "runtime/cli/width.h"

#include <gtest/gtest.h>

#include "runtime/cli/table.h"

namespace skiff::cli {
namespace {

TEST(Width, CountsColumnsNotBytes) {
  EXPECT_EQ(width_of("plain"), 5U);
  EXPECT_EQ(width_of("über…"), 5U);
  EXPECT_EQ(width_of("漢字"), 4U);
  EXPECT_EQ(width_of("e\u0301"), 1U) << "a mark over the letter";
  EXPECT_EQ(width_of("🐳"), 2U);
  EXPECT_EQ(width_of("\xff\xfe"), 2U) << "no UTF-8: a column each";
  EXPECT_EQ(width_of("\xe6\xbc"), 2U) << "the letter's end is missing";
}

TEST(Width, CutsBetweenLettersAndSaysSo) {
  EXPECT_EQ(cut_to_width("short", 5), "short");
  EXPECT_EQ(cut_to_width("longer", 5), "long…");
  EXPECT_EQ(cut_to_width("漢字漢字", 6), "漢字…");
  EXPECT_EQ(cut_to_width("漢字漢字", 5), "漢字…");
  EXPECT_EQ(cut_to_width("longer", 0), "");
  EXPECT_EQ(cut_to_width("longer", 3, "~"), "lo~");
}

TEST(Width, FillsToTheColumn) {
  EXPECT_EQ(pad_to_width("ü", 3), "ü  ");
  EXPECT_EQ(pad_to_width("ü", 3, true), "  ü");
  EXPECT_EQ(pad_to_width("longer", 3), "longer");
}

TEST(Width, ColumnsOfATableStandBelowOneAnother) {
  EXPECT_EQ(table_text({{"A", "B"}, {"sh -c…", "x"}, {"plain!", "y"}}), "A        B\nsh -c…   x\nplain!   y\n");
}

}  // namespace
}  // namespace skiff::cli
