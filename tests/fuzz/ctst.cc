// A .ctst file to the tree that a Project is made of; imports by https say the same file again.
#include "compose/ctst.h"

#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  skiff::compose::CtstRequest request;
  request.path = "fuzz.ctst";
  request.text = skiff::fuzz::text_of(data, size);
  request.directory = "/nonexistent";
  request.environment = {{"TAG", "1.0"}};
  request.cache_directory = "/nonexistent/cache";
  request.secrets_directory = "/nonexistent/secrets";
  request.fetch = [&](const std::string &) -> skiff::Result<std::string> { return request.text; };
  skiff::compose::Findings findings;
  const skiff::compose::CtstModel model =
      skiff::compose::load_ctst(request, findings);  // has the sources of the findings
  for (const skiff::compose::Finding &one : findings.all()) {
    skiff::fuzz::require(!one.message().empty() && !one.code.empty(), "a finding has a text and a code");
  }
  return 0;
}
