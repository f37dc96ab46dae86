#include "imgtool/build_stage.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "imgtool/layer.h"
#include "imgtool/layout_copy.h"
#include "imgtool/tree_entry.h"

namespace skiff::image {

std::string Stage::chain() const { return fmt::format("{}", fmt::join(state.config.rootfs.diff_ids, " ")); }

Result<std::string> Stage::rootfs(Workshop &workshop) {
  if (path_.empty()) path_ = TRY(workshop.make_rootfs());
  for (; applied_ < layers.size(); ++applied_) {
    TRY(in(fmt::format("{}: layer {} of {}", name, applied_ + 1, layers.size()), apply(workshop, applied_)));
  }
  return path_;
}

Status Stage::apply(Workshop &workshop, std::size_t index) const {
  const kernel::Fd blob = TRY(open_content(workshop.store(), layers[index]));
  const kernel::Fd root = TRY(kernel::open(path_, O_RDONLY | O_DIRECTORY));
  const AppliedLayer applied = TRY(apply_layer(read_file(blob), root, {}));
  const std::string &expected = state.config.rootfs.diff_ids[index];
  if (applied.diff_id.text() == expected) return {};
  return fail(EBADMSG,
              fmt::format("its content is {}, the image's configuration says {}", applied.diff_id.text(), expected));
}

void Stage::add_layer(const CachedStep &step, bool applied) {
  if (!step.layer) return;
  layers.push_back(*step.layer);
  state.config.rootfs.diff_ids.push_back(step.diff_id);
  if (applied) applied_ = layers.size();
}

Stage Stage::continued(std::string new_name) const {
  Stage next;
  next.state.config = state.config;
  next.layers = layers;
  next.name = std::move(new_name);
  return next;
}

}  // namespace skiff::image
