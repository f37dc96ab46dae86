#include "imgtool/bundle_arriving.h"

#include "imgtool/fetch.h"
#include "imgtool/thread.h"

namespace skiff::image {
namespace {

Result<LoadedImage> fetch_documents(Registry &registry, const RemoteImage &remote, const Layout &store,
                                    Progress &progress) {
  Fetch configs = TRY(Fetch::begin(store, remote.configs, progress));
  TRY(configs.run(registry));
  TRY(keep_documents(remote, store));
  return load_image(store, remote.root);
}

}  // namespace

Result<std::vector<std::string>> make_arriving_bundle(const BundleRequest &request, const ArrivingImage &image,
                                                      const Layout &store, Progress &progress, Interrupts &interrupts) {
  const kernel::Fd lock = TRY(store.lock_shared());
  const Selection selection{.all = false, .platform = image.platform};
  const RemoteImage remote = TRY(look_up(image.registry, image.name, selection));
  const LoadedImage loaded = TRY(fetch_documents(image.registry, remote, store, progress));
  Fetch layers = TRY(Fetch::begin(store, remote.layers, progress));
  Status fetched;
  Thread fetching = TRY(Thread::start([&] { fetched = layers.run(image.registry); }));
  const BundleSource source{.name = image.name.text(), .blobs = store, .image = loaded, .open = [&](std::size_t index) {
                              return layers.open(loaded.manifest.layers[index]);
                            }};
  Result<std::vector<std::string>> made = make_bundle(request, source, store, progress, interrupts);
  if (!made) layers.cancel();
  fetching.join();
  // What broke the download explains what unpacking says of it.
  if (!fetched && (made || fetched.error().number != ECANCELED)) return std::unexpected(fetched.error());
  if (fetched) TRY(store.set_name(image.name.text(), remote.root));
  return made;
}

}  // namespace skiff::image
