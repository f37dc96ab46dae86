// Files on their way as a tar stream: out of one tree that is in use and into another. What `skiff-compose cp` runs on
// both sides of a pipe.
#pragma once

#include <string>
#include <vector>

#include "imgtool/bytes.h"
#include "imgtool/layer.h"
#include "runtime/kernel/fd.h"

namespace skiff::image {

struct SentTree {
  std::string name;  // one component, which is not followed; "." is the directory itself
  std::string as;    // what it is called in the archive; "." for a directory: what is in it stands at the archive's top
  bool reproducible = false;  // the same content is the same bytes: owners root's, times the epoch, no attributes
};
// All of it with its owners as they are here, mounts below it too. What a running program removes meanwhile is left
// out.
[[nodiscard]] Status send_tree(kernel::FdView directory, const SentTree &tree, const WriteBytes &out);

// The archive, plain or compressed, below the directory. Warnings: attributes that the filesystem does not take.
[[nodiscard]] Result<std::vector<std::string>> receive_tree(ReadBytes archive, kernel::FdView directory,
                                                            const CopyRules &rules);

}  // namespace skiff::image
