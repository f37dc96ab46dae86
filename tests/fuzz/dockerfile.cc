// A Dockerfile, and .dockerignore.
#include "imgtool/dockerfile.h"

#include "spec/ignore_file.h"
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const std::string_view text = skiff::fuzz::text_of(data, size);
  (void)skiff::image::parse_dockerfile(text);
  if (const auto ignore = skiff::spec::IgnoreFile::parse(text)) {
    (void)ignore->ignores("a/b/c.txt");
    (void)ignore->ignores(text.substr(0, 64));
  }
  return 0;
}
