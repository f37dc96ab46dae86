// What a program or a shared library says it needs in order to run (gabi, "Dynamic Section"): read from its bytes,
// nothing of it is run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/kernel/fd.h"

namespace skiff::image {

// What two files must share for one to load the other.
struct ElfMachine {
  bool is_64 = false;
  bool big_endian = false;
  std::uint16_t number = 0;  // EM_*

  friend bool operator==(const ElfMachine &, const ElfMachine &) = default;
};

struct Elf {
  ElfMachine machine;
  std::uint16_t type = 0;           // ET_EXEC, ET_DYN
  std::uint32_t flags = 0;          // e_flags: arm's float convention
  bool dynamic = false;             // it has a dynamic section
  bool no_default_paths = false;    // DF_1_NODEFLIB
  std::string interpreter;          // PT_INTERP; empty: it needs no loader, or is a library
  std::string soname;               // DT_SONAME
  std::vector<std::string> needed;  // DT_NEEDED, in order
  std::optional<std::string> rpath;
  std::optional<std::string> runpath;
};

// Empty where the file is none (its first four bytes are others). A damaged one is an error that says which part lies
// outside the file or is not what it should be; the reader asks for a bounded amount of memory whatever the file says.
[[nodiscard]] Result<std::optional<Elf>> read_elf(kernel::FdView file);

// "x86-64, 64 bits", for people.
[[nodiscard]] std::string describe(const ElfMachine &machine);

// As images name it (image-index.md, "platform": GOARCH); empty where there is no name.
[[nodiscard]] std::string image_architecture(const ElfMachine &machine);

// Names like "libfoo.so.1" in the file's bytes: what it may dlopen(3). Sorted, each once. A file says so only by its
// strings, so that a name here is a hint.
[[nodiscard]] Result<std::vector<std::string>> find_library_names(kernel::FdView file);

}  // namespace skiff::image
