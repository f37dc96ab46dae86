// ELF files of a test's own: what a linker would have written of the parts that a loader reads, in either class and
// byte order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "imgtool/elf.h"

namespace skiff::image {

struct ElfFile {
  ElfMachine machine = {true, false, 62};
  std::string interpreter = {};
  std::string soname = {};
  std::vector<std::string> needed = {};
  std::optional<std::string> rpath = {};
  std::optional<std::string> runpath = {};
  std::uint64_t flags_1 = 0;
};

[[nodiscard]] std::string make_elf(const ElfFile &file);

}  // namespace skiff::image
