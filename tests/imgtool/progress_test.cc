#include "imgtool/progress.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "imgtool/progress_text.h"
#include "spec/json.h"

namespace skiff::image {
namespace {

// What a progress of this mode writes while `work` goes on.
template <class Work>
std::string shown(ProgressMode mode, Work work) {
  const kernel::Fd out = kernel::memfd_create("progress", 0).value();
  {
    Progress progress(mode, out);
    work(progress);
  }
  std::string text(1U << 20U, '\0');
  text.resize(kernel::pread_some(out, text, 0).value());
  return text;
}

TEST(Progress, PlainHasALineAtTheStartAndOneAtTheEnd) {
  const std::string text = shown(ProgressMode::plain, [](Progress &progress) {
    ProgressItem item = progress.begin("abc", "Downloading", 100);
    item.advance(50);
    item.status("Unpacking");
    progress.say("a warning");
    item.done("Pull complete");
  });
  EXPECT_EQ(text, "abc: Downloading\na warning\nabc: Pull complete\n");
}

TEST(Progress, WhatIsDroppedBeforeItsEndHasFailed) {
  const std::string text = shown(ProgressMode::plain, [](Progress &progress) {
    ProgressItem item = progress.begin("abc", "Downloading", 100);
    ProgressItem other = std::move(item);
  });
  EXPECT_EQ(text, "abc: Downloading\nabc: Failed\n");
}

TEST(Progress, AutomaticIsPlainWhereThereIsNoTerminal) {
  EXPECT_EQ(shown(ProgressMode::automatic, [](Progress &progress) { progress.begin("a", "b", 0).done("c"); }),
            "a: b\na: c\n");
}

TEST(Progress, QuietSaysNothing) {
  EXPECT_EQ(shown(ProgressMode::quiet,
                  [](Progress &progress) {
                    progress.begin("a", "b", 0).done("c");
                    progress.say("d");
                  }),
            "");
}

TEST(Progress, JsonIsAnObjectALineAndNotTooMany) {
  const std::string text = shown(ProgressMode::json, [](Progress &progress) {
    ProgressItem item = progress.begin("abc", "Downloading", 100'000);
    for (int i = 0; i < 100'000; ++i) item.advance(1);
    item.done("Pull \"complete\"");
  });
  const auto lines = std::ranges::count(text, '\n');
  EXPECT_GE(lines, 2);
  EXPECT_LT(lines, 1000);
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    EXPECT_TRUE(spec::json::Document::parse(text.substr(at, text.find('\n', at) - at)));
  }
  EXPECT_TRUE(text.starts_with("{\"id\":\"abc\",\"status\":\"Downloading\",\"total\":100000}\n")) << text;
  EXPECT_TRUE(
      text.ends_with("{\"id\":\"abc\",\"status\":\"Pull \\\"complete\\\"\",\"current\":100000,\"total\":100000}\n"))
      << text;
}

TEST(Progress, BarsAreDrawnInPlaceAndGoWhenTheWorkIsOver) {
  const std::string text = shown(ProgressMode::bars, [](Progress &progress) {
    ProgressItem one = progress.begin("one", "Downloading", 100);
    ProgressItem two = progress.begin("two", "Downloading", 100);
    one.done("Pull complete");
    progress.say("told");
    two.done("Pull complete");
  });
  EXPECT_NE(text.find("total"), std::string::npos);
  EXPECT_NE(text.find("\x1b[1A\x1b[2K"), std::string::npos);
  EXPECT_NE(text.find("told\n"), std::string::npos);
  EXPECT_TRUE(text.ends_with("two           Pull complete\n")) << text;
}

TEST(ProgressText, BytesHaveThreeDigits) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(999), "999 B");
  EXPECT_EQ(format_bytes(12'345), "12.3 kB");
  EXPECT_EQ(format_bytes(999'600), "1.0 MB");
  EXPECT_EQ(format_bytes(345'678'901'234), "346 GB");
}

TEST(ProgressText, ABarFitsIntoTheColumns) {
  const BarLine line{.id = "0123456789ab", .status = "Downloading", .current = 50'000'000, .total = 100'000'000};
  EXPECT_EQ(format_bar(line, 80), "0123456789ab  Downloading      [==============>              ]  50.0 MB / 100 MB");
  for (std::size_t columns = 10; columns < 120; ++columns) EXPECT_LE(format_bar(line, columns).size(), columns);
  EXPECT_EQ(format_bar({.id = "a", .status = "Waiting"}, 80), "a             Waiting");
}

}  // namespace
}  // namespace skiff::image
