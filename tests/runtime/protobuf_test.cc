// The examples are those of protobuf.dev, "Encoding".
#include "runtime/protobuf.h"

#include <gtest/gtest.h>

#include <array>

namespace skiff::protobuf {
namespace {

using std::string_literals::operator""s;

TEST(Protobuf, ANumberIsWrittenSevenBitsAByte) {
  std::string message;
  add_number(message, 1, 150);
  EXPECT_EQ(message, "\x08\x96\x01");
}

TEST(Protobuf, BytesAreCounted) {
  std::string message;
  add_bytes(message, 2, "testing");
  EXPECT_EQ(message, "\x12\x07testing");
}

TEST(Protobuf, WhatIsWrittenIsRead) {
  std::string message;
  add_number(message, 64, ~std::uint64_t{0});
  add_bytes(message, 5, "");
  add_number(message, 1, 0);
  std::string_view rest = message;
  const auto first = take_field(rest).value().value();
  EXPECT_EQ(first.field, 64U);
  EXPECT_EQ(first.number, ~std::uint64_t{0});
  const auto second = take_field(rest).value().value();
  EXPECT_EQ(second.field, 5U);
  EXPECT_EQ(second.bytes, "");
  const auto third = take_field(rest).value().value();
  EXPECT_EQ(third.field, 1U);
  EXPECT_EQ(third.number, 0U);
  EXPECT_FALSE(take_field(rest).value().has_value());
}

TEST(Protobuf, FieldsOfFixedSizeArePassedOver) {
  const std::string message = "\x0d....\x11........\x18\x07"s;
  std::string_view rest = message;
  const auto field = take_field(rest).value().value();
  EXPECT_EQ(field.field, 3U);
  EXPECT_EQ(field.number, 7U);
}

TEST(Protobuf, WhatEndsTooEarlyIsAnError) {
  const std::array<std::string, 6> broken = {"\x08"s,    "\x08\x96"s, "\x12\x08testing"s,
                                             "\x0d..."s, "\x0b"s,     "\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s};
  for (const std::string &message : broken) {
    std::string_view rest = message;
    EXPECT_FALSE(take_field(rest).has_value()) << message.size();
  }
}

TEST(Protobuf, ANumberOfMoreThan64BitsIsAnError) {
  const std::string message = "\x08" + std::string(10, '\xff') + "\x01";
  std::string_view rest = message;
  EXPECT_FALSE(take_field(rest).has_value());
}

}  // namespace
}  // namespace skiff::protobuf
