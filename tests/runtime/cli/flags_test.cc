#include "runtime/cli/flags.h"

#include <gtest/gtest.h>

#include "tests/runtime/cli/boat.h"

namespace skiff::cli {
namespace {

TEST(Flags, WithoutAValueTheTablesInitialOneCounts) {
  const auto create = parse_boat({"create", "c"});
  ASSERT_TRUE(create) << create.error().message();
  EXPECT_EQ(create->global.string("root"), "/run/boat");
  EXPECT_EQ(create->global.string("log"), "");
  EXPECT_EQ(create->flags.uint32("preserve-fds"), 0U);
  EXPECT_FALSE(create->flags.boolean("detach"));
  EXPECT_FALSE(create->global.given("root"));
  const auto update = parse_boat({"update", "c"});
  ASSERT_TRUE(update);
  EXPECT_EQ(update->flags.size("memory"), std::nullopt);
  EXPECT_EQ(update->flags.duration("interval"), std::chrono::seconds{5});
}

TEST(Flags, EachKindIsReadAsItsType) {
  const auto update = parse_boat({"update", "--memory", "64m", "--cpu-quota=-1", "--cpu-period", "18446744073709551615",
                                  "--interval", "1m30s", "c"});
  ASSERT_TRUE(update) << update.error().message();
  EXPECT_EQ(update->flags.size("memory"), 64 * 1048576);
  EXPECT_EQ(update->flags.integer("cpu-quota"), -1);
  EXPECT_EQ(update->flags.unsigned64("cpu-period"), UINT64_MAX);
  EXPECT_EQ(update->flags.duration("interval"), std::chrono::seconds{90});
}

TEST(Flags, TheLastOfTwoValuesWins) {
  const auto create = parse_boat({"create", "--bundle", "/a", "-b", "/b", "--detach", "--detach=false", "c"});
  ASSERT_TRUE(create) << create.error().message();
  EXPECT_EQ(create->flags.string("bundle"), "/b");
  EXPECT_FALSE(create->flags.boolean("detach"));
  EXPECT_TRUE(create->flags.given("detach"));
}

TEST(Flags, ARepeatableFlagKeepsEveryValueAndCommasSeparateNothing) {
  const auto exec = parse_boat({"exec", "-e", "A=1,2", "--env=B=3", "-g", "10", "--additional-gids", "20", "c", "sh"});
  ASSERT_TRUE(exec) << exec.error().message();
  EXPECT_EQ(exec->flags.strings("env"), (std::vector<std::string_view>{"A=1,2", "B=3"}));
  EXPECT_EQ(exec->flags.integers("additional-gids"), (std::vector<std::int64_t>{10, 20}));
}

TEST(Flags, AnEmptyNumberIsNotGivenAndAnEmptyStringIs) {
  const auto update = parse_boat({"update", "--memory=", "--cpu-quota", "", "c"});
  ASSERT_TRUE(update) << update.error().message();
  EXPECT_FALSE(update->flags.given("memory"));
  EXPECT_EQ(update->flags.integer("cpu-quota"), std::nullopt);
  const auto create = parse_boat({"--log-format=", "create", "--bundle=", "c"});
  ASSERT_TRUE(create) << create.error().message();
  EXPECT_EQ(create->global.string("log-format"), "text");
  EXPECT_TRUE(create->flags.given("bundle"));
}

TEST(Flags, AWrongValueIsNamedWithItsFlagAndWhatIsAccepted) {
  const auto message = [](std::initializer_list<const char *> arguments) {
    const auto parsed = parse_boat(arguments);
    return parsed ? std::string("accepted") : parsed.error().message();
  };
  EXPECT_EQ(message({"update", "--memory", "lots", "c"}),
            "update: --memory wants bytes such as 1048576, 512k, 64m or 1.5g, or -1 for no limit, not \"lots\"");
  EXPECT_EQ(message({"update", "--cpu-quota=1.5", "c"}), "update: --cpu-quota wants a whole number, not \"1.5\"");
  EXPECT_EQ(message({"create", "--preserve-fds", "-1", "c"}),
            "create: --preserve-fds wants a whole number from 0 to 4294967295, not \"-1\"");
  EXPECT_EQ(message({"create", "--detach=maybe", "c"}), "create: --detach wants true or false, not \"maybe\"");
  EXPECT_EQ(message({"--log-format", "xml", "create", "c"}), "--log-format: \"xml\" is not one of text|json");
}

TEST(FlagsDeathTest, ANameThatTheTableLacksIsAMistakeOfTheProgram) {
  const auto create = parse_boat({"create", "c"});
  ASSERT_TRUE(create);
  EXPECT_DEATH((void)create->flags.string("bundel"), "");
}

}  // namespace
}  // namespace skiff::cli
