// What unpack leaves in a bundle beside config.json, for repack: which image it was, and how it was unpacked.
#pragma once

#include <string>
#include <vector>

#include "imgtool/layer.h"
#include "imgtool/tree.h"
#include "runtime/kernel/fd.h"
#include "spec/image.h"

namespace skiff::image {

struct BundleRecord {
  std::string name;           // in full; may be empty
  std::string store;          // where its blobs are: an absolute path
  spec::Descriptor manifest;  // of the one image, never an index
  bool overlay = false;       // BUNDLE/diff has the change; else rootfs is compared with the layers
  bool rootless = false;
  std::vector<spec::IdMapping> uid_mappings;
  std::vector<spec::IdMapping> gid_mappings;

  [[nodiscard]] ApplyOptions options() const;
};

inline constexpr const char *bundle_record_name = "image.json";

[[nodiscard]] Status save_record(kernel::FdView bundle, const BundleRecord &record);
// ENOENT says that unpack has not made this bundle.
[[nodiscard]] Result<BundleRecord> load_record(kernel::FdView bundle);

// What the root filesystem was when it was unpacked, for bundles without an overlay.
[[nodiscard]] Status save_tree_record(kernel::FdView bundle, kernel::FdView rootfs);
[[nodiscard]] Result<TreeRecord> load_tree_record(kernel::FdView bundle);

}  // namespace skiff::image
