#include "imgtool/fetch.h"

#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>
#include <set>

#include "imgtool/take_in.h"
#include "spec/media_types.h"

namespace skiff::image {
namespace {

constexpr int deepest = 8;

spec::Descriptor describe(const FetchedManifest &fetched) {
  spec::Descriptor descriptor;
  descriptor.media_type = fetched.media_type;
  descriptor.digest = fetched.digest.text();
  descriptor.size = static_cast<std::int64_t>(fetched.bytes.size());
  return descriptor;
}

class LookUp {
 public:
  LookUp(Registry &registry, const Selection &selection) : registry_(registry), selection_(selection) {}

  Result<RemoteImage> run(const ImageName &name) {
    spec::Descriptor root = TRY(get(name.selector()));
    if (!selection_.all && spec::is_index_type(root.media_type)) {
      const LoadIndex load = [&](const spec::Descriptor &index) -> Result<spec::ImageIndex> {
        const Document document = TRY(read(index));
        if (!document.content.index) return fail(fmt::format("{}: no index", index.digest));
        return *document.content.index;
      };
      root = TRY(choose_manifest(TRY(load(root)), selection_.platform, load));
    }
    TRY(descend(root, 0));
    image_.root = std::move(root);
    return std::move(image_);
  }

 private:
  Result<spec::Descriptor> get(const std::string &selector) {
    std::optional<FetchedManifest> fetched = TRY(registry_.get_manifest(selector));
    if (!fetched) return fail(ENOENT, fmt::format("no manifest {}", selector), "the tag or the name is wrong");
    spec::Descriptor descriptor = describe(*fetched);
    known_[descriptor.digest] = std::move(fetched->bytes);
    return descriptor;
  }

  Result<Document> read(const spec::Descriptor &descriptor) {
    TRY(Digest::parse(descriptor.digest));
    if (!known_.contains(descriptor.digest)) TRY(get(descriptor.digest));
    const auto found = known_.find(descriptor.digest);
    if (found == known_.end()) return fail(EBADMSG, fmt::format("{}: another digest came", descriptor.digest));
    if (static_cast<std::int64_t>(found->second.size()) != descriptor.size) {
      return fail(EBADMSG, fmt::format("{}: {} bytes, its descriptor says {}", descriptor.digest, found->second.size(),
                                       descriptor.size));
    }
    return make_document(found->second, descriptor);
  }

  Status descend(const spec::Descriptor &descriptor, int depth) {
    if (depth > deepest) return fail(fmt::format("{}: indexes in indexes, {} deep", descriptor.digest, depth));
    if (!seen_.insert(descriptor.digest).second) return {};
    const Document document = TRY(read(descriptor));
    if (document.content.index) {
      for (const spec::Descriptor &child : document.content.index->manifests) {
        if (is_document(child)) {
          TRY(descend(child, depth + 1));
        } else if (seen_.insert(child.digest).second) {
          image_.layers.push_back(child);
        }
      }
    } else {
      const spec::ImageManifest &manifest = *document.content.manifest;
      if (seen_.insert(manifest.config.digest).second) image_.configs.push_back(manifest.config);
      for (const spec::Descriptor &layer : manifest.layers) {
        const bool left = !selection_.foreign_layers && !layer.urls.empty();
        if (!left && seen_.insert(layer.digest).second) image_.layers.push_back(layer);
      }
    }
    image_.documents.push_back({.descriptor = descriptor, .bytes = document.bytes});
    return {};
  }

  Registry &registry_;
  const Selection &selection_;
  std::map<std::string, std::string> known_;
  std::set<std::string> seen_;
  RemoteImage image_;
};

}  // namespace

Result<RemoteImage> look_up(Registry &registry, const ImageName &name, const Selection &selection) {
  return in(name.familiar(), LookUp(registry, selection).run(name));
}

struct Fetch::State {
  // One blob; at an address of its own, for the registry and the readers keep it.
  struct Blob {
    spec::Descriptor descriptor;
    Incoming incoming;
    kernel::Fd file;  // lives on when the incoming one is committed
    std::unique_ptr<Arrival> arrival;
    ProgressItem item;
    bool opened = false;
    Status committed;
  };

  const Layout &into;
  std::vector<std::unique_ptr<Blob>> blobs;
  std::stop_source stop;

  void cancel() {
    stop.request_stop();
    for (const auto &blob : blobs) {
      blob->arrival->fail({.number = ECANCELED, .text = "its download was given up", .remedy = {}});
    }
  }
  [[nodiscard]] Blob *find(const std::string &digest) const {
    const auto found = std::ranges::find_if(blobs, [&](const auto &blob) { return blob->descriptor.digest == digest; });
    return found == blobs.end() ? nullptr : found->get();
  }
};

Fetch::Fetch(std::unique_ptr<State> state) : state_(std::move(state)) {}
Fetch::Fetch(Fetch &&) noexcept = default;
Fetch::~Fetch() = default;

Result<Fetch> Fetch::begin(const Layout &into, std::vector<spec::Descriptor> blobs, Progress &progress) {
  auto state = std::unique_ptr<State>(new State{.into = into, .blobs = {}, .stop = {}});
  // One order for every process: two that wait for each other's blobs would wait for ever.
  std::ranges::stable_sort(blobs, {}, &spec::Descriptor::digest);
  for (spec::Descriptor &descriptor : blobs) {
    const Digest digest = TRY(Digest::parse(descriptor.digest));
    if (state->find(descriptor.digest) != nullptr) continue;
    ProgressItem item = progress.begin(digest.short_hex(), "Waiting", static_cast<std::uint64_t>(descriptor.size));
    Incoming incoming = TRY(into.begin_blob(digest));
    if (!incoming.file.valid()) {
      item.done("Already exists");
      continue;
    }
    auto blob = std::make_unique<State::Blob>();
    blob->file = TRY(kernel::dup_above(incoming.file, 3));
    blob->arrival = std::make_unique<Arrival>(blob->file);
    blob->descriptor = std::move(descriptor);
    blob->incoming = std::move(incoming);
    blob->item = std::move(item);
    state->blobs.push_back(std::move(blob));
  }
  return Fetch(std::move(state));
}

Status Fetch::run(Registry &registry) {
  std::vector<BlobFetch> fetches;
  for (const std::unique_ptr<State::Blob> &owned : state_->blobs) {
    State::Blob *blob = owned.get();
    BlobFetch fetch;
    fetch.descriptor = blob->descriptor;
    fetch.incoming = &blob->incoming;
    fetch.arrival = blob->arrival.get();
    fetch.progress = &blob->item;
    fetch.ended = [this, blob](const Status &verified) {
      if (!verified) return;
      blob->committed = state_->into.commit_blob(std::move(blob->incoming), *Digest::parse(blob->descriptor.digest));
      // The copy holds the lock too: who waits for this blob shall not wait for all the others and the unpacking.
      (void)kernel::flock(blob->file, LOCK_UN);
      if (blob->committed) blob->item.done("Pull complete");
    };
    fetches.push_back(std::move(fetch));
  }
  if (fetches.empty()) return {};
  TRY(registry.get_blobs(std::move(fetches), state_->stop.get_token()));
  for (const std::unique_ptr<State::Blob> &blob : state_->blobs) TRY(blob->committed);
  return {};
}

void Fetch::cancel() { state_->cancel(); }

Result<LayerSource> Fetch::open(const spec::Descriptor &descriptor) {
  const auto give_up = [this] { state_->cancel(); };
  State::Blob *blob = state_->find(descriptor.digest);
  if (blob == nullptr) {
    const auto file = std::make_shared<kernel::Fd>(TRY(open_content(state_->into, descriptor)));
    return LayerSource{.bytes = [file](std::span<char> into) { return kernel::read_some(*file, into); },
                       .wait = [] { return Status{}; },
                       .give_up = give_up};
  }
  // An image may have the same layer twice: then it has come already, and is read from its file.
  if (std::exchange(blob->opened, true)) {
    TRY(blob->arrival->wait());
    return LayerSource{.bytes = read_range(blob->file, 0, static_cast<std::uint64_t>(descriptor.size)),
                       .wait = [] { return Status{}; },
                       .give_up = give_up};
  }
  return LayerSource{
      .bytes = blob->arrival->reader(), .wait = [blob] { return blob->arrival->wait(); }, .give_up = give_up};
}

Status keep_documents(const RemoteImage &image, const Layout &into) {
  for (const RemoteImage::Item &item : image.documents) TRY(take_in(into, read_text(item.bytes), item.descriptor));
  return {};
}

Result<spec::Descriptor> fetch_image(Registry &registry, const ImageName &name, const Layout &into,
                                     const Selection &selection, Progress &progress) {
  const RemoteImage image = TRY(look_up(registry, name, selection));
  std::vector<spec::Descriptor> blobs = image.configs;
  blobs.insert(blobs.end(), image.layers.begin(), image.layers.end());
  Fetch fetch = TRY(Fetch::begin(into, std::move(blobs), progress));
  TRY(fetch.run(registry));
  TRY(keep_documents(image, into));
  return image.root;
}

}  // namespace skiff::image
