#include "compose/watch_filter.h"

#include <gtest/gtest.h>

#include "compose/watch.h"

namespace skiff::compose {
namespace {

WatchRule make_rule(const std::string &action = "sync") {
  WatchRule rule;
  rule.path = "/src/web";
  rule.action = action;
  rule.target = "/app/";
  return rule;
}

WatchFilter make(const WatchRule &rule, const std::string &context = "", std::string_view ignored = "") {
  Result<WatchFilter> filter = WatchFilter::make(rule, context, ignored);
  EXPECT_TRUE(filter) << filter.error().message();
  return filter ? std::move(*filter) : WatchFilter();
}

TEST(WatchFilter, TakesWhatLiesBelowItsPath) {
  const WatchFilter filter = make(make_rule());
  EXPECT_TRUE(filter.takes("/src/web/index.html"));
  EXPECT_TRUE(filter.takes("/src/web/deep/er/x"));
  EXPECT_TRUE(filter.takes("/src/web"));
  EXPECT_FALSE(filter.takes("/src/website/x"));
  EXPECT_FALSE(filter.takes("/src/x"));
  EXPECT_EQ(filter.target_of("/src/web/deep/x"), "/app/deep/x");
}

TEST(WatchFilter, AFileOfItsOwnBecomesTheTarget) {
  WatchRule rule = make_rule();
  rule.path = "/src/settings.json";
  rule.target = "/etc/settings.json";
  const WatchFilter filter = make(rule);
  EXPECT_TRUE(filter.takes("/src/settings.json"));
  EXPECT_EQ(filter.target_of("/src/settings.json"), "/etc/settings.json");
}

TEST(WatchFilter, PatternsAreRelativeToThePath) {
  WatchRule rule = make_rule();
  rule.ignore = {"node_modules/", "*.log", "!keep.log", "**/*.tmp"};
  const WatchFilter filter = make(rule);
  EXPECT_FALSE(filter.takes("/src/web/node_modules/a/b.js"));
  EXPECT_FALSE(filter.takes("/src/web/x.log"));
  EXPECT_TRUE(filter.takes("/src/web/keep.log"));
  EXPECT_TRUE(filter.takes("/src/web/deep/x.log")) << "*.log is not **/*.log";
  EXPECT_FALSE(filter.takes("/src/web/deep/x.tmp"));
  EXPECT_FALSE(filter.skips("/src/web/node_modules")) << "an exception may lie below it";
}

TEST(WatchFilter, WhatIsIgnoredWithoutExceptionIsNotLookedInto) {
  WatchRule rule = make_rule();
  rule.ignore = {"node_modules"};
  const WatchFilter filter = make(rule);
  EXPECT_TRUE(filter.skips("/src/web/node_modules"));
  EXPECT_TRUE(filter.skips("/src/web/.git"));
  EXPECT_FALSE(filter.skips("/src/web/lib"));
  EXPECT_FALSE(filter.skips("/src/web"));
}

TEST(WatchFilter, IncludeLeavesOutTheRest) {
  WatchRule rule = make_rule();
  rule.include = {"**/*.py", "static"};
  rule.ignore = {"tests"};
  const WatchFilter filter = make(rule);
  EXPECT_TRUE(filter.takes("/src/web/a/b.py"));
  EXPECT_TRUE(filter.takes("/src/web/static/x.css"));
  EXPECT_FALSE(filter.takes("/src/web/README"));
  EXPECT_FALSE(filter.takes("/src/web/tests/a.py"));
}

TEST(WatchFilter, EditorsAndVersionControlAreNobodysBusiness) {
  const WatchFilter filter = make(make_rule());
  for (const char *name : {".git/index", "a/.git/index", "main.c~", ".main.c.swp", ".#main.c", "#main.c#", "4913"}) {
    EXPECT_FALSE(filter.takes(std::string("/src/web/") + name)) << name;
  }
  EXPECT_TRUE(filter.takes("/src/web/.env"));
  EXPECT_TRUE(filter.takes("/src/web/.gitignore"));
}

TEST(WatchFilter, TheBuildsIgnoreFileCountsFromItsContext) {
  const WatchFilter filter = make(make_rule(), "/src", "web/build\n# note\n");
  EXPECT_FALSE(filter.takes("/src/web/build/x"));
  EXPECT_TRUE(filter.takes("/src/web/x"));
}

TEST(WatchFilter, ABadPatternIsAnError) {
  WatchRule rule = make_rule();
  rule.ignore = {"[a"};
  const Result<WatchFilter> filter = WatchFilter::make(rule, "", "");
  ASSERT_FALSE(filter);
  EXPECT_TRUE(filter.error().message().starts_with("ignore: line")) << filter.error().message();
}

TEST(WatchWork, ChangesOfOneFileAreOneAndTheLastCounts) {
  WatchWork work;
  const WatchRule rule = make_rule();
  const WatchFilter filter = make(rule);
  work.add(rule, filter, "/src/web/a", false);
  work.add(rule, filter, "/src/web/a", true);
  EXPECT_TRUE(work.copies.empty());
  EXPECT_EQ(work.removals, std::vector<std::string>{"/app/a"});
  work.add(rule, filter, "/src/web/a", false);
  EXPECT_EQ(work.copies.at("/app/a"), "/src/web/a");
  EXPECT_TRUE(work.removals.empty());
  EXPECT_FALSE(work.restart);
  EXPECT_FALSE(work.rebuild);
}

TEST(WatchWork, EachActionAsksForWhatItSays) {
  WatchWork work;
  WatchRule rule = make_rule("sync+exec");
  rule.exec.command = {"reload"};
  const WatchFilter filter = make(rule);
  work.add(rule, filter, "/src/web/a", false);
  work.add(rule, filter, "/src/web/b", false);
  ASSERT_EQ(work.hooks.size(), 1U);
  EXPECT_EQ(work.copies.size(), 2U);
  work.add(make_rule("sync+restart"), filter, "/src/web/c", false);
  EXPECT_TRUE(work.restart);
  EXPECT_EQ(work.copies.size(), 3U);
  work.add(make_rule("rebuild"), filter, "/src/web/d", false);
  EXPECT_TRUE(work.rebuild);
  EXPECT_EQ(work.copies.size(), 3U) << "the image has it";
  WatchWork restart;
  restart.add(make_rule("restart"), filter, "/src/web/d", false);
  EXPECT_TRUE(restart.restart);
  EXPECT_TRUE(restart.copies.empty());
}

}  // namespace
}  // namespace skiff::compose
