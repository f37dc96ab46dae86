#include "spec/base64.h"

#include <gtest/gtest.h>

namespace skiff::spec {
namespace {

// RFC 4648, section 10
TEST(Base64, HasTheVectorsOfItsStandard) {
  const std::pair<std::string, std::string> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"\xff\xfe", "//4="}};
  for (const auto &[bytes, text] : vectors) {
    EXPECT_EQ(encode_base64(bytes), text);
    EXPECT_EQ(decode_base64(text), bytes);
  }
}

TEST(Base64, WhatIsNoneIsRefused) {
  for (const char *text : {"Z", "Zg", "Zg=", "Zg===", "Zh==", "Z*==", "Zg==Zg==", "Zm9v\n", "===="}) {
    EXPECT_FALSE(decode_base64(text)) << text;
  }
}

}  // namespace
}  // namespace skiff::spec
