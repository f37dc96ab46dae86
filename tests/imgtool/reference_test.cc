#include "imgtool/reference.h"

#include <gtest/gtest.h>

namespace skiff::image {
namespace {

const std::string digest = "sha256:" + std::string(64, 'a');

std::string text_of(std::string_view typed) {
  const Result<ImageName> name = parse_image_name(typed);
  return name ? name->text() : name.error().message();
}

std::string why(std::string_view typed) {
  const auto parsed = parse_reference(typed, Transport::docker);
  return parsed ? "parsed as " + parsed->text() : parsed.error().message();
}

bool has(const std::string &text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(ImageName, ShortNamesAreDockers) {
  EXPECT_EQ(text_of("alpine"), "docker.io/library/alpine:latest");
  EXPECT_EQ(text_of("alpine:3.20"), "docker.io/library/alpine:3.20");
  EXPECT_EQ(text_of("user/app"), "docker.io/user/app:latest");
  EXPECT_EQ(text_of("docker.io/alpine"), "docker.io/library/alpine:latest");
  EXPECT_EQ(text_of("index.docker.io/library/alpine"), "docker.io/library/alpine:latest");
}

TEST(ImageName, TheFirstPartIsARegistryWhereItHasADotOrAColonOrIsLocalhost) {
  EXPECT_EQ(text_of("localhost/a"), "localhost/a:latest");
  EXPECT_EQ(text_of("localhost:5000/a/b:t"), "localhost:5000/a/b:t");
  EXPECT_EQ(text_of("quay.io/a"), "quay.io/a:latest");
  EXPECT_EQ(text_of("[::1]:5000/a/b"), "[::1]:5000/a/b:latest");
  EXPECT_EQ(text_of("[fe80::1]/a"), "[fe80::1]/a:latest");
  EXPECT_EQ(text_of("host/a"), "docker.io/host/a:latest");
  EXPECT_EQ(text_of("docker:24"), "docker.io/library/docker:24");
}

TEST(ImageName, ADigestStandsBesideATagOrAlone) {
  EXPECT_EQ(text_of("alpine@" + digest), "docker.io/library/alpine@" + digest);
  EXPECT_EQ(text_of("alpine:3@" + digest), "docker.io/library/alpine:3@" + digest);
  EXPECT_EQ(parse_image_name("alpine:3@" + digest)->selector(), digest);
  EXPECT_EQ(parse_image_name("alpine:3")->selector(), "3");
}

TEST(ImageName, FamiliarIsWhatAUserTypes) {
  for (const std::string &typed :
       {std::string("alpine"), std::string("alpine:3"), std::string("user/app"), std::string("quay.io/a/b:x"),
        "alpine@" + digest, std::string("library/a/b"), std::string("docker.io/my.org/x")}) {
    EXPECT_EQ(parse_image_name(typed)->familiar(), typed);
    EXPECT_EQ(parse_image_name(parse_image_name(typed)->familiar())->text(), text_of(typed));
  }
  EXPECT_EQ(parse_image_name("docker.io/library/alpine:latest")->familiar(), "alpine");
}

// distribution-spec, "Pulling manifests": <name> and <reference>
TEST(ImageName, EveryRuleOfThePartsIsKept) {
  for (const char *good : {"a.b", "a_b", "a__b", "a---b", "a0/b1/c2", "x:_tag", "x:A.b-c", "a--b.c__d"}) {
    EXPECT_TRUE(parse_image_name(good)) << good;
  }
  for (const std::string &bad : {std::string(""),
                                 std::string("a..b"),
                                 std::string("a___b"),
                                 std::string("-a"),
                                 std::string("a-"),
                                 std::string("a//b"),
                                 std::string("/a"),
                                 std::string("a/"),
                                 std::string("a:"),
                                 std::string("a:.x"),
                                 std::string("a:-x"),
                                 "a:" + std::string(129, 'x'),
                                 std::string("a b"),
                                 std::string("a/../b"),
                                 std::string("host:0/a"),
                                 std::string("host:65536/a"),
                                 std::string("host:x/a"),
                                 std::string("h_st.x/a"),
                                 std::string("-host.x/a"),
                                 std::string("[::1/a"),
                                 std::string("[zz::]/a"),
                                 std::string("a@"),
                                 std::string("a@sha256:12"),
                                 std::string("a@sha256:") + std::string(64, 'A'),
                                 std::string("x/a:b/c"),
                                 std::string(64, 'a'),
                                 "q.io/" + std::string(251, 'a'),
                                 std::string("a\0b", 3),
                                 std::string("quay.io/")}) {
    EXPECT_FALSE(parse_image_name(bad)) << bad;
  }
  EXPECT_TRUE(parse_image_name("q.io/" + std::string(250, 'a')));
}

TEST(ImageName, ErrorsNameThePartAndTheRemedy) {
  EXPECT_TRUE(has(text_of("quay.io/Org/App"), "write it in lower case: org/app")) << text_of("quay.io/Org/App");
  EXPECT_TRUE(has(text_of("https://quay.io/a"), "leave out https://")) << text_of("https://quay.io/a");
  EXPECT_TRUE(has(text_of(std::string(64, 'a')), "NAME@sha256:"));
  EXPECT_TRUE(has(text_of("host:99999/a"), "host:99999"));
}

TEST(Reference, ABareNameMeansWhatTheCommandWorksOn) {
  EXPECT_EQ(parse_reference("alpine", Transport::store)->transport, Transport::store);
  EXPECT_EQ(parse_reference("alpine", Transport::docker)->text(), "docker://docker.io/library/alpine:latest");
  EXPECT_EQ(parse_reference("docker://alpine", Transport::store)->transport, Transport::docker);
}

TEST(Reference, PathsEndAtTheFirstColon) {
  const auto layout = parse_reference("oci:some/dir:localhost:5000/a:b", Transport::store);
  ASSERT_TRUE(layout);
  EXPECT_EQ(layout->path, "some/dir");
  EXPECT_EQ(layout->tag, "localhost:5000/a:b");
  EXPECT_EQ(layout->text(), "oci:some/dir:localhost:5000/a:b");
  EXPECT_EQ(parse_reference("oci-archive:/x.tar", Transport::store)->tag, "");
  EXPECT_EQ(parse_reference("docker-archive:x.tar:alpine", Transport::store)->name->tag, "latest");
  EXPECT_EQ(parse_reference("dir:/a:b", Transport::store)->path, "/a:b");
  EXPECT_EQ(parse_reference("tar:r.tar", Transport::store)->transport, Transport::tar);
  EXPECT_EQ(parse_reference("file:/", Transport::store)->transport, Transport::file);
}

TEST(Reference, ErrorsNameTheTransport) {
  EXPECT_TRUE(has(why("ocii:/dir"), "did you mean \"oci\"?")) << why("ocii:/dir");
  EXPECT_TRUE(has(why("docker-daemon:alpine:3"), "unknown transport \"docker-daemon\"")) << why("docker-daemon:a:3");
  EXPECT_TRUE(has(why("docker:/alpine"), "docker://NAME")) << why("docker:/alpine");
  EXPECT_TRUE(has(why("ftp://x/y"), "unknown transport \"ftp\"")) << why("ftp://x/y");
  EXPECT_TRUE(has(why("oci:"), "no path")) << why("oci:");
  EXPECT_TRUE(has(why("oci:dir:"), "after the path's colon")) << why("oci:dir:");
  EXPECT_TRUE(has(why("oci:dir:a b"), "the tag")) << why("oci:dir:a b");
  EXPECT_TRUE(has(why("dir:"), "no path")) << why("dir:");
  EXPECT_TRUE(has(why("localhost:5000/a"), "parsed as docker://localhost:5000/a:latest")) << why("localhost:5000/a");
  EXPECT_TRUE(has(why("https://quay.io/a"), "leave out https://")) << why("https://quay.io/a");
}

}  // namespace
}  // namespace skiff::image
