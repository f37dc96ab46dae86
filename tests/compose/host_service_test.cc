#include "compose/host_service.h"

#include <gtest/gtest.h>

namespace skiff::compose {
namespace {

Project shop() {
  Project project;
  project.name = "shop";
  project.directory = "/srv/shop";
  project.files = {"/srv/shop/compose.yaml", "/srv/shop/compose.override.yaml"};
  project.networks.push_back(
      {.key = "back", .name = "shop_back", .driver = {}, .driver_options = {}, .pools = {}, .labels = {}});
  project.volumes.push_back({.key = "data", .name = "shop_data", .driver = {}, .driver_options = {}, .labels = {}});
  return project;
}

Result<std::string> find(std::string_view service) {
  if (service == "web") return std::string("4711");
  return fail(ENOENT, "no container");
}

Service make_service() {
  Service service;
  service.name = "db";
  service.networks.resize(1);
  service.networks[0].network = "back";
  service.mounts.resize(2);
  service.mounts[0].source = "data";
  return service;
}

TEST(HostService, NetworksAndVolumesHaveTheirNamesOnThisHost) {
  const Result<Service> made = host_service(shop(), make_service(), find, {});
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(made->networks[0].network, "shop_back");
  EXPECT_EQ(made->networks[0].aliases, std::vector<std::string>{"db"});
  EXPECT_EQ(made->mounts[0].source, "shop_data");
  EXPECT_EQ(made->mounts[1].source, "");
  EXPECT_TRUE(host_service(shop(), make_service(), find, {.service_alias = false})->networks[0].aliases.empty());
}

TEST(HostService, OtherServicesBecomeTheirContainers) {
  Service service = make_service();
  service.network_mode = "service:web";
  service.pid_mode = "host";
  service.volumes_from = {"web:ro", "container:other"};
  const Result<Service> made = host_service(shop(), service, find, {});
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(made->network_mode, "container:4711");
  EXPECT_EQ(made->pid_mode, "host");
  EXPECT_EQ(made->volumes_from, (std::vector<std::string>{"container:4711:ro", "container:other"}));
  service.ipc_mode = "service:nobody";
  EXPECT_EQ(host_service(shop(), service, find, {}).error().message(),
            "service:nobody: no container: no such file or directory");
}

TEST(HostService, ItsLabelsSayWhereItBelongsAndWhatItDependsOn) {
  Service service = make_service();
  service.labels = {{"own", "1"}};
  service.depends_on = {{.service = "cache", .condition = Dependency::Condition::healthy, .restart = true}};
  service.network_mode = "service:web";
  const Labels labels =
      host_service(shop(), service, find, {.place = {.number = 3, .one_off = false, .config_hash = "h"}})->labels;
  EXPECT_EQ(labels.at("own"), "1");
  EXPECT_EQ(labels.at(project_label), "shop");
  EXPECT_EQ(labels.at(number_label), "3");
  EXPECT_EQ(labels.at(files_label), "/srv/shop/compose.yaml,/srv/shop/compose.override.yaml");
  const std::vector<Dependency> read = parse_dependencies(labels.at(depends_label));
  ASSERT_EQ(read.size(), 2);
  EXPECT_EQ(read[0].service, "cache");
  EXPECT_EQ(read[0].condition, Dependency::Condition::healthy);
  EXPECT_TRUE(read[0].restart);
  EXPECT_EQ(read[1].service, "web");
  EXPECT_TRUE(parse_dependencies("").empty());
}

}  // namespace
}  // namespace skiff::compose
