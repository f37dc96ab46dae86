#include "imgtool/bundle.h"

#include <fmt/format.h>

#include "imgtool/overlay.h"
#include "runtime/kernel/mount.h"
#include "runtime/kernel/path.h"

namespace skiff::image {
namespace {

Result<std::string> absolute(const std::string &path) {
  return path.starts_with('/') ? path : TRY(kernel::getcwd()) + "/" + path;
}

Result<kernel::Fd> make_directory(kernel::FdView parent, const char *name) {
  TRY(kernel::mkdirat(parent, name, 0755));
  return kernel::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

// Set-user-id programs of an image are no business of the host's users; whom a user namespace makes root has to get
// through, though.
mode_t bundle_mode(const BundleRequest &request) {
  return request.runtime.uid_mappings.empty() && !request.apply.rootless ? 0700 : 0711;
}

Status write_config(kernel::FdView bundle, const spec::Config &config) {
  const kernel::Fd file = TRY(kernel::openat(bundle, "config.json", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644));
  return kernel::write_all(file, spec::print_config(config, true) + "\n");
}

// Everything but the root filesystem itself, which is only read.
Result<std::vector<std::string>> describe(const BundleRequest &request, const BundleSource &source,
                                          kernel::FdView bundle, kernel::FdView rootfs) {
  RuntimeConfig made = TRY(make_runtime_config(source.image.config, rootfs, request.runtime));
  TRY(make_volumes(bundle, made.volumes));
  TRY(write_config(bundle, made.config));
  TRY(save_record(bundle, {.name = source.name,
                           .store = TRY(absolute(source.blobs.path())),
                           .manifest = source.image.descriptor,
                           .overlay = request.overlay,
                           .rootless = request.apply.rootless,
                           .uid_mappings = request.apply.uid_mappings,
                           .gid_mappings = request.apply.gid_mappings}));
  return std::move(made.warnings);
}

Result<std::vector<std::string>> make_plain(const BundleRequest &request, const BundleSource &source,
                                            const HalfMade &bundle, Progress &progress) {
  const kernel::Fd rootfs = TRY(make_directory(bundle.fd(), "rootfs"));
  TRY(apply_image(source.image, source.open, rootfs, request.apply, progress));
  TRY(save_tree_record(bundle.fd(), rootfs));
  return describe(request, source, bundle.fd(), rootfs);
}

// The mount comes last, for its options hold the names that the directories have in the end. What config.json needs to
// know is read through a mount of the layers alone.
Result<std::vector<std::string>> make_overlay(const BundleRequest &request, const BundleSource &source,
                                              const Layout &store, HalfMade bundle, Progress &progress) {
  const kernel::Fd lock = TRY(store.lock_shared());
  const std::vector<StoredLayer> layers = TRY(ensure_layers(store, source.image, source.open, request.apply, progress));
  for (const char *name : {"rootfs", "diff", "work"}) TRY(make_directory(bundle.fd(), name));
  // The overlay's root has the upper directory's attributes.
  const kernel::Fd lower = TRY(open_overlay(layers, {}, request.user_xattr));
  const struct stat root = TRY(kernel::fstat(lower));
  TRY(kernel::fchownat(bundle.fd(), "diff", root.st_uid, root.st_gid));
  TRY(kernel::fchmodat(bundle.fd(), "diff", root.st_mode & 07777U));
  const kernel::Fd tree = TRY(kernel::openat(lower, ".", O_RDONLY | O_DIRECTORY));
  std::vector<std::string> warnings = TRY(describe(request, source, bundle.fd(), tree));
  std::vector<std::string> names;
  for (const StoredLayer &layer : layers) names.push_back(layer.name);
  const std::string path = TRY(absolute(bundle.target()));
  TRY(bundle.finish(bundle_mode(request)));
  const auto mount = [&]() -> Status {
    TRY(hold_layers(store, path, names));
    const UpperDirectories upper{.upper = path + "/diff", .work = path + "/work"};
    return attach(TRY(open_overlay(layers, upper, request.user_xattr)), path + "/rootfs");
  };
  if (Status mounted = mount(); !mounted) {
    (void)kernel::remove_tree_at(kernel::cwd, path);
    (void)release_layers(store, path);
    return std::unexpected(std::move(mounted).error());
  }
  return warnings;
}

}  // namespace

Result<std::vector<std::string>> make_bundle(const BundleRequest &request, const BundleSource &source,
                                             const Layout &store, Progress &progress, Interrupts &interrupts) {
  HalfMade bundle = TRY(HalfMade::make_directory(request.path, interrupts));
  if (request.overlay) return make_overlay(request, source, store, std::move(bundle), progress);
  if (request.rootfs_only) {
    TRY(kernel::fchmod(bundle.fd(), 0755));
    TRY(apply_image(source.image, source.open, bundle.fd(), request.apply, progress));
    TRY(bundle.finish(TRY(kernel::fstat(bundle.fd())).st_mode & 07777U));
    return std::vector<std::string>{};
  }
  std::vector<std::string> warnings = TRY(make_plain(request, source, bundle, progress));
  TRY(bundle.finish(bundle_mode(request)));
  return warnings;
}

}  // namespace skiff::image
