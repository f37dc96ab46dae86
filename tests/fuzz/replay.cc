// Runs a target over the files of directories: what the fuzzer began with, and what it has found.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <span>
#include <sstream>
#include <string>

#include "tests/fuzz/target.h"

int main(int count, char **words) {
  std::size_t files = 0;
  for (const char *directory : std::span(words, static_cast<std::size_t>(count)).subspan(1)) {
    for (const auto &entry : std::filesystem::recursive_directory_iterator(directory)) {
      if (!entry.is_regular_file()) continue;
      std::ostringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      std::cout << entry.path().string() << std::endl;  // the last one is the one that ended it
      const std::string bytes = text.str();
      (void)LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t *>(bytes.data()), bytes.size());
      ++files;
    }
  }
  // A corpus that was not found tests nothing.
  return files == 0 ? 1 : 0;
}
