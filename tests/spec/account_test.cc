#include "spec/account.h"

#include <gtest/gtest.h>

namespace skiff::spec {
namespace {

AccountFiles files() {
  return {.passwd = "root:x:0:0:root:/root:/bin/sh\nweb:x:33:34:Web:/var/www:/bin/sh\n",
          .group = "www:x:34:\nlogs:x:40:web\n"};
}

TEST(FindAccount, TakesAUserWithItsGroups) {
  std::vector<std::string> warnings;
  const Result<Account> web = find_account(files(), "web", warnings);
  ASSERT_TRUE(web) << web.error().message();
  EXPECT_EQ(web->uid, 33U);
  EXPECT_EQ(web->groups, (std::vector<std::uint32_t>{34, 40}));
  EXPECT_EQ(web->home, "/var/www");
}

TEST(FindAccount, AFileThatCouldNotBeReadCountsForANameAlone) {
  AccountFiles broken = files();
  broken.passwd = fail(EIO, "/etc/passwd");
  std::vector<std::string> warnings;
  EXPECT_EQ(find_account(broken, "web", warnings).error().number, EIO);
  EXPECT_EQ(find_account(broken, "33", warnings)->uid, 33U);
  EXPECT_EQ(warnings, std::vector<std::string>{"/etc/passwd: input/output error; taken as missing"});
}

TEST(FindGroupId, TakesNamesAndNumbers) {
  EXPECT_EQ(find_group_id(files(), "logs"), 40U);
  EXPECT_EQ(find_group_id(files(), "12"), 12U);
  EXPECT_NE(find_group_id(files(), "none").error().text.find("/etc/group has no group \"none\""), std::string::npos);
  EXPECT_FALSE(find_group_id(files(), "4294967295"));  // CVE-2024-40635
  EXPECT_FALSE(find_group_id(files(), "-1"));
}

}  // namespace
}  // namespace skiff::spec
