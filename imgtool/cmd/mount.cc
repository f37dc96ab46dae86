#include "runtime/kernel/mount.h"

#include <fmt/format.h>

#include "imgtool/cmd/command.h"
#include "imgtool/cmd/limits.h"
#include "imgtool/output.h"
#include "imgtool/overlay.h"
#include "imgtool/store.h"
#include "imgtool/stored_image.h"
#include "runtime/kernel/path.h"

namespace skiff::image {
namespace {

constexpr std::array<cli::FlagSpec, 5> flags = {
    {platform_flag, max_layer_size_flag, max_entries_flag, max_path_flag, max_ratio_flag}};

// STORE/mounts/DIGITS where no directory is named.
std::string default_place(const Layout &store, const Digest &manifest) {
  return fmt::format("{}/mounts/{}", store.path(), manifest.short_hex());
}

Result<std::string> absolute(const std::string &path) {
  return path.starts_with('/') ? path : TRY(kernel::getcwd()) + "/" + path;
}

Result<Digest> manifest_of(const Context &context, const Layout &store) {
  const StoredImage image = TRY(find_stored(store, context.argument(0)));
  return Digest::parse(TRY(select_manifest(store, image.root, TRY(context.platform()))).digest);
}

Result<int> run_mount(const Context &context) {
  const Layout store = TRY(open_store(TRY(absolute(context.store)), LayoutAccess::write));
  const kernel::Fd lock = TRY(store.lock_shared());
  const StoredImage stored = TRY(find_stored(store, context.argument(0)));
  const LoadedImage image = TRY(load_image(store, TRY(select_manifest(store, stored.root, TRY(context.platform())))));
  ApplyOptions options;
  options.limits = layer_limits(context.flags());
  Progress progress(context.progress);
  const std::vector<StoredLayer> layers = TRY(ensure_layers(store, image, layers_of(store, image), options, progress));
  std::string place = context.argument(1);
  if (place.empty()) {
    TRY(kernel::make_directory(kernel::cwd, store.path() + "/mounts", 0755));
    place = default_place(store, TRY(Digest::parse(image.descriptor.digest)));
  }
  place = TRY(absolute(place));
  TRY(kernel::make_directory(kernel::cwd, place, 0755));
  std::vector<std::string> names;
  for (const StoredLayer &layer : layers) names.push_back(layer.name);
  TRY(hold_layers(store, place, names));
  TRY(attach(TRY(open_overlay(layers, {}, false)), place));
  return print(place + "\n");
}

Result<int> run_umount(const Context &context) {
  const Layout store = TRY(open_store(TRY(absolute(context.store)), LayoutAccess::write));
  const kernel::Fd lock = TRY(store.lock_shared());
  std::string place = context.argument(0);
  if (!place.starts_with('/') && !place.starts_with('.')) {
    place = default_place(store, TRY(manifest_of(context, store)));
  }
  place = TRY(absolute(place));
  TRY(kernel::umount2(place, UMOUNT_NOFOLLOW));
  TRY(release_layers(store, place));
  // One of ours; a directory that the caller named stays.
  if (place.starts_with(store.path() + "/mounts/")) TRY(kernel::unlinkat(kernel::cwd, place, AT_REMOVEDIR));
  return 0;
}

}  // namespace

const CommandEntry mount_command = {
    .command = {.name = "mount",
                .usage = "IMAGE [DIR]",
                .summary = "mount the root filesystem of an image of the store, read-only, and print where",
                .flags = flags,
                .min_positionals = 1,
                .max_positionals = 2},
    .run = run_mount};

constexpr std::array<cli::FlagSpec, 1> umount_flags = {{platform_flag}};
const CommandEntry umount_command = {.command = {.name = "umount",
                                                 .usage = "IMAGE|DIR",
                                                 .summary = "take away what mount mounted; DIR as a path with a slash",
                                                 .flags = umount_flags,
                                                 .min_positionals = 1,
                                                 .max_positionals = 1},
                                     .run = run_umount};
const CommandEntry unmount_command = {.command = {.name = "unmount",
                                                  .usage = "IMAGE|DIR",
                                                  .summary = "the same as umount",
                                                  .flags = umount_flags,
                                                  .min_positionals = 1,
                                                  .max_positionals = 1,
                                                  .hidden = true},
                                      .run = run_umount};

}  // namespace skiff::image
