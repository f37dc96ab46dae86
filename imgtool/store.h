// The store as a whole: a layout with unpacked layers beside its blobs; what it costs, what may go, whether it is
// sound.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "imgtool/layer_store.h"
#include "imgtool/layout.h"

namespace skiff::image {

// As Layout::open; a directory that is made here has mode 0700 whatever the umask says (CVE-2024-25621): layers hold
// set-user-id programs.
[[nodiscard]] Result<Layout> open_store(const std::string &path, LayoutAccess access);

struct PruneOptions {
  bool nameless = false;  // images without a name go too; referrers stay with what they refer to
  std::chrono::seconds partial_age = std::chrono::hours(24);  // of blobs that nobody has gone on with
  bool dry_run = false;
};
struct PruneReport {
  std::vector<std::string> images;  // digests that lost their place in the index
  std::vector<Layout::BlobEntry> blobs;
  std::vector<std::string> layers;
  std::vector<std::string> partial;  // files that never became blobs
  std::vector<std::string> builds;   // that were killed
  std::vector<std::string> cache;    // records of builds whose layers are gone
  struct Bytes {
    std::uint64_t blobs = 0;
    std::uint64_t layers = 0;  // uncompressed
    std::uint64_t partial = 0;
    std::uint64_t builds = 0;
    std::uint64_t cache = 0;
    [[nodiscard]] std::uint64_t all() const { return blobs + layers + partial + builds + cache; }
  };
  Bytes bytes;
};
// Removes what no image of the index needs and no bundle holds. Waits until nobody else uses the store. An image that
// cannot be read is an error, and nothing is removed then: what it needs is not known.
[[nodiscard]] Result<PruneReport> prune(const Layout &store, const PruneOptions &options);

struct DiskUsage {
  struct Part {
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;
    std::uint64_t reclaimable = 0;  // bytes that prune would remove
  };
  Part images;   // names and what they need: bytes of their blobs, each once
  Part blobs;    // all of them
  Part layers;   // unpacked
  Part partial;  // of downloads that have not ended
  Part builds;   // under way, and killed
  Part cache;    // what instructions of builds came to: records, the layers are among the blobs
};
[[nodiscard]] Result<DiskUsage> disk_usage(const Layout &store);

// One thing that is wrong: "blob sha256:...: its content has the digest ..."
struct VerifyReport {
  std::uint64_t blobs = 0;  // looked at
  std::uint64_t bytes = 0;
  std::vector<std::string> images;  // names that are not whole
  std::vector<Error> errors;
  std::vector<Digest> damaged;  // blobs whose content is another: what --repair may remove
};
// Reads every blob again, looks that every image has all of its own with the right sizes, and that each layer has the
// diff id of its configuration. An index may lack the images of other platforms. `seen` hears of bytes as they are
// read; it may be called by several threads.
[[nodiscard]] Result<VerifyReport> verify(const Layout &store, const std::function<void(std::uint64_t)> &seen);

}  // namespace skiff::image
