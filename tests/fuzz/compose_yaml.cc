// compose.yaml, from the text to the Project.
#include <filesystem>
#include <fstream>

#include "compose/load.h"
#include "tests/fuzz/target.h"
#include "tests/runtime/temporary_directory.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  static const skiff::TemporaryDirectory directory;
  const std::string path = directory.path() + "/compose.yaml";
  std::ofstream(path) << skiff::fuzz::text_of(data, size);
  skiff::compose::LoadRequest request;
  request.files = {path};
  request.environment = {{"TAG", "1.0"}, {"EMPTY", ""}};
  request.working_directory = directory.path();
  request.offline = true;
  const auto loaded = skiff::compose::load_project(request);
  if (!loaded) skiff::fuzz::require(!loaded.error().message().empty(), "an error has a text");
  return 0;
}
