// A layer, applied to a directory: whatever it says, nothing is written beside that directory.
#include <fcntl.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "imgtool/layer.h"
#include "imgtool/tree_removal.h"
#include "runtime/kernel/fd.h"
#include "tests/fuzz/target.h"
#include "tests/runtime/temporary_directory.h"

namespace {

using skiff::fuzz::require;

// Made once: a removal of the whole for each input would be most of the time.
struct Stage {
  skiff::TemporaryDirectory directory;
  std::string outside = directory.path() + "/outside";

  Stage() {
    std::filesystem::create_directory(outside);
    std::ofstream(outside + "/file") << "outside";
  }
  [[nodiscard]] bool outside_is_whole() const {
    std::ostringstream text;
    text << std::ifstream(outside + "/file").rdbuf();
    return text.str() == "outside" && std::distance(std::filesystem::directory_iterator(outside), {}) == 1 &&
           std::distance(std::filesystem::directory_iterator(directory.path()), {}) == 2;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  static const Stage stage;
  const std::string top = stage.directory.path() + "/root";
  std::filesystem::create_directory(top);
  std::filesystem::create_symlink("../outside", top + "/out");
  const auto root = skiff::kernel::open(top, O_RDONLY | O_DIRECTORY);
  require(root.has_value(), "the stage can be opened");
  std::string_view rest = skiff::fuzz::text_of(data, size);
  const auto read = [&rest](std::span<char> into) -> skiff::Result<std::size_t> {
    const std::size_t count = rest.copy(into.data(), into.size());
    rest.remove_prefix(count);
    return count;
  };
  skiff::image::ApplyOptions options;
  options.limits = {.bytes = 1U << 20U, .entries = 64, .path_length = 4096, .ratio = 2000, .window_log = 20};
  (void)skiff::image::apply_layer(read, *root, options);
  require(stage.outside_is_whole(), "nothing outside of the tree was touched");
  const auto above = skiff::kernel::open(stage.directory.path(), O_RDONLY | O_DIRECTORY);
  require(above && skiff::image::remove_tree(*above, "root"), "what a layer made can be removed");
  return 0;
}
