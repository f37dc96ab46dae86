// Which files a program loads: the rules of ld.so(8), followed without running anything.
//
// glibc: DT_RPATH of the file that needs the library and of those that loaded it (where it has no DT_RUNPATH),
// LD_LIBRARY_PATH, DT_RUNPATH, /etc/ld.so.cache, the default directories. musl: LD_LIBRARY_PATH, then the paths of both
// kinds up the chain, then /etc/ld-musl-ARCH.path or its defaults. A file of another class, byte order or machine is
// passed over, as the loader does.
//
// Libraries for processors that can do more (glibc-hwcaps) are left aside: what is found runs on all of them.
#pragma once

#include <string>
#include <vector>

#include "imgtool/elf.h"
#include "imgtool/loader_cache.h"

namespace skiff::image {

struct LibraryOptions {
  std::vector<std::string> library_path = {};  // LD_LIBRARY_PATH
  std::vector<std::string> opened = {};        // names that the program passes to dlopen(3)
  // The loader of a file that names none, because it is a library: the one of the program that opens it.
  std::string interpreter = {};
};

struct LoadedFile {
  std::string name;    // as it was asked for
  std::string path;    // as the loader opens it: absolute, its symlinks not resolved
  std::string why;     // "RUNPATH of /usr/bin/x", "the loader's cache"
  std::size_t by = 0;  // the index of the file that needs it; of the program its own
  Elf elf;
};

struct MissingLibrary {
  std::string name;
  std::string by;  // the path of the file that needs it
};

struct LibraryClosure {
  std::vector<LoadedFile> files;  // the program, its loader, then breadth first
  std::vector<MissingLibrary> missing;
  // Found through the cache, and nowhere else: without these entries the loader would not find them.
  std::vector<LoaderCacheEntry> cached;
  std::vector<std::string> settings;  // files that the loader itself reads: /etc/ld-musl-x86_64.path
};

// `program` is a path in the tree below `root`; no symlink leads out of that. ENOEXEC where it is no ELF file. What is
// missing is no error but a part of the answer.
[[nodiscard]] Result<LibraryClosure> find_libraries(kernel::FdView root, const std::string &program,
                                                    const LibraryOptions &options);

// A regular file of the tree, opened to be read; EINVAL for a FIFO, a device, a directory. Invalid where there is none.
[[nodiscard]] Result<kernel::Fd> find_regular_file(kernel::FdView root, const std::string &path);

}  // namespace skiff::image
