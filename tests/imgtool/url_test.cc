#include "imgtool/url.h"

#include <gtest/gtest.h>

namespace skiff::image {
namespace {

TEST(Url, AnOriginIsSchemeHostAndPort) {
  EXPECT_EQ(origin_of("https://Example.COM/v2/").value(), origin_of("https://example.com:443/other").value());
  EXPECT_NE(origin_of("https://example.com/").value(), origin_of("http://example.com/").value());
  EXPECT_NE(origin_of("https://example.com/").value(), origin_of("https://example.com:5000/").value());
  EXPECT_EQ(origin_of("http://[::1]:5000/").value().host, "[::1]");
}

TEST(Url, AnAuthorityIsWithoutTheUsualPort) {
  EXPECT_EQ(authority_of(origin_of("https://example.com:443/").value()), "example.com");
  EXPECT_EQ(authority_of(origin_of("http://example.com:443/").value()), "example.com:443");
  EXPECT_EQ(authority_of(origin_of("http://[::1]:5000/").value()), "[::1]:5000");
}

TEST(Url, ALocationIsRelativeToWhereItCameFrom) {  // RFC 3986, 5
  const std::string from = "https://example.com:5000/v2/a/blobs/uploads/?x=1";
  EXPECT_EQ(resolve_url(from, "/v2/a/blobs/uploads/7?s=a%2Bb").value(),
            "https://example.com:5000/v2/a/blobs/uploads/7?s=a%2Bb");
  EXPECT_EQ(resolve_url(from, "https://s3.example.org/key?X-Sig=1").value(), "https://s3.example.org/key?X-Sig=1");
  EXPECT_EQ(resolve_url(from, "//other.example/x").value(), "https://other.example/x");
}

TEST(Url, WhatIsNeitherHttpNorPlainIsRefused) {
  const std::string from = "https://example.com/";
  for (const char *wrong : {"file:///etc/passwd", "ftp://a/b", "gopher://a/", "http://user:pass@example.com/"}) {
    EXPECT_FALSE(resolve_url(from, wrong)) << wrong;
  }
  EXPECT_FALSE(origin_of("example.com/v2"));
  EXPECT_FALSE(origin_of("https://me:secret@example.com/"));
}

TEST(Url, AQueryGrowsAtItsEnd) {
  EXPECT_EQ(with_query("/a", "digest", "sha256:12"), "/a?digest=sha256:12");
  EXPECT_EQ(with_query("/a?s=1", "x", "a b&c=d+e"), "/a?s=1&x=a%20b%26c%3Dd%2Be");
  EXPECT_EQ(without_query("https://s3/x?X-Sig=secret"), "https://s3/x");
}

TEST(Url, LoopbackIsThisMachineAlone) {
  for (const char *host : {"localhost", "localhost:5000", "127.0.0.1", "127.9.9.9:80", "[::1]:5000", "a.localhost"}) {
    EXPECT_TRUE(is_loopback(host)) << host;
  }
  for (const char *host : {"localhost.example.com", "127.0.0.1.nip.io", "10.0.0.1", "[::2]", "example.com"}) {
    EXPECT_FALSE(is_loopback(host)) << host;
  }
}

}  // namespace
}  // namespace skiff::image
