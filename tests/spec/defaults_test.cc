#include <algorithm>

#include "tests/spec/documents.h"

namespace skiff::spec {

namespace {

TEST(Defaults, BothConfigsKeepTheRules) {
  EXPECT_TRUE(no_finding(check(make_default_config())));
  EXPECT_TRUE(no_finding(check(make_rootless_config(1000, 1000))));
}

TEST(Defaults, BothConfigsComeBackAsTheyWereWritten) {
  for (const Config &config : {make_default_config(), make_rootless_config(1000, 100)}) {
    for (const bool pretty : {false, true}) {
      const std::string text = print_config(config, pretty);
      const Parsed parsed = parse_config(text);
      EXPECT_TRUE(no_finding(check(parsed)));
      EXPECT_EQ(print_config(parsed.config, pretty), text);
    }
  }
}

TEST(Defaults, TheDefaultContainerIsShutOff) {
  const Config config = make_default_config();
  EXPECT_EQ(config.linux_.namespaces.size(), 6U);
  EXPECT_EQ(config.linux_.find(NamespaceType::user), nullptr);
  EXPECT_TRUE(config.process->no_new_privileges);
  EXPECT_TRUE(config.root->readonly);
  ASSERT_EQ(config.linux_.resources->devices.size(), 1U);
  EXPECT_FALSE(config.linux_.resources->devices[0].allow);
}

TEST(Defaults, TheRootlessContainerMapsItsOwner) {
  const Config config = make_rootless_config(1000, 100);
  EXPECT_NE(config.linux_.find(NamespaceType::user), nullptr);
  EXPECT_EQ(config.linux_.find(NamespaceType::network), nullptr);
  EXPECT_EQ(config.linux_.uid_mappings.at(0).host_id, 1000U);
  EXPECT_EQ(config.linux_.gid_mappings.at(0).host_id, 100U);
  EXPECT_FALSE(config.linux_.resources);
  for (const Mount &mount : config.mounts) {
    for (const std::string &option : mount.options) EXPECT_FALSE(option.starts_with("gid=")) << mount.destination;
  }
}

TEST(Defaults, AContainerOfAnImageIsSafeAndHasWhatEntryPointsNeed) {
  const Config config = make_container_config();
  EXPECT_TRUE(check(config).empty());
  EXPECT_FALSE(config.root->readonly);
  EXPECT_TRUE(config.process->no_new_privileges);
  const std::vector<std::string> &kept = config.process->capabilities->bounding;
  EXPECT_NE(std::ranges::find(kept, "CAP_SETUID"), kept.end());
  EXPECT_EQ(std::ranges::find(kept, "CAP_SYS_ADMIN"), kept.end());
  EXPECT_TRUE(check(make_rootless(config, 1000, 1000)).empty());
}

}  // namespace

}  // namespace skiff::spec
