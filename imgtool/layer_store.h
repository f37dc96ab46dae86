// Layers unpacked once, for overlayfs: layers/NAME/diff in the store, by their chain id (config.md, "Layer ChainID").
//
// A layer is made under a temporary name and renamed when it is whole. It is not forced to the disk then: its record
// says in which boot it was made, and one of an earlier boot that nobody has seen settle since is made anew, so that a
// crash costs time and never content.
//
// Whoever makes or mounts layers holds the store's lock (Layout::lock_shared) until what he makes is held
// (hold_layers), for prune takes away what no image and no holder needs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "imgtool/layer.h"
#include "imgtool/layout.h"

namespace skiff::image {

// config.md, "Layer ChainID": of every prefix of the diff ids, the base first.
[[nodiscard]] Result<std::vector<Digest>> chain_ids(const std::vector<std::string> &diff_ids);

// A layer's name in the store: the chain id, and how its ids and whiteouts were written where that is not as root.
[[nodiscard]] std::string layer_name(const Digest &chain_id, const ApplyOptions &options);

struct LayerRecord {
  std::string chain_id;
  std::string diff_id;
  std::uint64_t bytes = 0;  // uncompressed
  std::uint64_t entries = 0;
  std::string boot;      // /proc/sys/kernel/random/boot_id when it was made
  bool settled = false;  // it is on the disk
};

struct StoredLayer {
  std::string name;
  std::string path;  // of its tree: .../layers/NAME/diff
  LayerRecord record;
};

// A layer that is being made; its lock keeps others waiting. Dropped uncommitted it is removed by the next try.
struct LayerWork {
  std::string name;
  kernel::Fd lock;
  kernel::Fd root;  // the empty tree, mode 0755
};

// Empty where it is not there, or not to be trusted any more.
[[nodiscard]] Result<std::optional<StoredLayer>> find_layer(const Layout &store, const std::string &name);
// Waits while another process makes the same one. Empty where that one has finished: find_layer finds it.
[[nodiscard]] Result<std::optional<LayerWork>> begin_layer(const Layout &store, const std::string &name);
[[nodiscard]] Result<StoredLayer> commit_layer(const Layout &store, LayerWork work, const Digest &chain_id,
                                               const AppliedLayer &applied);
[[nodiscard]] Result<std::vector<StoredLayer>> list_layers(const Layout &store);
[[nodiscard]] Status remove_layer(const Layout &store, const std::string &name);

// Keeps layers from prune for as long as `bundle` (an absolute path) exists. Replaces what was held for it before.
[[nodiscard]] Status hold_layers(const Layout &store, const std::string &bundle, const std::vector<std::string> &names);
[[nodiscard]] Status release_layers(const Layout &store, const std::string &bundle);
// The names that existing bundles hold; what is held for bundles that are gone is forgotten. The caller has the store's
// lock alone.
[[nodiscard]] Result<std::vector<std::string>> held_layers(const Layout &store);

}  // namespace skiff::image
