#include "compose/health.h"

#include <gtest/gtest.h>

#include "runtime/kernel/path.h"
#include "tests/runtime/temporary_directory.h"

namespace skiff::compose {
namespace {

using std::chrono::seconds;

HealthResult result(int code) { return {.start = "a", .end = "b", .exit_code = code, .output = "said\n"}; }

HealthCheck check_of(std::vector<std::string> test) {
  HealthCheck check;
  check.test = std::move(test);
  return check;
}

TEST(Health, IsUnhealthyAfterSoManyFailuresInARow) {
  HealthCheck check = check_of({"CMD", "true"});
  check.retries = 2;
  HealthReport report;
  EXPECT_TRUE(report.take(check, seconds(1), result(0)));
  EXPECT_EQ(report.status, "healthy");
  EXPECT_FALSE(report.take(check, seconds(2), result(1)));
  EXPECT_TRUE(report.take(check, seconds(3), result(1)));
  EXPECT_EQ(report.status, "unhealthy");
  EXPECT_TRUE(report.take(check, seconds(4), result(0)));
  EXPECT_EQ(report.status, "healthy");
  EXPECT_EQ(report.failing_streak, 0);
}

TEST(Health, FailuresOfTheStartPeriodDoNotCount) {
  HealthCheck check = check_of({"CMD", "true"});
  check.retries = 1;
  check.start_period = seconds(10);
  HealthReport report;
  EXPECT_FALSE(report.take(check, seconds(5), result(1)));
  EXPECT_EQ(report.status, "starting");
  EXPECT_TRUE(report.take(check, seconds(11), result(1)));
  EXPECT_EQ(report.status, "unhealthy");
}

TEST(Health, ChecksMoreOftenInTheStartPeriodUntilItIsHealthy) {
  HealthCheck check = check_of({"CMD", "true"});
  check.interval = seconds(60);
  check.start_period = seconds(20);
  check.start_interval = seconds(2);
  HealthReport report;
  EXPECT_EQ(health_wait(check, report, seconds(1)), seconds(2));
  EXPECT_EQ(health_wait(check, report, seconds(21)), seconds(60));
  report.status = "healthy";
  EXPECT_EQ(health_wait(check, report, seconds(1)), seconds(60));
  EXPECT_EQ(health_wait({}, report, seconds(1)), seconds(30));
}

TEST(Health, CommandsAreTakenApart) {
  EXPECT_EQ(health_command(check_of({"CMD-SHELL", "a | b"})), (std::vector<std::string>{"/bin/sh", "-c", "a | b"}));
  EXPECT_EQ(health_command(check_of({"CMD", "a", "b"})), (std::vector<std::string>{"a", "b"}));
  ContainerRecord record;
  EXPECT_FALSE(has_health_check(record));
  record.health_check = check_of({"NONE"});
  EXPECT_FALSE(has_health_check(record));
  record.health_check = check_of({"CMD", "a"});
  EXPECT_TRUE(has_health_check(record));
  record.health_check->disable = true;
  EXPECT_FALSE(has_health_check(record));
}

TEST(Health, KeepsTheLastResultsInItsFile) {
  const TemporaryDirectory directory;
  const Places places{.data = directory.path(), .run = directory.path()};
  ASSERT_TRUE(kernel::make_directory(kernel::cwd, places.sockets("web"), 0700));
  EXPECT_EQ(load_health(places, "web")->status, "starting");
  HealthReport report;
  for (int i = 0; i < 7; ++i) report.take({}, seconds(i), result(i));
  ASSERT_TRUE(save_health(places, "web", report));
  EXPECT_EQ(*read_if_there(places.sockets("web") + "/health"), "unhealthy");
  const HealthReport loaded = *load_health(places, "web");
  ASSERT_EQ(loaded.log.size(), 5);
  EXPECT_EQ(loaded.log.back().exit_code, 6);
  EXPECT_EQ(loaded.log.back().output, "said\n");
  EXPECT_EQ(loaded.failing_streak, 6);
}

}  // namespace
}  // namespace skiff::compose
