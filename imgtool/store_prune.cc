// What no image needs and no bundle holds.
#include <fmt/format.h>
#include <sys/file.h>
#include <time.h>

#include <algorithm>

#include "imgtool/build_cache.h"
#include "imgtool/build_leftovers.h"
#include "imgtool/reach.h"
#include "imgtool/store.h"
#include "imgtool/tree_removal.h"
#include "runtime/kernel/path.h"

namespace skiff::image {
namespace {

using kernel::Fd;

constexpr const char *ref_name = "org.opencontainers.image.ref.name";
constexpr const char *partial = "blobs/partial";

bool has_name(const spec::Descriptor &entry) { return entry.annotations.contains(ref_name); }

// The subject of a manifest or index without a name; empty where it has none, or where it is not here.
std::string subject_of(const Layout &store, const spec::Descriptor &entry) {
  const auto read = [&]() -> Result<spec::ImageDocument> {
    return spec::parse_image_document(TRY(store.read_blob(TRY(Digest::parse(entry.digest)))), entry.media_type);
  };
  const Result<spec::ImageDocument> document = read();
  if (!document) return {};
  const auto &subject = document->index ? document->index->subject : document->manifest->subject;
  return subject ? subject->digest : std::string();
}

class Pruner {
 public:
  Pruner(const Layout &store, const PruneOptions &options) : store_(store), options_(options) {}

  Result<PruneReport> run();

 private:
  Status find_reachable();
  Status keep(const spec::Descriptor &entry);
  Status find_nameless(const spec::ImageIndex &index);
  Status prune_blobs();
  Status prune_layers();
  Status prune_unfinished_layers();
  Status prune_partial();
  Status prune_partial_file(const Fd &directory, const std::string &name);
  Status prune_builds();
  Status prune_cache();

  const Layout &store_;
  const PruneOptions &options_;
  Reached reached_;
  PruneReport report_;
};

Status Pruner::keep(const spec::Descriptor &entry) {
  TRY(reach(store_, entry, reached_));
  if (reached_.unreadable.empty()) return {};
  Error error = in(fmt::format("{}: what image {} needs is not known, so nothing was removed", store_.path(),
                               has_name(entry) ? entry.annotations.at(ref_name) : entry.digest),
                   reached_.unreadable.front());
  error.remedy = "remove the image, or pull it again";
  return std::unexpected(std::move(error));
}

// A referrer stays for as long as what it refers to; one referrer may refer to another, so it is asked again until
// nothing is added.
Status Pruner::find_nameless(const spec::ImageIndex &index) {
  std::vector<std::pair<const spec::Descriptor *, std::string>> open;
  for (const spec::Descriptor &entry : index.manifests) {
    if (has_name(entry)) continue;
    std::string subject = subject_of(store_, entry);
    if (subject.empty() && !options_.nameless) {
      TRY(keep(entry));
    } else {
      open.emplace_back(&entry, std::move(subject));
    }
  }
  for (std::size_t before = open.size() + 1; before != open.size();) {
    before = open.size();
    for (const auto &[entry, subject] : open) {
      if (reached_.digests.contains(subject)) TRY(keep(*entry));
    }
    std::erase_if(open, [&](const auto &each) { return reached_.digests.contains(each.first->digest); });
  }
  for (const auto &[entry, subject] : open) report_.images.push_back(entry->digest);
  return {};
}

Status Pruner::find_reachable() {
  const spec::ImageIndex index = TRY(store_.load_index());
  for (const spec::Descriptor &entry : index.manifests) {
    if (has_name(entry)) TRY(keep(entry));
  }
  return find_nameless(index);
}

Status Pruner::prune_blobs() {
  for (const Layout::BlobEntry &blob : TRY(store_.list_blobs())) {
    if (reached_.digests.contains(blob.digest.text())) continue;
    if (!options_.dry_run) TRY(store_.remove_blob(blob.digest));
    report_.bytes.blobs += static_cast<std::uint64_t>(blob.size);
    report_.blobs.push_back(blob);
  }
  return {};
}

Status Pruner::prune_layers() {
  std::vector<std::string> held = TRY(held_layers(store_));
  std::ranges::sort(held);
  for (const StoredLayer &layer : TRY(list_layers(store_))) {
    const std::string chain = layer.name.substr(0, layer.name.find('.'));
    const bool whole = !layer.record.chain_id.empty();
    if (std::ranges::binary_search(held, layer.name) || (whole && reached_.chains.contains(chain))) continue;
    if (!options_.dry_run) TRY(remove_layer(store_, layer.name));
    report_.bytes.layers += layer.record.bytes;
    report_.layers.push_back(layer.name);
  }
  return options_.dry_run ? Status() : prune_unfinished_layers();
}

// Under the store's own lock nobody makes one.
Status Pruner::prune_unfinished_layers() {
  const Fd directory = TRY(kernel::find_at(store_.directory(), "layers", O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (!directory.valid()) return {};
  const std::vector<std::string> names = TRY(kernel::list_directory(directory));
  for (const std::string &name : names) {
    if (name.ends_with(".new")) TRY(remove_tree(directory, name));
    const bool lock = name.ends_with(".lock");
    if (lock && std::ranges::find(names, name.substr(0, name.size() - 5)) == names.end()) {
      TRY(kernel::unlinkat(directory, name));
    }
  }
  return {};
}

Status Pruner::prune_partial_file(const Fd &directory, const std::string &name) {
  const Fd file = TRY(kernel::find_at(directory, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK));
  if (!file.valid()) return {};
  const struct stat status = TRY(kernel::fstat(file));
  if (::time(nullptr) - status.st_mtime < options_.partial_age.count()) return {};
  if (const Status locked = kernel::flock(file, LOCK_EX | LOCK_NB); !locked) {
    return locked.error().number == EWOULDBLOCK ? Status() : locked;
  }
  if (!options_.dry_run) TRY(kernel::unlinkat(directory, name));
  report_.bytes.partial += static_cast<std::uint64_t>(status.st_blocks) * 512;
  report_.partial.push_back(name);
  return {};
}

Status Pruner::prune_partial() {
  const Fd directory = TRY(kernel::find_at(store_.directory(), partial, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (!directory.valid()) return {};
  for (const std::string &name : TRY(kernel::list_directory(directory))) TRY(prune_partial_file(directory, name));
  return {};
}

Status Pruner::prune_builds() {
  const BuildPlace place = TRY(lock_builds(store_, LayoutAccess::read));
  for (const BuildLeftover &build : TRY(list_builds(place)).left) {
    if (!options_.dry_run) TRY(remove_build(store_, place, build.name));
    report_.bytes.builds += build.bytes;
    report_.builds.push_back(build.name);
  }
  return {};
}

// After the blobs: a layer that no image needs is gone now.
Status Pruner::prune_cache() {
  for (const CacheRecord &record : TRY(list_cache(store_))) {
    const Result<Digest> layer = Digest::parse(record.layer);
    const bool there = reached_.digests.contains(record.layer) && layer && TRY(store_.has_blob(*layer));
    if (record.readable && (record.layer.empty() || there)) continue;
    if (!options_.dry_run) TRY(remove_record(store_, record.name));
    report_.bytes.cache += record.bytes;
    report_.cache.push_back(record.name);
  }
  return {};
}

Result<PruneReport> Pruner::run() {
  TRY(find_reachable());
  // The index first: what it names has to be there.
  if (!options_.dry_run && !report_.images.empty()) TRY(store_.remove_nameless(report_.images));
  TRY(prune_blobs());
  TRY(prune_layers());
  TRY(prune_partial());
  TRY(prune_builds());
  TRY(prune_cache());
  return std::move(report_);
}

}  // namespace

Result<PruneReport> prune(const Layout &store, const PruneOptions &options) {
  const Fd lock = options.dry_run ? TRY(store.lock_shared()) : TRY(store.lock_alone());
  return Pruner(store, options).run();
}

}  // namespace skiff::image
