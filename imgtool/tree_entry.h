// A file of a tree as an entry of a layer: what read_tree_entry saw is what the entry says, by descriptors inside the
// tree alone.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

#include "imgtool/bytes.h"
#include "imgtool/tar_entry.h"
#include "runtime/kernel/fd.h"

namespace skiff::image {

struct TreeEntry {
  TarEntry entry;
  kernel::Fd file;  // of a regular one, to be read
};

// `path` below `root`; its last component is not followed. Empty where an image has no such thing: a socket. What is
// newer than `newest` seconds (SOURCE_DATE_EPOCH) gets that time.
[[nodiscard]] Result<std::optional<TreeEntry>> read_tree_entry(kernel::FdView root, const std::string &path,
                                                               std::optional<std::int64_t> newest);

// $SOURCE_DATE_EPOCH, where it is set.
[[nodiscard]] Result<std::optional<std::int64_t>> source_date_epoch();

// The file's bytes from its beginning; the descriptor outlives the reader.
[[nodiscard]] ReadBytes read_file(kernel::FdView file);

}  // namespace skiff::image
