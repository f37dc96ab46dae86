#include "compose/up_steps.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace skiff::compose {
namespace {

using Kind = UpStep::Kind;

// db healthy before app, migrate completed before app, web after app; sidecar in web's network.
class UpSteps : public ::testing::Test {
 protected:
  UpSteps() {
    project_.name = "shop";
    add("db");
    add("migrate", {{.service = "db", .condition = Dependency::Condition::healthy}});
    add("app", {{.service = "db", .condition = Dependency::Condition::healthy, .restart = true},
                {.service = "migrate", .condition = Dependency::Condition::completed}});
    add("web", {{.service = "app"}});
    add("sidecar").network_mode = "service:web";
  }

  Service &add(const std::string &name, std::vector<Dependency> waits = {}) {
    Service service;
    service.name = name;
    service.depends_on = std::move(waits);
    project_.services.push_back(std::move(service));
    return project_.services.back();
  }

  std::vector<UpStep> steps(const StepOptions &options = {}) {
    const Result<StartOrder> order = make_start_order(project_, {});
    EXPECT_TRUE(order) << order.error().message();
    const Changes changes = make_changes({.project = project_, .order = *order, .image_ids = {}}, running_);
    return make_up_steps(*order, changes, options);
  }

  // There already, as it is wanted.
  void have(const std::string &service, bool running = true) {
    running_.containers.push_back(
        {.id = "id-" + service,
         .name = "shop-" + service + "-1",
         .service = service,
         .number = 1,
         .config_hash = config_hash(project_, *std::ranges::find(project_.services, service, &Service::name)),
         .image_id = {},
         .running = running});
  }

  static std::size_t index(const std::vector<UpStep> &steps, Kind kind, const std::string &service) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (steps[i].kind == kind && steps[i].service == service) return i;
    }
    ADD_FAILURE() << "no such step of " << service;
    return 0;
  }

  static bool waits_for(const UpStep &step, std::size_t other) {
    for (const Task::Wait &wait : step.after) {
      if (wait.task == other) return true;
    }
    return false;
  }

  Project project_;
  Running running_;
};

TEST_F(UpSteps, CreationsWaitForNobodyAndStartsForTheirConditions) {
  const std::vector<UpStep> all = steps();
  EXPECT_TRUE(all[index(all, Kind::create, "app")].after.empty());
  const UpStep &app = all[index(all, Kind::start, "app")];
  EXPECT_TRUE(waits_for(app, index(all, Kind::create, "app")));
  EXPECT_TRUE(waits_for(app, index(all, Kind::wait_healthy, "db")));
  EXPECT_TRUE(waits_for(app, index(all, Kind::wait_completed, "migrate")));
  EXPECT_TRUE(waits_for(all[index(all, Kind::start, "web")], index(all, Kind::start, "app")));
  EXPECT_TRUE(waits_for(all[index(all, Kind::wait_healthy, "db")], index(all, Kind::start, "db")));
}

TEST_F(UpSteps, WhoseNamespaceIsSharedIsCreatedFirst) {
  const std::vector<UpStep> all = steps();
  EXPECT_TRUE(waits_for(all[index(all, Kind::create, "sidecar")], index(all, Kind::create, "web")));
}

TEST_F(UpSteps, NothingIsStartedWhereOnlyCreationIsAskedFor) {
  for (const UpStep &step : steps({.start = false})) EXPECT_EQ(step.kind, Kind::create);
}

TEST_F(UpSteps, WhatIsAsWantedTakesNoStepButItsHealthStillCounts) {
  for (const char *service : {"db", "migrate", "web", "sidecar"}) have(service);
  const std::vector<UpStep> all = steps();
  ASSERT_EQ(all.size(), 4);  // app's two, and what it waits for
  EXPECT_TRUE(all[index(all, Kind::wait_healthy, "db")].after.empty());
  EXPECT_EQ(all[index(all, Kind::wait_healthy, "db")].id, "id-db");
  EXPECT_TRUE(waits_for(all[index(all, Kind::start, "app")], index(all, Kind::wait_healthy, "db")));
}

TEST_F(UpSteps, WhatIsNotRequiredMayFail) {
  project_.services[3].depends_on[0].required = false;
  const std::vector<UpStep> all = steps();
  for (const Task::Wait &wait : all[index(all, Kind::start, "web")].after) {
    EXPECT_EQ(wait.required, wait.task != index(all, Kind::start, "app"));
  }
}

TEST_F(UpSteps, WhoAsksForItIsRestartedWithWhatIsMadeAnew) {
  for (const char *service : {"db", "migrate", "app", "web", "sidecar"}) have(service);
  running_.containers[0].config_hash = "old";
  const std::vector<UpStep> all = steps();
  const UpStep &app = all[index(all, Kind::restart, "app")];
  EXPECT_EQ(app.id, "id-app");
  EXPECT_TRUE(waits_for(app, index(all, Kind::wait_healthy, "db")));
  EXPECT_TRUE(waits_for(all[index(all, Kind::start, "db")], index(all, Kind::recreate, "db")));
}

TEST_F(UpSteps, WhatIsTooMuchGoesFirst) {
  running_.containers.push_back({.id = "old", .name = "shop-db-2", .service = "db", .number = 2});
  project_.services.front().replicas = 0;
  const std::vector<UpStep> all = steps();
  EXPECT_EQ(all[0].kind, Kind::remove);
  EXPECT_TRUE(waits_for(all[index(all, Kind::create, "app")], 0));
}

TEST_F(UpSteps, WaitingCoversWhatNobodyElseWaitsFor) {
  const std::vector<UpStep> all = steps({.wait = true});
  EXPECT_TRUE(waits_for(all[index(all, Kind::wait_running, "web")], index(all, Kind::start, "web")));
  for (const UpStep &step : all) EXPECT_FALSE(step.kind == Kind::wait_running && step.service == "migrate");
}

}  // namespace
}  // namespace skiff::compose
