#include "spec/names.h"

#include <gtest/gtest.h>

#include <array>

namespace skiff::spec {

namespace {

constexpr std::array<std::string_view, 3> known = {"RLIMIT_NOFILE", "network", "uts"};

TEST(Names, FindsAName) {
  EXPECT_EQ(find_name(known, "network"), 1U);
  EXPECT_EQ(find_name(known, "NETWORK"), std::nullopt);
}

TEST(Names, SuggestsByCaseByPartAndByTypingError) {
  EXPECT_EQ(suggest_name(known, "UTS"), "did you mean \"uts\"?");
  EXPECT_EQ(suggest_name(known, "nofile"), "did you mean \"RLIMIT_NOFILE\"?");
  EXPECT_EQ(suggest_name(known, "netwrok"), "did you mean \"network\"?");
  EXPECT_EQ(suggest_name(known, "u"), "use one of RLIMIT_NOFILE, network, uts");
}

TEST(Names, ListsAllWhereNoneIsNear) {
  EXPECT_EQ(suggest_name(known, ""), "use one of RLIMIT_NOFILE, network, uts");
  EXPECT_EQ(suggest_name(known, std::string(5000, 'x')), "use one of RLIMIT_NOFILE, network, uts");
}

TEST(Names, QuotesControlCharactersAndCutsLongText) {
  EXPECT_EQ(quote("a\nb"), "\"a\\u000ab\"");
  EXPECT_EQ(quote(std::string(100, 'x')), "\"" + std::string(60, 'x') + "...\"");
}

}  // namespace

}  // namespace skiff::spec
