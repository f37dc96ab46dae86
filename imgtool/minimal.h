// An image with just the given programs and what they need to run: libraries, loader, certificates, accounts. Found by
// reading files; nothing is run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "imgtool/file_set.h"

namespace skiff::image {

struct MinimalRequest {
  std::vector<std::string> programs;  // a path, a name of PATH, or SOURCE:DESTINATION; scripts bring their interpreter
  std::vector<std::string> includes;  // a path with all below it, or SOURCE:DESTINATION for a file
  std::vector<std::string> opened;    // libraries that dlopen(3) is to find; "found": all that the programs name
  std::vector<std::string> env;       // NAME=VALUE: PATH and LD_LIBRARY_PATH count for the search
  std::optional<bool> certificates;   // empty: where a library for TLS is among the files
  std::string user;                   // its lines of passwd and group come along
};

struct MinimalTree {
  FileSet files;
  std::vector<std::string> programs;  // where the programs are in the image, in the order given
  std::vector<std::string> warnings;
  std::string architecture;  // GOARCH of the first program that is no script; empty: not known
};

// `root` is the tree to take from: "/", or another root filesystem. Errors: a program that is not there, a library that
// is not found (all of them, with the file that needs each).
[[nodiscard]] Result<MinimalTree> choose_files(kernel::FdView root, const MinimalRequest &request);

// What stands in the image, where it came from and why: a table with sizes for people, or JSON.
[[nodiscard]] std::string report_table(const MinimalTree &tree);
[[nodiscard]] std::string report_json(const MinimalTree &tree);

}  // namespace skiff::image
