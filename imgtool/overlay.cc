#include "imgtool/overlay.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "imgtool/thread.h"
#include "runtime/kernel/mount.h"
#include "runtime/kernel/path.h"

namespace skiff::image {
namespace {

struct Work {
  std::size_t index = 0;
  LayerWork work;
  AppliedLayer applied;
};

// In the order of the layers: whoever else makes some of them takes them in the same order, so that none waits for one
// who waits for him.
Result<std::vector<Work>> begin_missing(const Layout &store, const std::vector<std::string> &names) {
  std::vector<Work> missing;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (TRY(find_layer(store, names[i]))) continue;
    std::optional<LayerWork> work = TRY(begin_layer(store, names[i]));
    if (work) missing.push_back({.index = i, .work = std::move(*work), .applied = {}});
  }
  return missing;
}

// The first error ends it; what the others do at that moment they finish.
Status unpack_all(std::vector<Work> &missing, const LoadedImage &image, const OpenLayer &open,
                  const ApplyOptions &options, Progress &progress) {
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  Status outcome;
  const auto run = [&] {
    for (;;) {
      const std::size_t mine = next++;
      if (mine >= missing.size()) return;
      Work &work = missing[mine];
      Result<AppliedLayer> applied = apply_one(image, work.index, open, work.work.root, options, progress);
      const std::scoped_lock lock(mutex);
      if (applied) {
        work.applied = std::move(*applied);
      } else {
        // What the first error has cancelled may come here before it.
        if (outcome || outcome.error().number == ECANCELED) outcome = std::unexpected(std::move(applied).error());
        next = missing.size();
      }
    }
  };
  const std::size_t count = std::min<std::size_t>(missing.size(), std::max(2U, std::thread::hardware_concurrency()));
  work_together(count, run);
  return outcome;
}

// The directories of the layers below `index`, the nearest first.
Result<std::vector<kernel::Fd>> open_lowers(const std::vector<StoredLayer> &layers, std::size_t index) {
  std::vector<kernel::Fd> lowers;
  while (index-- > 0) lowers.push_back(TRY(kernel::open(layers[index].path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)));
  return lowers;
}

Result<StoredLayer> commit(const Layout &store, Work work, const Digest &chain, const std::vector<StoredLayer> &below,
                           const ApplyOptions &options) {
  if (!work.applied.implicit_directories.empty()) {
    const std::vector<kernel::Fd> lowers = TRY(open_lowers(below, below.size()));
    const std::vector<kernel::FdView> views(lowers.begin(), lowers.end());
    TRY(inherit_directories(work.work.root, work.applied.implicit_directories, views, options));
  }
  return commit_layer(store, std::move(work.work), chain, work.applied);
}

// Linux 6.5: one layer after the other, of any number. Before, all of them in one string of at most a page.
Status add_lowers(const kernel::Fd &context, const std::vector<StoredLayer> &layers) {
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    TRY(kernel::fsconfig_set_string(context, "lowerdir+", layer->path));
  }
  return {};
}

// One tree without an overlay: the filesystem wants two layers at least.
Result<kernel::Fd> open_single(const std::string &path) {
  kernel::Fd mount = TRY(kernel::open_tree(kernel::cwd, path, OPEN_TREE_CLONE));
  TRY(kernel::mount_setattr(mount, "", {.set = MOUNT_ATTR_RDONLY, .propagation = MS_PRIVATE}));
  return mount;
}

Result<kernel::Fd> open_context(const std::vector<StoredLayer> &layers, const UpperDirectories &upper,
                                bool user_xattr) {
  kernel::Fd context = TRY(kernel::fsopen("overlay"));
  TRY(kernel::fsconfig_set_string(context, "source", "overlay"));
  TRY(add_lowers(context, layers));
  if (!upper.upper.empty()) {
    TRY(kernel::fsconfig_set_string(context, "upperdir", upper.upper));
    TRY(kernel::fsconfig_set_string(context, "workdir", upper.work));
  }
  if (user_xattr) TRY(kernel::fsconfig_set_flag(context, "userxattr"));
  TRY(kernel::fsconfig_create(context));
  return context;
}

}  // namespace

Result<std::vector<StoredLayer>> ensure_layers(const Layout &store, const LoadedImage &image, const OpenLayer &open,
                                               ApplyOptions options, Progress &progress) {
  options.whiteouts = WhiteoutStyle::overlay;
  const std::vector<Digest> chains = TRY(chain_ids(image.config.rootfs.diff_ids));
  std::vector<std::string> names;
  for (const Digest &chain : chains) names.push_back(layer_name(chain, options));
  std::vector<Work> missing = TRY(begin_missing(store, names));
  TRY(unpack_all(missing, image, open, options, progress));
  std::vector<StoredLayer> layers;
  auto made = missing.begin();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (made != missing.end() && made->index == i) {
      layers.push_back(TRY(commit(store, std::move(*made++), chains[i], layers, options)));
      continue;
    }
    std::optional<StoredLayer> there = TRY(find_layer(store, names[i]));
    if (!there) return fail(ENOENT, fmt::format("layer {} went from the store", names[i]), "try again");
    layers.push_back(std::move(*there));
  }
  return layers;
}

Result<kernel::Fd> open_overlay(const std::vector<StoredLayer> &layers, const UpperDirectories &upper,
                                bool user_xattr) {
  if (layers.empty()) return fail("the image has no layer", "unpack it without --overlay");
  static constexpr std::string_view words =
      "mounting needs root, or a user namespace; unpack without --overlay does not";
  if (layers.size() == 1 && upper.upper.empty()) return remedy(words, open_single(layers.front().path));
  Result<kernel::Fd> context = open_context(layers, upper, user_xattr);
  if (!context && context.error().number == EPERM) return remedy(words, std::move(context));
  const std::uint64_t attributes = upper.upper.empty() ? MOUNT_ATTR_RDONLY : 0;
  return remedy(words, kernel::fsmount(TRY(remedy("overlay with several layers needs Linux 6.5", std::move(context))),
                                       attributes));
}

Status attach(kernel::FdView mount, const std::string &directory) {
  const kernel::Fd target = TRY(kernel::open(directory, O_PATH | O_DIRECTORY | O_NOFOLLOW));
  return in(directory, kernel::move_mount(mount, target));
}

}  // namespace skiff::image
