#include "imgtool/digest.h"

#include <gtest/gtest.h>

namespace skiff::image {
namespace {

constexpr std::string_view of_nothing = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST(Digest, OfNothingIsTheKnownOne) {
  EXPECT_EQ(digest_of("").text(), of_nothing);
  EXPECT_EQ(digest_of("").hex().size(), 64U);
  EXPECT_EQ(digest_of("", "sha512").algorithm(), "sha512");
}

TEST(Digest, HasherStartsAnewAfterFinish) {
  Hasher hasher;
  hasher.update(std::span("abc", 3));
  EXPECT_NE(hasher.finish().text(), of_nothing);
  EXPECT_EQ(hasher.finish().text(), of_nothing);
}

// descriptor.md, "Digests"; CVE-2024-3727
TEST(Digest, WhatCouldLeadOutOfADirectoryIsNone) {
  EXPECT_TRUE(Digest::parse(of_nothing));
  for (const std::string_view text :
       {"", "sha256", "sha256:", "sha256:../../../../../../../../../../../../../../../../../../../../../etc/passwd",
        "sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
        "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "sha512:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}) {
    EXPECT_FALSE(Digest::parse(text)) << text;
  }
}

}  // namespace
}  // namespace skiff::image
