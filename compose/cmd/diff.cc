#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>

#include "compose/cmd/command.h"
#include "compose/cmd/format_flag.h"
#include "compose/engine.h"
#include "compose/output.h"
#include "compose/rootfs_mount.h"
#include "runtime/kernel/path.h"
#include "spec/config.h"
#include "spec/writer.h"

namespace skiff::compose {
namespace {

constexpr auto flags = std::to_array<cli::FlagSpec>({
    format_flag("text|json"),
});

struct Line {
  char what = 'A';
  std::string path;
};

// As podman's document: the paths of each kind.
struct Kinds {
  std::vector<std::string> changed, added, deleted;
};

void fields(spec::Writer &v, const Kinds &kinds) {
  v.optional("changed", kinds.changed);
  v.optional("added", kinds.added);
  v.optional("deleted", kinds.deleted);
}

// What an overlay's upper directory says against the layers below it: overlayfs.rst of the kernel, "whiteouts and
// opaque directories".
class Difference {
 public:
  static Result<Difference> open(const Places &places, const ContainerRecord &record) {
    Difference difference;
    difference.upper_ = TRY(kernel::open(bundle_of(places, record.id) + "/diff", O_RDONLY | O_DIRECTORY));
    const spec::Config config =
        spec::parse_config(TRY(read_if_there(bundle_of(places, record.id) + "/config.json"))).config;
    for (const spec::Mount &mount : config.mounts) difference.mount_points_.push_back(mount.destination);
    for (const std::string &layer : record.layers) {
      difference.layers_.push_back(TRY(kernel::open(layer, O_PATH | O_DIRECTORY)));
    }
    return difference;
  }

  Status walk(const kernel::Fd &directory, const std::string &path) {
    std::vector<std::string> names = TRY(kernel::list_directory(directory));
    std::ranges::sort(names);
    for (const std::string &name : names) {
      const struct stat found = TRY(kernel::fstatat(directory, name, AT_SYMLINK_NOFOLLOW));
      const std::string inside = fmt::format("{}/{}", path, name);
      if (S_ISCHR(found.st_mode) && found.st_rdev == makedev(0, 0)) {
        lines_.push_back({'D', inside});
        continue;
      }
      const bool below = is_below(inside);
      // Made for what is mounted there, by the runtime.
      if (!below && std::ranges::find(mount_points_, inside) != mount_points_.end()) continue;
      lines_.push_back({below ? 'C' : 'A', inside});
      if (S_ISDIR(found.st_mode)) {
        TRY(walk(TRY(kernel::openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)), inside));
      }
    }
    return {};
  }

  [[nodiscard]] const kernel::Fd &upper() const { return upper_; }
  [[nodiscard]] std::string text() const {
    std::string text;
    for (const Line &line : lines_) text += fmt::format("{} {}\n", line.what, line.path);
    return text;
  }
  [[nodiscard]] std::string json() const {
    Kinds kinds;
    for (const Line &line : lines_) {
      (line.what == 'C' ? kinds.changed : line.what == 'A' ? kinds.added : kinds.deleted).push_back(line.path);
    }
    return spec::Writer("  ").document(kinds) + "\n";
  }

 private:
  // A symbolic link on the way is the image's: it leads nowhere outside of the layer.
  [[nodiscard]] bool is_below(const std::string &path) const {
    return std::ranges::any_of(layers_, [&](const kernel::Fd &layer) {
      const Result<kernel::Fd> there = kernel::find_in_root(layer, path, O_PATH | O_NOFOLLOW);
      return there && there->valid();
    });
  }

  kernel::Fd upper_;
  std::vector<kernel::Fd> layers_;
  std::vector<std::string> mount_points_;
  std::vector<Line> lines_;
};

Result<int> run(const Context &context) {
  const Places places = TRY(find_places(context.global()));
  const Container container = TRY(find_container(places, context.argument(0)));
  if (container.record.layers.empty()) {
    return fail(fmt::format("{} has no layers to compare with: its root filesystem is a plain directory",
                            container.record.name));
  }
  Difference difference = TRY(Difference::open(places, container.record));
  TRY(difference.walk(difference.upper(), ""));
  return print(context.flag("format") == "json" ? difference.json() : difference.text());
}

}  // namespace

const CommandEntry diff_command = {.command = {.name = "diff",
                                               .usage = "CONTAINER",
                                               .summary = "what a container has changed of its image's files",
                                               .description = "A line a path: A was added, C changed, D deleted.",
                                               .flags = flags,
                                               .min_positionals = 1,
                                               .max_positionals = 1},
                                   .run = run,
                                   .dry_run = DryRun::reads};

}  // namespace skiff::compose
