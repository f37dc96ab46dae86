// Names of images as users type them.
#include "imgtool/reference.h"

#include "tests/fuzz/target.h"

namespace image = skiff::image;
using skiff::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const std::string_view text = skiff::fuzz::text_of(data, size);
  if (const auto name = image::parse_image_name(text)) {
    const auto again = image::parse_image_name(name->text());
    require(again && again->text() == name->text(), "a name in full is that name");
    const auto familiar = image::parse_image_name(name->familiar());
    require(familiar && familiar->text() == name->text(), "a familiar name is that name");
  }
  for (const image::Transport bare : {image::Transport::store, image::Transport::docker}) {
    const auto reference = image::parse_reference(text, bare);
    if (!reference) continue;
    const auto again = image::parse_reference(reference->text(), bare);
    require(again && again->text() == reference->text(), "a reference as printed is that reference");
  }
  return 0;
}
