// What a registry says in the fields of its answers.
#include "imgtool/challenge.h"
#include "imgtool/header_field.h"
#include "imgtool/url.h"
#include "tests/fuzz/target.h"

namespace image = skiff::image;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const std::string_view field = skiff::fuzz::text_of(data, size);
  for (const image::Challenge &challenge : image::parse_challenges(field)) {
    (void)challenge.parameter("realm");
    skiff::fuzz::require(!challenge.scheme.empty(), "a challenge has a scheme");
  }
  (void)image::parse_retry_after(field, std::chrono::system_clock::now());
  (void)image::parse_content_range(field);
  (void)image::parse_upload_range(field);
  (void)image::parse_warning(field);
  if (const auto next = image::parse_next_link(field)) (void)image::resolve_url("https://registry.test/v2/", *next);
  (void)image::origin_of(std::string(field));
  return 0;
}
