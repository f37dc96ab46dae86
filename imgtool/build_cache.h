// What instructions came to before: build-cache/KEY in the store, by a key of all that they depend on. A record whose
// layer is gone counts as none; prune removes it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "imgtool/layer_writer.h"

namespace skiff::image {

// The layer of an instruction; without one it changed nothing.
struct CachedStep {
  std::optional<spec::Descriptor> layer;
  std::string diff_id;
};

// A record on the disk, of prune's interest.
struct CacheRecord {
  std::string name;
  std::string layer;  // the digest of its layer; empty where it has none
  std::uint64_t bytes = 0;
  bool readable = false;  // a whole one; not what a killed build was about to write
};
[[nodiscard]] Result<std::vector<CacheRecord>> list_cache(const Layout &store);
[[nodiscard]] Status remove_record(const Layout &store, const std::string &name);

class BuildCache {
 public:
  // `read` off: nothing is found, but what is made is kept (--no-cache).
  BuildCache(const Layout &store, bool read) : store_(&store), read_(read) {}

  // Of the parts in order, each with its length, so that no two lists of parts are the same text.
  [[nodiscard]] static std::string key(const std::vector<std::string> &parts);

  [[nodiscard]] Result<std::optional<CachedStep>> find(const std::string &key) const;
  // By rename(2): a record is whole or not there.
  [[nodiscard]] Status keep(const std::string &key, const CachedStep &step) const;

 private:
  const Layout *store_;
  bool read_;
};

}  // namespace skiff::image
