// Manifest, index and configuration of an image: a registry's words.
#include "spec/image.h"
#include "tests/fuzz/target.h"

namespace spec = skiff::spec;
using skiff::fuzz::require;

namespace {

void read_document(std::string_view json) {
  const auto document = spec::parse_image_document(json, "");
  if (!document) return;
  require(document->manifest.has_value() != document->index.has_value(), "it is a manifest or an index");
  const std::string printed =
      document->manifest ? spec::print_image_manifest(*document->manifest) : spec::print_image_index(*document->index);
  require(spec::parse_image_document(printed, document->media_type).has_value(), "a document as printed can be read");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const std::string_view json = skiff::fuzz::text_of(data, size);
  read_document(json);
  if (const auto config = spec::parse_image_config(json)) {
    const std::string printed = spec::print_image_config(*config);
    const auto again = spec::parse_image_config(printed);
    require(again.has_value(), "a configuration as printed can be read");
    require(spec::print_image_config(*again) == printed, "what is read is what was printed");
  }
  return 0;
}
