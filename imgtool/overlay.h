// An image's layers unpacked once in the store, and the overlay mounts that show them as one tree.
#pragma once

#include <string>
#include <vector>

#include "imgtool/layer_store.h"
#include "imgtool/unpack.h"

namespace skiff::image {

// Every layer of the image in the store, the base first; those that are missing are unpacked, several at a time. The
// caller holds the store's lock.
[[nodiscard]] Result<std::vector<StoredLayer>> ensure_layers(const Layout &store, const LoadedImage &image,
                                                             const OpenLayer &open, ApplyOptions options,
                                                             Progress &progress);

// The directories for what is written; empty: the mount is read-only.
struct UpperDirectories {
  std::string upper;
  std::string work;
};
// A detached mount of the layers, the base first. With `user_xattr` for a user namespace's root (Linux 5.11). EPERM
// gets the remedy for who may not mount.
[[nodiscard]] Result<kernel::Fd> open_overlay(const std::vector<StoredLayer> &layers, const UpperDirectories &upper,
                                              bool user_xattr);
// Attaches it to a directory that is there already.
[[nodiscard]] Status attach(kernel::FdView mount, const std::string &directory);

}  // namespace skiff::image
