// An image on its way from a registry into a layout: its documents first, then all blobs at once, which can be read
// while they arrive.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "imgtool/layout_copy.h"
#include "imgtool/push.h"
#include "imgtool/registry.h"
#include "imgtool/unpack.h"

namespace skiff::image {

// What the registry says of an image: manifests and indexes below the root, leaves first, and the blobs they name.
struct RemoteImage {
  spec::Descriptor root;
  struct Item {
    spec::Descriptor descriptor;
    std::string bytes;
  };
  std::vector<Item> documents;
  std::vector<spec::Descriptor> configs;
  std::vector<spec::Descriptor> layers;
};
// ENOENT where there is no such image; the error of choose_manifest where there is none for the platform.
[[nodiscard]] Result<RemoteImage> look_up(Registry &registry, const ImageName &name, const Selection &selection);

class Fetch {
 public:
  // Opens a file for each blob that the layout lacks; waits where another process is fetching it.
  [[nodiscard]] static Result<Fetch> begin(const Layout &into, std::vector<spec::Descriptor> blobs, Progress &progress);
  Fetch(Fetch &&) noexcept;
  Fetch &operator=(Fetch &&) = delete;
  ~Fetch();

  // Returns when all have come, verified and committed, or the first error. Call it once.
  [[nodiscard]] Status run(Registry &registry);
  // A blob to read while run() goes on in another thread. Each digest by one reader at a time.
  [[nodiscard]] Result<LayerSource> open(const spec::Descriptor &blob);
  // What still comes is of no use: run() ends soon, readers and waiters at once, with ECANCELED. What has come stays.
  void cancel();

 private:
  struct State;
  explicit Fetch(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The documents of an image whose blobs are there: from here on the layout holds all of it.
[[nodiscard]] Status keep_documents(const RemoteImage &image, const Layout &into);

// All three in a row. Returns the root.
[[nodiscard]] Result<spec::Descriptor> fetch_image(Registry &registry, const ImageName &name, const Layout &into,
                                                   const Selection &selection, Progress &progress);

// The other way: blobs that the registry lacks, then the documents, the root under the name's tag or digest.
[[nodiscard]] Status send_image(Registry &registry, const ImageName &name, const Layout &from,
                                const spec::Descriptor &root, const PushOptions &options, Progress &progress);

}  // namespace skiff::image
