#include "imgtool/build.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "imgtool/assemble.h"
#include "imgtool/build_steps.h"
#include "imgtool/stored_image.h"
#include "imgtool/tree_entry.h"
#include "spec/names.h"

namespace skiff::image {
namespace {

std::string first_words(const std::string &text) {
  constexpr std::size_t longest = 60;
  return text.size() <= longest ? text : text.substr(0, longest - 3) + "...";
}

class Builder {
 public:
  Builder(const Workplace &place, const Layout &store, const BuildPlan &plan, const BuildOptions &options,
          Workshop &workshop, const BuildCache &cache, std::int64_t time, std::optional<std::int64_t> newest)
      : place_(&place),
        store_(&store),
        plan_(&plan),
        options_(&options),
        settings_{.plan = plan,
                  .cache = cache,
                  .workshop = workshop,
                  .compression = options.compression,
                  .time = time,
                  .newest = newest,
                  .host_network = options.host_network,
                  .quiet = options.quiet,
                  .context = {.root = options.context, .name = "the context", .ignore = &options.ignore}} {}

  Result<spec::Descriptor> run() {
    for (const std::size_t index : plan_->order) {
      total_ += plan_->stages[index].instructions.size() + 1;
    }
    for (const std::size_t index : plan_->order) TRY(build_stage(index));
    Stage &stage = stages_.at(plan_->order.back());
    for (const std::string &label : options_->labels) {
      stage.state.config.config.labels[label.substr(0, label.find('='))] =
          label.find('=') == std::string::npos ? "" : label.substr(label.find('=') + 1);
    }
    stage.state.config.created = time_text(settings_.time);
    return write_image(*store_, stage.state.config, stage.layers);
  }

 private:
  [[nodiscard]] std::string place_of(std::size_t line, std::string_view keyword) const {
    return fmt::format("{}:{}: {}", options_->file, line, keyword);
  }

  void say(std::string_view line) const {
    if (!options_->quiet) place_->progress->say(line);
  }

  Status build_stage(std::size_t index) {
    const BuildStage &written = plan_->stages[index];
    say(fmt::format("[{}/{}] FROM {}", ++done_, total_, describe(written.base)));
    Stage stage = TRY(in(place_of(written.line, "FROM"), begin(index)));
    for (const Instruction &instruction : written.instructions) {
      const std::string text = fmt::format("[{}/{}] {}", ++done_, total_, first_words(instruction.text));
      say(text);
      TRY(in(place_of(instruction.line, instruction.keyword), carry_out(index, instruction, stage)));
    }
    stages_.insert_or_assign(index, std::move(stage));
    return {};
  }

  [[nodiscard]] std::string describe(const BuildSource &source) const {
    if (source.origin == Origin::scratch) return "scratch";
    if (source.origin == Origin::image) return source.image;
    return stage_name(source.stage);
  }

  [[nodiscard]] std::string stage_name(std::size_t index) const {
    const std::string &name = plan_->stages[index].name;
    return name.empty() ? fmt::format("stage {}", index) : "stage " + name;
  }

  Result<Stage> begin(std::size_t index) {
    const BuildStage &written = plan_->stages[index];
    if (written.base.origin == Origin::stage) return stages_.at(written.base.stage).continued(stage_name(index));
    PlatformRequest platform = options_->platform.value_or(build_platform());
    if (!written.platform.empty()) platform = TRY(parse_platform(written.platform));
    if (written.base.origin == Origin::image) {
      Stage stage = TRY(load(written.base.image, platform));
      stage.name = stage_name(index);
      return stage;
    }
    Stage stage;
    stage.name = stage_name(index);
    const spec::Platform &best = platform.accepted.front();
    stage.state.config.os = best.os;
    stage.state.config.architecture = best.architecture;
    stage.state.config.variant = best.variant;
    stage.state.config.rootfs.type = "layers";
    return stage;
  }

  // From the store, or as pull brings it there.
  [[nodiscard]] Result<spec::Descriptor> find_image(const std::string &text, const PlatformRequest &platform) const {
    if (options_->pull != PullPolicy::always) {
      Result<spec::Descriptor> found = find_local(text, platform);
      if (found || found.error().number != ENOENT || options_->pull == PullPolicy::never) return found;
    }
    const Reference reference = TRY(parse_reference(text, Transport::docker));
    const Imported imported = TRY(bring(*place_, reference, *store_, {.all = false, .platform = platform}));
    if (reference.name) TRY(store_->set_name(reference.name->text(), imported.root));
    return select_manifest(*store_, imported.root, platform);
  }

  Result<Stage> load(const std::string &text, const PlatformRequest &platform) {
    LoadedImage image = TRY(load_image(*store_, TRY(find_image(text, platform))));
    Stage stage;
    stage.state.config = std::move(image.config);
    stage.layers = std::move(image.manifest.layers);
    stage.name = "image " + text;
    warn_of_triggers(text, stage);
    return stage;
  }

  [[nodiscard]] Result<spec::Descriptor> find_local(const std::string &text, const PlatformRequest &platform) const {
    const StoredImage stored = TRY(find_stored(*store_, text));
    return select_manifest(*store_, stored.root, platform);
  }

  void warn_of_triggers(const std::string &text, Stage &stage) const {
    if (stage.state.config.config.on_build.empty()) return;
    place_->progress->say(fmt::format("warning: {} has ONBUILD instructions, which are not carried out", text));
    stage.state.config.config.on_build.clear();
  }

  Result<Stage *> find_stage(std::size_t current, std::string_view from) {
    const BuildSource source = find_source(*plan_, current, from);
    if (source.origin == Origin::stage) return &stages_.at(source.stage);
    const auto found = images_.find(source.image);
    if (found != images_.end()) return &found->second;
    Stage stage =
        TRY(in(fmt::format("--from={}", from), load(source.image, options_->platform.value_or(build_platform()))));
    return &images_.emplace(source.image, std::move(stage)).first->second;
  }

  Status carry_out(std::size_t index, const Instruction &instruction, Stage &stage) {
    StepOutcome outcome;
    if (is_setting(instruction)) {
      TRY(apply_setting(*plan_, instruction, stage.state));
      outcome.created_by = instruction.text;
    } else if (instruction.keyword == "RUN") {
      outcome = TRY(run_step(settings_, instruction, stage));
    } else if (instruction.keyword == "WORKDIR") {
      outcome = TRY(workdir_step(settings_, instruction, stage));
    } else {
      outcome = TRY(copy_step(settings_, instruction, stage,
                              [this, index](std::string_view from) { return find_stage(index, from); }));
    }
    if (outcome.cached) say("        cached");
    // An ARG or an ONBUILD is no part of the image.
    if (instruction.keyword == "ONBUILD") return {};
    stage.state.config.history.push_back({.created = time_text(settings_.time),
                                          .author = {},
                                          .created_by = outcome.created_by,
                                          .comment = {},
                                          .empty_layer = !outcome.layer});
    return {};
  }

  const Workplace *place_;
  const Layout *store_;
  const BuildPlan *plan_;
  const BuildOptions *options_;
  StepSettings settings_;
  std::map<std::size_t, Stage> stages_;
  std::map<std::string, Stage, std::less<>> images_;
  std::size_t done_ = 0;
  std::size_t total_ = 0;
};

bool runs_something(const BuildPlan &plan) {
  return std::ranges::any_of(plan.order, [&](std::size_t index) {
    return std::ranges::any_of(plan.stages[index].instructions,
                               [](const Instruction &instruction) { return instruction.keyword == "RUN"; });
  });
}

}  // namespace

Result<spec::Descriptor> build_image(const Workplace &place, const Layout &store, const BuildPlan &plan,
                                     const BuildOptions &options) {
  const kernel::Fd lock = TRY(store.lock_shared());
  const std::string runtime = runs_something(plan) ? TRY(find_runtime(options.runtime)) : "";
  Workshop workshop = TRY(Workshop::open(store, runtime, *place.interrupts));
  const BuildCache cache(store, options.cache);
  return Builder(place, store, plan, options, workshop, cache, TRY(creation_time()), TRY(source_date_epoch())).run();
}

}  // namespace skiff::image
