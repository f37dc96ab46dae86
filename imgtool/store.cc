#include "imgtool/store.h"

#include <fmt/format.h>

#include "imgtool/build_cache.h"
#include "imgtool/build_leftovers.h"
#include "imgtool/reach.h"
#include "runtime/kernel/path.h"

namespace skiff::image {
namespace {

constexpr const char *ref_name = "org.opencontainers.image.ref.name";

// The parents as a directory of anybody's, the last for nobody else.
Status make_private(const std::string &path) {
  TRY(kernel::make_parents(path, 0755));
  const Status made = kernel::mkdirat(kernel::cwd, path, 0700);
  if (!made) return made.error().number == EEXIST ? Status() : made;
  const kernel::Fd directory = TRY(kernel::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  return kernel::fchmod(directory, 0700);
}

void add(DiskUsage::Part &part, std::uint64_t bytes) {
  ++part.count;
  part.bytes += bytes;
}

Status count_images(const Layout &store, DiskUsage &usage) {
  Reached reached;
  for (const spec::Descriptor &each : TRY(store.load_index()).manifests) {
    if (each.annotations.contains(ref_name)) ++usage.images.count;
    TRY(reach(store, each, reached));
  }
  for (const auto &[digest, size] : reached.sizes) usage.images.bytes += static_cast<std::uint64_t>(size);
  return {};
}

Status count_partial(const Layout &store, DiskUsage &usage) {
  const kernel::Fd directory =
      TRY(kernel::find_at(store.directory(), "blobs/partial", O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (!directory.valid()) return {};
  for (const std::string &name : TRY(kernel::list_directory(directory))) {
    const auto status = kernel::fstatat(directory, name, AT_SYMLINK_NOFOLLOW);
    if (status) add(usage.partial, static_cast<std::uint64_t>(status->st_blocks) * 512);
  }
  return {};
}

Status count_builds(const Layout &store, DiskUsage &usage) {
  const BuildsThere there = TRY(list_builds(TRY(lock_builds(store, LayoutAccess::read))));
  for (const auto *const builds : {&there.running, &there.left}) {
    for (const BuildLeftover &build : *builds) add(usage.builds, build.bytes);
  }
  for (const CacheRecord &record : TRY(list_cache(store))) add(usage.cache, record.bytes);
  return {};
}

}  // namespace

Result<Layout> open_store(const std::string &path, LayoutAccess access) {
  std::string plain = path;
  while (plain.size() > 1 && plain.ends_with('/')) plain.pop_back();
  if (access == LayoutAccess::write) TRY(in("store", make_private(plain)));
  return Layout::open(plain, access);
}

Result<DiskUsage> disk_usage(const Layout &store) {
  DiskUsage usage;
  const kernel::Fd lock = TRY(store.lock_shared());
  TRY(count_images(store, usage));
  for (const Layout::BlobEntry &blob : TRY(store.list_blobs())) add(usage.blobs, static_cast<std::uint64_t>(blob.size));
  for (const StoredLayer &layer : TRY(list_layers(store))) add(usage.layers, layer.record.bytes);
  TRY(count_partial(store, usage));
  TRY(count_builds(store, usage));
  const PruneReport report =
      TRY(prune(store, {.nameless = false, .partial_age = std::chrono::seconds(0), .dry_run = true}));
  usage.blobs.reclaimable = report.bytes.blobs;
  usage.layers.reclaimable = report.bytes.layers;
  usage.partial.reclaimable = usage.partial.bytes;
  usage.builds.reclaimable = report.bytes.builds;
  usage.cache.reclaimable = report.bytes.cache;
  return usage;
}

}  // namespace skiff::image
