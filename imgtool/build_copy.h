// COPY and ADD: which files of the context or of a stage are meant, and the layer that they become.
//
// Everything is found by descriptors inside the source's root: a symlink there leads to another place of that root and
// never out of it (CVE-2024-9675 and its like), and what is written goes by way of a layer, as any other.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "imgtool/layer_writer.h"
#include "runtime/kernel/fd.h"
#include "spec/ignore_file.h"

namespace skiff::image {

// Where files come from.
struct CopyRoot {
  kernel::FdView root;
  std::string name;                          // "the context", "stage build"
  const spec::IgnoreFile *ignore = nullptr;  // of a context
};

struct CopyRequest {
  std::vector<std::string> sources;  // paths and patterns; a '/' in front means the root
  std::string destination;           // absolute; with a '/' at its end it is a directory
  bool unpack = false;               // ADD: an archive becomes what is in it
};

// A file that is copied, by its path below the destination.
struct CopyItem {
  std::string source;  // below the root, without symlinks
  bool archive = false;
};
struct CopyList {
  std::map<std::string, CopyItem> items;  // "" is the destination itself; a directory stands in front of its files
  bool one_file = false;                  // a single file: the destination is its new name, unless it is a directory
  std::string file_name;                  // of that one
};

// ENOENT names the source, and says whether the ignore file leaves it out.
[[nodiscard]] Result<CopyList> list_copy(const CopyRoot &root, const CopyRequest &request);

struct CopyOwner {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::optional<std::uint32_t> mode;  // --chmod
};
// Of names, types, modes and contents; times do not count.
[[nodiscard]] Result<Digest> digest_copy(const CopyRoot &root, const CopyList &list);

// The layer's entries. `destination` is resolved: absolute, without symlinks, a directory or the file's new name; what
// is missing of its parents is made with mode 0755 from `made` on. Times above `newest` become that.
struct CopyTarget {
  std::string directory;             // where the items go; "" for the root
  std::string file;                  // the new name of the one file; empty: directory / its name
  std::vector<std::string> missing;  // directories to be made, the outermost first
  CopyOwner owner;
  std::int64_t time = 0;  // of directories that are made
  std::optional<std::int64_t> newest;
};
[[nodiscard]] Status write_copy(LayerWriter &layer, const CopyRoot &root, const CopyList &list,
                                const CopyTarget &target);

// Whether it is an archive that ADD unpacks: tar, plain or compressed by gzip, zstd, xz or bzip2.
[[nodiscard]] Result<bool> is_archive(kernel::FdView file);

}  // namespace skiff::image
