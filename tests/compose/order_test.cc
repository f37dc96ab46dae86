// compose-spec, "depends_on": what starts before what.
#include "compose/order.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace skiff::compose {
namespace {

Service service(std::string name, std::vector<std::string> needs = {}) {
  Service out;
  out.name = std::move(name);
  for (std::string &need : needs) out.depends_on.push_back({.service = std::move(need)});
  return out;
}

Project shop() {
  Project project;
  project.services = {service("web", {"app", "cache"}), service("app", {"db"}), service("cache"), service("db"),
                      service("alone")};
  return project;
}

std::string shown(const std::vector<std::vector<const Service *>> &levels) {
  std::string out;
  for (const auto &level : levels) {
    if (!out.empty()) out += "| ";
    for (const Service *one : level) out += one->name + " ";
  }
  return out;
}

TEST(StartOrder, GoesLevelByLevelAndStopsBackwards) {
  const Project project = shop();
  const Result<StartOrder> order = make_start_order(project, {});
  ASSERT_TRUE(order);
  EXPECT_EQ(shown(order->levels()), "cache db alone | app | web ");
  EXPECT_EQ(shown(order->stop_levels()), "web | app | cache db alone ");
}

TEST(StartOrder, OfSomeTakesWhatTheyNeed) {
  const Project project = shop();
  EXPECT_EQ(shown(make_start_order(project, {"app"})->levels()), "db | app ");
  EXPECT_EQ(shown(make_start_order(project, {"web"}, Dependencies::left_out)->levels()), "web ");
  EXPECT_EQ(shown(make_start_order(project, {"app", "db"}, Dependencies::left_out)->levels()), "db | app ");
}

// Not level by level: who has what it waits for need not wait for others.
TEST(StartOrder, ReadyAreThoseWhoseWaitsAreMet) {
  Project project = shop();
  project.services[0].depends_on[0].condition = Dependency::Condition::healthy;
  const StartOrder order = *make_start_order(project, {});
  std::vector<std::string> begun = {"db", "cache", "alone"};
  std::vector<std::string> healthy;
  const auto ready = [&] {
    std::string out;
    const auto is_begun = [&](const Service &one) { return std::ranges::find(begun, one.name) != begun.end(); };
    const auto is_met = [&](const Dependency &wait) {
      const auto &reached = wait.condition == Dependency::Condition::healthy ? healthy : begun;
      return std::ranges::find(reached, wait.service) != reached.end();
    };
    for (const OrderStep *step : order.ready(is_begun, is_met)) out += step->service->name + " ";
    return out;
  };
  EXPECT_EQ(ready(), "app ");
  begun.emplace_back("app");
  EXPECT_EQ(ready(), "");
  healthy.emplace_back("app");
  EXPECT_EQ(ready(), "web ");
}

TEST(StartOrder, SharedNamespacesAndVolumesAreDependencies) {
  Project project;
  project.services = {service("a"), service("b"), service("c"), service("d")};
  project.services[0].network_mode = "service:b";
  project.services[1].volumes_from = {"c:ro", "container:other"};
  project.services[2].pid_mode = "service:d";
  EXPECT_EQ(shown(make_start_order(project, {"a"})->levels()), "d | c | b | a ");
}

TEST(StartOrder, ACycleIsPrinted) {
  Project project;
  project.services = {service("z", {"a"}), service("a", {"b"}), service("b", {"c"}), service("c", {"a"})};
  EXPECT_EQ(make_start_order(project, {}).error().message(),
            "services.a.depends_on: a cycle: a -> b -> c -> a; one of them has to start first");
  project.services = {service("a", {"a"})};
  EXPECT_EQ(make_start_order(project, {}).error().text, "services.a.depends_on: a cycle: a -> a");
}

TEST(StartOrder, WhatTheProjectHasNotIsAnError) {
  Project project = shop();
  EXPECT_EQ(make_start_order(project, {"wen"}).error().message(),
            "service wen: no such file or directory; did you mean web?");
  project.services[2].depends_on = {{.service = "tools"}};
  project.disabled = {"tools"};
  EXPECT_EQ(make_start_order(project, {}).error().message(),
            "services.cache.depends_on: service tools: none of its profiles is active: no such file or directory; add "
            "--profile");
  // compose-spec: with required: false it is left out.
  project.services[2].depends_on[0].required = false;
  EXPECT_EQ(shown(make_start_order(project, {"cache"})->levels()), "cache ");
}

}  // namespace
}  // namespace skiff::compose
