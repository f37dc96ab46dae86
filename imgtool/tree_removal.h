// Removing a tree that an image brought, by whoever unpacked it.
#pragma once

#include "runtime/kernel/fd.h"

namespace skiff::image {

// As kernel::remove_tree_at; directories that deny their owner to write or to search are opened up first, for to root
// alone their modes mean nothing.
[[nodiscard]] Status remove_tree(kernel::FdView directory, const std::string &name);

}  // namespace skiff::image
