#include "imgtool/header_field.h"

#include <gtest/gtest.h>

namespace skiff::image {
namespace {

using namespace std::chrono_literals;

TEST(HeaderField, RetryAfterIsSecondsOrADate) {                            // RFC 9110, 10.2.3
  const auto now = std::chrono::system_clock::from_time_t(1'700'000'000);  // 14 Nov 2023 22:13:20 UTC
  EXPECT_EQ(parse_retry_after("120", now), 120s);
  EXPECT_EQ(parse_retry_after(" 0 ", now), 0s);
  EXPECT_EQ(parse_retry_after("Tue, 14 Nov 2023 22:14:00 GMT", now), 40s);
  EXPECT_EQ(parse_retry_after("Tue, 14 Nov 2023 22:00:00 GMT", now), 0s);
  EXPECT_EQ(parse_retry_after("soon", now), std::nullopt);
  EXPECT_EQ(parse_retry_after("", now), std::nullopt);
  EXPECT_GT(parse_retry_after("18446744073709551615", now).value(), 1s);
  EXPECT_EQ(parse_retry_after("Wed, 21 Oct 7426 07:28:00 GMT", now), 366 * 24h);
}

TEST(HeaderField, AContentRangeHasItsEndsAndPerhapsTheTotal) {  // RFC 9110, 14.4
  const auto range = parse_content_range("bytes 10-19/200");
  ASSERT_TRUE(range);
  EXPECT_EQ(range->first, 10U);
  EXPECT_EQ(range->last, 19U);
  EXPECT_EQ(range->total, 200U);
  EXPECT_EQ(parse_content_range("Bytes 0-0/*").value().total, std::nullopt);
  for (const char *wrong :
       {"", "bytes */200", "bytes 5-4/10", "items 0-1/2", "bytes 0/2", "bytes a-b/c", "bytes -1/2"}) {
    EXPECT_FALSE(parse_content_range(wrong)) << wrong;
  }
}

TEST(HeaderField, AnUploadsRangeSaysHowMuchIsThere) {  // distribution-spec, end-13
  EXPECT_EQ(parse_upload_range("0-99"), 100U);
  EXPECT_EQ(parse_upload_range("bytes=0-99"), 100U);
  EXPECT_EQ(parse_upload_range("0-0"), 1U);
  EXPECT_EQ(parse_upload_range("5-99"), std::nullopt);
  EXPECT_EQ(parse_upload_range("0-"), std::nullopt);
  EXPECT_EQ(parse_upload_range("0-18446744073709551615"), std::nullopt);
  EXPECT_EQ(parse_upload_range(""), std::nullopt);
}

TEST(HeaderField, TheNextLinkIsTheOneThatSaysSo) {  // RFC 8288
  EXPECT_EQ(parse_next_link("</v2/a/tags/list?n=2&last=b>; rel=\"next\""), "/v2/a/tags/list?n=2&last=b");
  EXPECT_EQ(parse_next_link("<a>; rel=prev, <b>; rel=next"), "b");
  EXPECT_EQ(parse_next_link("<a>; rel=\"prev\""), std::nullopt);
  EXPECT_EQ(parse_next_link("a; rel=\"next\""), std::nullopt);
  EXPECT_EQ(parse_next_link("<a"), std::nullopt);
}

TEST(HeaderField, AWarningHasTheFormThatTheSpecificationAllows) {  // distribution-spec, "Warnings"
  EXPECT_EQ(parse_warning("299 - \"it goes \\\"away\\\"\""), "it goes \"away\"");
  EXPECT_EQ(parse_warning("199 - \"x\""), std::nullopt);
  EXPECT_EQ(parse_warning("299 agent \"x\""), std::nullopt);
  EXPECT_EQ(parse_warning("299 - \"x"), std::nullopt);
}

TEST(HeaderField, AMediaTypeComesWithoutItsParameters) {
  EXPECT_EQ(media_type_of("Application/JSON; charset=utf-8"), "application/json");
  EXPECT_EQ(media_type_of(""), "");
}

}  // namespace
}  // namespace skiff::image
