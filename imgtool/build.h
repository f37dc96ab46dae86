// A Dockerfile to an image of the store. Stages that the target does not need are not built; what an instruction came
// to before is taken from the cache, and no root filesystem is unpacked until one has to run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "imgtool/build_plan.h"
#include "imgtool/copy.h"
#include "spec/ignore_file.h"
#include "spec/media_types.h"

namespace skiff::image {

// When a registry is asked for an image of FROM or --from.
enum class PullPolicy : std::uint8_t {
  missing,  // where the store has none of that name and platform
  always,
  never,
};

struct BuildOptions {
  std::string file;        // the Dockerfile's path, for errors
  kernel::FdView context;  // the directory that COPY reads from
  spec::IgnoreFile ignore = {};
  std::string runtime = {};              // --runtime
  std::vector<std::string> labels = {};  // NAME=VALUE
  std::optional<PlatformRequest> platform = {};
  spec::Compression compression = spec::Compression::gzip;
  bool cache = true;
  bool host_network = true;
  PullPolicy pull = PullPolicy::missing;
  bool quiet = false;
};

// The manifest, without a name yet. Errors begin with FILE:LINE and the instruction.
[[nodiscard]] Result<spec::Descriptor> build_image(const Workplace &place, const Layout &store, const BuildPlan &plan,
                                                   const BuildOptions &options);

}  // namespace skiff::image
