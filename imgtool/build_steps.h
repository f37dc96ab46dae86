// The instructions that change a stage's files: RUN, COPY, ADD and WORKDIR.
#pragma once

#include <functional>
#include <string>

#include "imgtool/build_cache.h"
#include "imgtool/build_copy.h"
#include "imgtool/build_plan.h"
#include "imgtool/build_stage.h"
#include "spec/media_types.h"

namespace skiff::image {

struct StepSettings {
  const BuildPlan &plan;
  const BuildCache &cache;
  Workshop &workshop;
  spec::Compression compression = spec::Compression::gzip;
  std::int64_t time = 0;               // of what is made
  std::optional<std::int64_t> newest;  // SOURCE_DATE_EPOCH
  bool host_network = true;
  bool quiet = false;
  CopyRoot context;
};

struct StepOutcome {
  bool cached = false;
  bool layer = false;
  std::string created_by;  // for the image's history
};

// Finds the stage or the image that --from names.
using FindStage = std::function<Result<Stage *>(std::string_view from)>;

[[nodiscard]] Result<StepOutcome> run_step(const StepSettings &settings, const Instruction &instruction, Stage &stage);
[[nodiscard]] Result<StepOutcome> copy_step(const StepSettings &settings, const Instruction &instruction, Stage &stage,
                                            const FindStage &find_stage);
[[nodiscard]] Result<StepOutcome> workdir_step(const StepSettings &settings, const Instruction &instruction,
                                               Stage &stage);

}  // namespace skiff::image
