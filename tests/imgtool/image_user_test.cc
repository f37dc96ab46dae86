#include "imgtool/image_user.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "runtime/kernel/path.h"
#include "tests/runtime/kernel/isolated.h"
#include "tests/runtime/temporary_directory.h"

namespace skiff::image {
namespace {

using kernel::testing::write_whole;

class ImageUserTest : public ::testing::Test {
 protected:
  ImageUserTest() {
    ::mkdir((directory_.path() + "/etc").c_str(), 0755);
    write("/etc/passwd",
          "# a comment\nroot:x:0:0:root:/root:/bin/sh\n\nbroken\nweb:x:33:34:Web:/var/www:/sbin/nologin\n"
          "33:x:0:0::/:\nbig:x:4294967295:0::/:\nwide:x:5:2147483648::/:\nweb:x:1:1::/:\nlast:x:7:8");
    write("/etc/group",
          "root:x:0:\nbin:x:1:root,daemon\nwww:x:34:\nlogs:x:40:other,web\nalso:x:41:web\nagain:x:41:web\n"
          "nolist:x:42:webby,we\nbad:x:x:web\n");
  }

  void write(const std::string &path, const std::string &text) { write_whole(directory_.path() + path, text); }
  void replace(const std::string &path) { ::unlink((directory_.path() + path).c_str()); }

  Result<spec::Account> find(std::string_view text) {
    warnings_.clear();
    return find_image_user(*kernel::open(directory_.path(), O_PATH | O_DIRECTORY), text, warnings_);
  }
  std::string why(std::string_view text) {
    const auto user = find(text);
    return user ? "found" : user.error().message();
  }
  // "uid:gid groups"
  std::string ids(std::string_view text) {
    const auto user = find(text);
    if (!user) return user.error().message();
    std::string out = std::to_string(user->uid) + ":" + std::to_string(user->gid);
    for (const std::uint32_t group : user->groups) out += " " + std::to_string(group);
    return out;
  }

  TemporaryDirectory directory_;
  std::vector<std::string> warnings_;
};

// config.md, "User"; CVE-2023-25173
TEST_F(ImageUserTest, EveryFormIsUnderstood) {
  EXPECT_EQ(ids(""), "0:0 0 1");
  EXPECT_EQ(ids("web"), "33:34 34 40 41");
  EXPECT_EQ(ids("33"), "33:34 34 40 41");
  EXPECT_EQ(ids("web:bin"), "33:1 1");
  EXPECT_EQ(ids("web:99"), "33:99 99");
  EXPECT_EQ(ids("1000"), "1000:0 0");
  EXPECT_EQ(ids("1000:1000"), "1000:1000 1000");
  EXPECT_EQ(ids("1000:bin"), "1000:1 1");
  EXPECT_EQ(ids("web:"), "33:34 34 40 41");
  EXPECT_EQ(ids(":40"), "0:40 40");
  EXPECT_EQ(ids("last"), "7:8 8");
  EXPECT_EQ(ids("2147483647:2147483647"), "2147483647:2147483647 2147483647");
  EXPECT_EQ(find("web")->home, "/var/www");
  EXPECT_EQ(find("1000")->home, "");
}

// conversion.md: numeric values "MUST be copied verbatim": a user that is called 33 does not count.
TEST_F(ImageUserTest, ANumberIsNeverAName) { EXPECT_EQ(find("33")->uid, 33U); }

// CVE-2024-40635, CVE-2026-47262
TEST_F(ImageUserTest, WhatWouldWrapAroundIsRefused) {
  for (const char *text : {"2147483648", "4294967295", "4294967296", "99999999999999999999", "-1", "+1", "--1", "0:-1",
                           "0:4294967295", "big", "wide", "1:2147483648"}) {
    EXPECT_NE(why(text).find("is no id from 0 to 2147483647"), std::string::npos) << text << ": " << why(text);
  }
}

TEST_F(ImageUserTest, WhatIsNotThereIsNamed) {
  EXPECT_NE(why("nobody").find("/etc/passwd has no user \"nobody\""), std::string::npos) << why("nobody");
  EXPECT_NE(why("web:none").find("/etc/group has no group \"none\""), std::string::npos) << why("web:none");
  EXPECT_NE(why("a:b:c").find("more than one colon"), std::string::npos) << why("a:b:c");
  EXPECT_NE(why("broken").find("is no id"), std::string::npos) << why("broken");
}

TEST_F(ImageUserTest, WithoutFilesANumberIsEnough) {
  replace("/etc/passwd");
  replace("/etc/group");
  EXPECT_EQ(ids(""), "0:0 0");
  EXPECT_EQ(ids("5:6"), "5:6 6");
  EXPECT_NE(why("web").find("no user"), std::string::npos);
  EXPECT_TRUE(warnings_.empty());
}

// CVE-2024-9676: what is no regular file is never opened.
TEST_F(ImageUserTest, AFifoOrALinkInPlaceOfAFileIsNotRead) {
  replace("/etc/passwd");
  ASSERT_EQ(::mkfifo((directory_.path() + "/etc/passwd").c_str(), 0666), 0);
  EXPECT_NE(why("web").find("/etc/passwd: it is no regular file"), std::string::npos) << why("web");
  EXPECT_EQ(ids("1000"), "1000:0 0");
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_NE(warnings_.front().find("taken as missing"), std::string::npos);
  replace("/etc/passwd");
  ASSERT_EQ(::symlink("/etc/passwd", (directory_.path() + "/etc/passwd").c_str()), 0);
  EXPECT_NE(why("root").find("no regular file"), std::string::npos) << why("root");
}

TEST_F(ImageUserTest, ALinkedDirectoryStaysInTheRoot) {
  ASSERT_EQ(::rename((directory_.path() + "/etc").c_str(), (directory_.path() + "/real").c_str()), 0);
  ASSERT_EQ(::symlink("/real", (directory_.path() + "/etc").c_str()), 0);
  EXPECT_EQ(ids("web"), "33:34 34 40 41");
  ::unlink((directory_.path() + "/etc").c_str());
  ASSERT_EQ(::symlink("../../../../etc", (directory_.path() + "/etc").c_str()), 0);
  EXPECT_FALSE(find("daemon"));  // the host has one
}

TEST_F(ImageUserTest, AFileWithoutEndIsRefused) {
  write("/etc/passwd", std::string(5U << 20U, 'x'));
  EXPECT_NE(why("web").find("/etc/passwd"), std::string::npos);
  EXPECT_EQ(find("web").error().number, EFBIG);
}

}  // namespace
}  // namespace skiff::image
