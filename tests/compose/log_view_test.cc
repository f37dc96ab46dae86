#include "compose/log_view.h"

#include <gtest/gtest.h>

#include "runtime/kernel/path.h"
#include "tests/runtime/temporary_directory.h"

namespace skiff::compose {
namespace {

TEST(LogView, PrefixesAreAlignedAndEachHasItsColour) {
  LogPrefixes plain(false);
  plain.add("web-1");
  plain.add("database-1");
  EXPECT_EQ(plain.of("web-1"), "web-1       | ");
  EXPECT_EQ(plain.of("database-1"), "database-1  | ");
  LogPrefixes coloured(true);
  coloured.add("web-1");
  coloured.add("db-1");
  EXPECT_EQ(coloured.of("web-1"), "\x1b[36mweb-1  | \x1b[0m");
  EXPECT_EQ(coloured.of("db-1"), "\x1b[33mdb-1   | \x1b[0m");
}

TEST(LogView, AProjectsContainerIsNamedWithoutTheProject) {
  ContainerRecord record;
  record.name = "shop-web-1";
  EXPECT_EQ(short_name(record), "shop-web-1");
  record.project = "shop";
  EXPECT_EQ(short_name(record), "web-1");
  record.name = "chosen";
  EXPECT_EQ(short_name(record), "chosen");
}

class LogViewOfTwo : public ::testing::Test {
 protected:
  void SetUp() override {
    engine_.places = {.data = directory_.path() + "/state", .run = directory_.path() + "/state/run"};
    ASSERT_TRUE(make_places(engine_.places));
  }

  // An ended container with these lines; each of them a JSON object of the log.
  Container make(const std::string &name, const std::string &lines) {
    Container container;
    container.record.id = std::string(64, name.front());
    container.record.name = name;
    EXPECT_TRUE(kernel::make_directory(kernel::cwd, engine_.places.directory(container.id()), 0700));
    EXPECT_TRUE(save_record(engine_.places, container.record));
    EXPECT_TRUE(replace_file(engine_.places.directory(container.id()) + "/log", lines));
    return container;
  }

  std::string shown(const LogViewOptions &options) {
    LogView view(engine_, options);
    EXPECT_TRUE(
        view.add(make("a",
                      "{\"log\":\"one\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-01T00:00:01.000000000Z\"}\n"
                      "{\"log\":\"three\",\"stream\":\"stdout\",\"time\":\"2026-01-01T00:00:03.000000000Z\"}\n")));
    EXPECT_TRUE(view.add(
        make("b", "{\"log\":\"two\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-01T00:00:02.000000000Z\"}\n")));
    testing::internal::CaptureStdout();
    EXPECT_TRUE(view.show());
    return testing::internal::GetCapturedStdout();
  }

  TemporaryDirectory directory_;
  Engine engine_;
};

TEST_F(LogViewOfTwo, LinesComeInTheOrderTheyWereWritten) { EXPECT_EQ(shown({}), "a  | one\nb  | two\na  | three\n"); }

TEST_F(LogViewOfTwo, WithoutPrefixesAndWithTimes) {
  LogViewOptions options;
  options.prefix = false;
  options.timestamps = true;
  options.since = timespec{.tv_sec = 1767225603, .tv_nsec = 0};
  EXPECT_EQ(shown(options), "2026-01-01T00:00:03.000000000Z three\n");
}

TEST_F(LogViewOfTwo, TheEndIsToldAfterTheLastWord) {
  LogView view(engine_, {});
  ASSERT_TRUE(
      view.add(make("a", "{\"log\":\"last\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-01T00:00:01.000000000Z\"}\n")));
  testing::internal::CaptureStdout();
  std::string told;
  const auto end = view.follow(kernel::no_fd, [&](const ContainerRecord &record, int) {
    told = record.name;
    return true;
  });
  ASSERT_TRUE(end) << end.error().message();
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "a  | last\na  | exited with code 0\n");
  EXPECT_EQ(*end, LogView::End::all_over);
  EXPECT_EQ(told, "a");
}

}  // namespace
}  // namespace skiff::compose
