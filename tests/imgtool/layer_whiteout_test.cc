// layer.md, "Whiteouts"
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "tests/imgtool/layer_stage.h"

namespace skiff::image {
namespace {

class WhiteoutTest : public LayerTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(apply({directory("d"), file("d/a", "a"), file("d/b", "b"), directory("d/sub"), file("d/sub/c", "c"),
                     file("f", "f"), symlink("l", "d")}),
              "");
  }
};

TEST_F(WhiteoutTest, RemovesFilesLinksAndTrees) {
  ASSERT_EQ(apply({file(".wh.f"), file("d/.wh.sub"), file(".wh.l"), file(".wh.never-there"), file("not/there/.wh.x")}),
            "");
  EXPECT_FALSE(exists("f"));
  EXPECT_FALSE(exists("l"));
  EXPECT_FALSE(exists("d/sub"));
  EXPECT_TRUE(exists("d/a"));
  EXPECT_FALSE(exists("not"));
}

TEST_F(WhiteoutTest, HidesOnlyWhatIsBelowInWhicheverOrder) {
  for (const bool first : {true, false}) {
    const Header whiteout = file("d/.wh.a");
    const Header anew = file("d/a", "new");
    ASSERT_EQ(apply(first ? std::vector{whiteout, anew} : std::vector{anew, whiteout}), "");
    EXPECT_EQ(text("d/a"), "new");
  }
  ASSERT_EQ(apply({directory("d"), file("d/new", "n"), file(".wh.d")}), "");
  EXPECT_EQ(text("d/new"), "n");
  EXPECT_FALSE(exists("d/a"));
  EXPECT_FALSE(exists("d/sub"));
}

TEST_F(WhiteoutTest, AnOpaqueOneEmptiesItsDirectoryOfWhatIsBelow) {
  for (const bool first : {true, false}) {
    const Header opaque = file("d/.wh..wh..opq");
    const Header anew = file("d/sub/new", "new");
    ASSERT_EQ(apply(first ? std::vector{opaque, anew} : std::vector{anew, opaque}), "");
    EXPECT_EQ(text("d/sub/new"), "new");
    EXPECT_FALSE(exists("d/a"));
    EXPECT_FALSE(exists("d/sub/c"));
    EXPECT_TRUE(exists("f"));
  }
}

TEST_F(WhiteoutTest, OneThatNamesNothingIsAnError) {
  EXPECT_NE(apply({file("d/.wh.")}).find("\"d/.wh.\" (entry 1): a whiteout that names nothing"), std::string::npos);
  EXPECT_NE(apply({file("d/.wh...")}), "");
  EXPECT_NE(apply({file("d/.wh..")}), "");
  EXPECT_NE(apply({file(".wh.d/x")}).find("is a whiteout"), std::string::npos);
}

TEST_F(WhiteoutTest, AnUpperSymlinkIsNotFollowedAndItsTargetStays) {
  ASSERT_EQ(apply({file(".wh.l")}), "");
  EXPECT_EQ(text("d/a"), "a");
}

class OverlayTest : public LayerTest {
 protected:
  OverlayTest() {
    options_.whiteouts = WhiteoutStyle::overlay;
    options_.user_xattr = true;
  }
  void SetUp() override {
    if (::setxattr(top_.c_str(), "user.test", "", 0, 0) != 0) GTEST_SKIP() << "no user attributes on this filesystem";
  }
  [[nodiscard]] bool is_opaque(const std::string &name) const {
    char value = 0;
    return ::lgetxattr(path(name).c_str(), "user.overlay.opaque", &value, 1) == 1 && value == 'y';
  }
  [[nodiscard]] bool is_whiteout(const std::string &name) const {
    return S_ISCHR(status(name).st_mode) && status(name).st_rdev == makedev(0, 0);
  }
};

TEST_F(OverlayTest, WhiteoutsAreDevicesAndOpaqueDirectoriesHaveTheAttribute) {
  ASSERT_EQ(apply({directory("d"), file("d/.wh.gone"), directory("o"), file("o/.wh..wh..opq")}), "");
  EXPECT_TRUE(is_whiteout("d/gone"));
  EXPECT_TRUE(is_opaque("o"));
  EXPECT_FALSE(is_opaque("d"));
}

TEST_F(OverlayTest, WhatTheLayerBringsAnewIsNotHidden) {
  ASSERT_EQ(apply({file(".wh.a"), file("a", "a"), file("b", "b"), file(".wh.b"), directory("c"), file("c/x"),
                   file(".wh.c"), file(".wh.e"), file("e/x"), file(".wh.g"), directory("g")}),
            "");
  EXPECT_EQ(text("a"), "a");
  EXPECT_EQ(text("b"), "b");
  for (const char *name : {"c", "e", "g"}) EXPECT_TRUE(is_opaque(name)) << name;
  EXPECT_TRUE(exists("c/x"));
}

TEST_F(OverlayTest, NoWhiteoutStaysInAnOpaqueDirectory) {
  ASSERT_EQ(apply({file("d/.wh.a"), file("d/sub/.wh.b"), file("d/.wh..wh..opq"), file("d/.wh.c")}), "");
  EXPECT_TRUE(is_opaque("d"));
  EXPECT_FALSE(exists("d/a"));
  EXPECT_FALSE(exists("d/c"));
  EXPECT_FALSE(exists("d/sub/b"));
}

TEST_F(OverlayTest, ItsAttributesInAnImageAreEscaped) {
  Header forged = directory("d");
  forged.pax = {{"SCHILY.xattr.user.overlay.opaque", "y"}};
  ASSERT_EQ(apply({forged}), "");
  EXPECT_FALSE(is_opaque("d"));
  char value = 0;
  EXPECT_EQ(::lgetxattr(path("d").c_str(), "user.overlay.overlay.opaque", &value, 1), 1);
}

TEST_F(OverlayTest, AHardLinkOutOfTheLayerIsAnErrorThatSaysSo) {
  EXPECT_NE(apply({hard_link("a", "lower/file")}).find("an earlier entry of the same layer"), std::string::npos);
}

}  // namespace
}  // namespace skiff::image
