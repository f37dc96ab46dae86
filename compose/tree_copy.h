// Files from one tree into another: skiff-image writes them as a tar stream on one side and unpacks it on the other,
// each with the ids of its side, below descriptors that were found before.
#pragma once

#include <string>

#include "compose/container_view.h"
#include "compose/copy_paths.h"
#include "compose/engine.h"

namespace skiff::compose {

// One of the two sides.
struct CopySide {
  const ContainerView *view = nullptr;  // null: the host's files
  CopyPath path;
  bool stream = false;  // stdin or stdout; the path says nothing
};

struct CopyOptions {
  bool archive = false;      // owners stay; else what comes in is root's, what comes out the caller's
  bool follow_link = false;  // of the source
};

[[nodiscard]] Status copy_tree_between(const Engine &engine, const CopySide &from, const CopySide &to,
                                       const CopyOptions &options);

}  // namespace skiff::compose
