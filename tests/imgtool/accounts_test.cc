#include "imgtool/accounts.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/runtime/temporary_directory.h"

namespace skiff::image {
namespace {

class Accounts : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(root_.path() + "/etc");
    std::ofstream(root_.path() + "/etc/passwd")
        << "root:x:0:0:root:/root:/bin/sh\napp:x:100:101:An app:/srv:/bin/false\n";
    std::ofstream(root_.path() + "/etc/group") << "root:x:0:\napp:x:101:\nextra:x:7:other,app\nnumbers:x:55:root\n";
  }
  Result<Account> find(std::string_view user) {
    return find_account(*kernel::open(root_.path(), O_PATH | O_DIRECTORY), user);
  }
  TemporaryDirectory root_;
};

// config.md, "User"
TEST_F(Accounts, NamesAndNumbersInEveryForm) {
  const Account app = *find("app");
  EXPECT_EQ(app.uid, 100U);
  EXPECT_EQ(app.gid, 101U);
  EXPECT_EQ(app.home, "/srv");
  EXPECT_EQ(app.additional_gids, std::vector<std::uint32_t>{7});
  EXPECT_EQ(find("100")->gid, 101U);
  EXPECT_EQ(find("app:numbers")->gid, 55U);
  EXPECT_TRUE(find("app:numbers")->additional_gids.empty());
  EXPECT_EQ(find("4000")->uid, 4000U);
  EXPECT_EQ(find("4000")->gid, 0U);
  EXPECT_EQ(find("4000:5000")->gid, 5000U);
  EXPECT_EQ(find("")->uid, 0U);
  EXPECT_EQ(find("")->home, "/root");
}

// CVE-2024-40635
TEST_F(Accounts, WhatWouldWrapIsRefused) {
  for (const std::string_view user :
       {"2147483648", "4294967295", "4294967296:0", "-1", "0:-1", "0:4294967296", "nobody", "app:nothing", "1a"}) {
    EXPECT_FALSE(find(user)) << user;
  }
}

// CVE-2024-9676
TEST_F(Accounts, AFifoOrALinkToTheHostIsNotWaitedFor) {
  std::filesystem::remove(root_.path() + "/etc/passwd");
  ASSERT_EQ(::mkfifo((root_.path() + "/etc/passwd").c_str(), 0600), 0);
  EXPECT_FALSE(find("app"));
  EXPECT_EQ(find("5")->uid, 5U);
  std::filesystem::remove(root_.path() + "/etc/passwd");
  std::filesystem::create_symlink("/../../../../../../../../etc/passwd", root_.path() + "/etc/passwd");
  EXPECT_FALSE(find("daemon"));
}

}  // namespace
}  // namespace skiff::image
