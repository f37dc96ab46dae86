#include "compose/changes.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace skiff::compose {
namespace {

Value map_of(std::vector<std::pair<std::string, Value>> members) {
  Value map = Value::of_map();
  for (auto &[key, value] : members) map.get(key) = std::move(value);
  return map;
}
Value text(std::string letters) { return Value::of_string(std::move(letters)); }

// web (of two replicas, after db) on a network, db on a volume.
class ChangesTest : public testing::Test {
 protected:
  ChangesTest() {
    project.name = "shop";
    Service web;
    web.name = "web";
    web.replicas = 2;
    web.depends_on = {{.service = "db"}};
    web.networks.emplace_back().network = "default";
    Service db;
    db.name = "db";
    db.networks.emplace_back().network = "default";
    db.mounts.emplace_back().source = "data";
    project.services = {web, db};
    project.networks.emplace_back().key = "default";
    project.networks[0].name = "shop_default";
    project.volumes.emplace_back().key = "data";
    project.volumes[0].name = "shop_data";
    project.canonical = map_of({{"services", map_of({{"web", map_of({{"image", text("web:1")}, {"scale", text("2")}})},
                                                     {"db", map_of({{"image", text("db")}})}})}});
  }

  Changes changes(bool force = false, bool orphans = false) {
    order = *make_start_order(project, {});
    return make_changes({.project = project,
                         .order = order,
                         .image_ids = image_ids,
                         .force_recreate = force,
                         .remove_orphans = orphans},
                        running);
  }
  void run(const std::string &service, std::uint32_t number) {
    const Service &found = *std::ranges::find(project.services, service, &Service::name);
    running.containers.push_back({.id = "id-" + service,
                                  .name = container_name(project, found, number),
                                  .service = service,
                                  .number = number,
                                  .config_hash = config_hash(project, found),
                                  .image_id = "image",
                                  .running = true});
  }
  void run_all() {
    run("web", 1);
    run("web", 2);
    run("db", 1);
    running.networks = {"shop_default"};
    running.volumes = {"shop_data"};
  }
  Value &written(const std::string &service) { return *project.canonical.find("services")->find(service); }

  Project project;
  StartOrder order;
  Running running;
  std::map<std::string, std::string> image_ids;
};

TEST_F(ChangesTest, WhatIsNotThereIsMadeInOrder) {
  EXPECT_EQ(print_changes(changes()),
            "+ shop_default  create network\n"
            "+ shop_data     create volume\n"
            "+ shop-db-1     create container\n"
            "+ shop-web-1    create container\n"
            "+ shop-web-2    create container\n"
            "5 to create, 0 to recreate, 0 to start, 0 to remove, 0 as they are.\n");
}

TEST_F(ChangesTest, WhatIsAsWantedStays) {
  run_all();
  EXPECT_TRUE(changes().none());
  EXPECT_EQ(print_changes(changes()), "Nothing to change.\n");
  EXPECT_EQ(print_changes(changes(), true),
            "  shop-db-1   keep container\n  shop-web-1  keep container\n  shop-web-2  keep container\nNothing to "
            "change.\n");
}

TEST_F(ChangesTest, OnlyWhatHasChangedIsMadeAnew) {
  run_all();
  written("web").get("image") = text("web:2");
  image_ids = {{"db", "other"}};
  EXPECT_EQ(print_changes(changes()),
            "~ shop-db-1   recreate container: its image has changed\n"
            "~ shop-web-1  recreate container: its configuration has changed\n"
            "~ shop-web-2  recreate container: its configuration has changed\n"
            "0 to create, 3 to recreate, 0 to start, 0 to remove, 0 as they are.\n");
}

TEST_F(ChangesTest, MoreAndFewerReplicas) {
  run_all();
  project.services[0].replicas = 1;
  EXPECT_EQ(print_changes(changes()),
            "- shop-web-2  remove container: 1 of web are wanted\n"
            "0 to create, 0 to recreate, 0 to start, 1 to remove, 2 as they are.\n");
  project.services[0].replicas = 3;
  running.containers.erase(running.containers.begin());  // web 1 is gone: its number is free
  EXPECT_EQ(print_changes(changes()),
            "+ shop-web-1  create container\n"
            "+ shop-web-3  create container\n"
            "2 to create, 0 to recreate, 0 to start, 0 to remove, 2 as they are.\n");
}

TEST_F(ChangesTest, WhatHasEndedIsStarted) {
  run_all();
  running.containers[2].running = false;
  running.containers[0].paused = true;
  EXPECT_EQ(print_changes(changes()),
            "> shop-db-1   start container\n"
            "> shop-web-1  unpause container: it is paused\n"
            "0 to create, 0 to recreate, 2 to start, 0 to remove, 1 as they are.\n");
}

TEST_F(ChangesTest, OrphansAreRemovedWhereAskedFor) {
  run_all();
  running.containers.push_back({.id = "x", .name = "shop-old-1", .service = "old", .number = 1});
  running.containers.push_back({.id = "y", .name = "shop-tools-1", .service = "tools", .number = 1});
  project.disabled = {"tools"};
  EXPECT_TRUE(changes().none());
  EXPECT_EQ(print_changes(changes()), "! shop-old-1  leave orphan: the project has no old\nNothing to change.\n");
  EXPECT_EQ(print_changes(changes(false, true)),
            "- shop-old-1  remove orphan: the project has no old\n"
            "0 to create, 0 to recreate, 0 to start, 1 to remove, 3 as they are.\n");
}

TEST_F(ChangesTest, WhoSharesANamespaceThatGoesIsMadeAnew) {
  project.services[0].network_mode = "service:db";
  run_all();
  written("db").get("image") = text("db:2");
  EXPECT_EQ(changes().actions[1].reason, "db, whose namespace it is in, is made anew");
}

TEST_F(ChangesTest, WhatIsExternalIsNotMade) {
  project.networks[0].external = true;
  EXPECT_EQ(changes().missing, std::vector<std::string>{"network shop_default"});
  EXPECT_FALSE(changes().none());
}

TEST_F(ChangesTest, AsJsonOneObjectALine) {
  run_all();
  written("db").get("image") = text("db:2");
  const std::string out = print_changes_json(changes());
  EXPECT_EQ(out.substr(0, out.find('\n')),
            R"({"action":"recreate","kind":"container","name":"shop-db-1","service":"db","number":1,"id":"id-db",)"
            R"("reason":"its configuration has changed"})");
}

TEST_F(ChangesTest, TheHashIsOfWhatAContainerShows) {
  const Service &web = project.services[0];
  const std::string hash = config_hash(project, web);
  EXPECT_EQ(hash.size(), 64U);
  // Another order of keys, another number of them, another way to build or get it.
  written("web") = map_of({{"scale", text("5")},
                           {"depends_on", map_of({{"db", Value{}}})},
                           {"build", map_of({{"context", text("/x")}})},
                           {"deploy", map_of({{"replicas", text("5")}})},
                           {"image", text("web:1")}});
  EXPECT_EQ(config_hash(project, web), hash);
  written("web").get("user") = text("");
  EXPECT_NE(config_hash(project, web), hash);
  // One key's text is not another's.
  written("web") = map_of({{"image", text("web:1")}, {"a", text("b")}, {"c", text("d")}});
  const std::string apart = config_hash(project, web);
  written("web") = map_of({{"image", text("web:1")}, {"a", text("b1:c1:d")}});
  EXPECT_NE(config_hash(project, web), apart);
}

TEST_F(ChangesTest, TheHashKnowsTheConfigsBehindIt) {
  project.services[0].configs.emplace_back().source = "site";
  project.canonical.get("configs") = map_of({{"site", map_of({{"content", text("old")}})}});
  const std::string hash = config_hash(project, project.services[0]);
  project.canonical.get("configs") = map_of({{"site", map_of({{"content", text("new")}})}});
  EXPECT_NE(config_hash(project, project.services[0]), hash);
}

}  // namespace
}  // namespace skiff::compose
