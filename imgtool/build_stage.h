// A stage with its layers, and its root filesystem as soon as somebody needs it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "imgtool/build_cache.h"
#include "imgtool/build_state.h"
#include "imgtool/build_workshop.h"

namespace skiff::image {

class Stage {
 public:
  StageState state;
  std::vector<spec::Descriptor> layers;  // of state.config.rootfs.diff_ids
  std::string name;                      // for people: "stage build"

  // What it is on disk so far, as a part of a key.
  [[nodiscard]] std::string chain() const;
  // Its root filesystem, with all of its layers: unpacked by the first who asks. A directory's path.
  [[nodiscard]] Result<std::string> rootfs(Workshop &workshop);
  // A further layer. `applied`: the root filesystem has it already, for it was made there.
  void add_layer(const CachedStep &step, bool applied);
  // Another stage that begins with this one.
  [[nodiscard]] Stage continued(std::string new_name) const;

 private:
  [[nodiscard]] Status apply(Workshop &workshop, std::size_t index) const;
  std::string path_;
  std::size_t applied_ = 0;
};

}  // namespace skiff::image
