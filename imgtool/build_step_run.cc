// RUN and WORKDIR.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "imgtool/build_run.h"
#include "imgtool/build_steps.h"
#include "imgtool/tree.h"
#include "imgtool/tree_path.h"

namespace skiff::image {
namespace {

bool is_below(const std::string &path, const std::set<std::string> &roots) {
  return std::ranges::any_of(roots, [&](const std::string &root) {
    return path == root || (path.starts_with(root) && path[root.size()] == '/');
  });
}

struct Command {
  std::vector<std::string> words;
  std::string script;
};

// "RUN <<EOF" alone is a script; in any other command the shell reads the heredocs itself.
Command make_command(const Instruction &instruction, const StageState &state) {
  Command command{.words = command_words(instruction, state), .script = {}};
  if (instruction.json || instruction.heredocs.empty()) return command;
  const Heredoc &first = instruction.heredocs.front();
  const bool alone = instruction.heredocs.size() == 1 && instruction.arguments.starts_with("<<") &&
                     instruction.arguments.find_first_of(" \t") == std::string::npos;
  if (alone && first.text.starts_with("#!")) return {.words = {script_path}, .script = first.text};
  std::string text = alone ? first.text : instruction.arguments + "\n";
  for (const Heredoc &heredoc : instruction.heredocs) {
    if (!alone) text += heredoc.text + heredoc.name + "\n";
  }
  command.words.back() = std::move(text);
  return command;
}

Result<bool> network_of(const StepSettings &settings, const Instruction &instruction) {
  const std::string *network = instruction.flag("network");
  if (network == nullptr || *network == "default") return settings.host_network;
  if (*network == "host") return true;
  if (*network == "none") return false;
  return fail(fmt::format("RUN --network={}", *network), "there are host, none and default");
}

// Proxies are passed on, and are no part of what is built.
std::vector<std::string> proxies(const BuildPlan &plan) {
  std::vector<std::string> all;
  for (const auto &[name, value] : plan.given) {
    if (is_proxy_argument(name)) all.push_back(fmt::format("{}={}", name, value));
  }
  return all;
}

Result<CachedStep> run_and_compare(const StepSettings &settings, const RunRequest &request) {
  const MountTargets targets = TRY(MountTargets::make(request.rootfs));
  const kernel::Fd root = TRY(kernel::open(request.rootfs, O_RDONLY | O_DIRECTORY));
  const TreeRecord before = TRY(record_tree(root));
  TRY(run_command(settings.workshop, request));
  std::vector<LayerChange> changes = TRY(list_changes(root, before));
  std::erase_if(changes, [&](const LayerChange &change) { return is_below(change.path, targets.paths()); });
  const bool only_directories = std::ranges::all_of(changes, [&](const LayerChange &change) {
    return change.kind == LayerChange::Kind::entry && change.path.empty();
  });
  if (only_directories) return CachedStep{};
  LayerWriter layer = TRY(LayerWriter::open(settings.workshop.store(), settings.compression));
  TRY(write_changes(root, changes, tree_options({}, settings.newest),
                    [&](const TarEntry &entry, const ReadBytes &data) { return layer.add(entry, data); }));
  WrittenLayer written = TRY(layer.finish());
  return CachedStep{.layer = std::move(written.descriptor), .diff_id = written.diff_id.text()};
}

}  // namespace

Result<StepOutcome> run_step(const StepSettings &settings, const Instruction &instruction, Stage &stage) {
  const Command command = make_command(instruction, stage.state);
  const std::vector<std::string> environment = stage.state.environment();
  const spec::ImageDefaults &defaults = stage.state.config.config;
  const bool host_network = TRY(network_of(settings, instruction));
  std::vector<std::string> parts = {"RUN",
                                    stage.chain(),
                                    defaults.user,
                                    defaults.working_dir,
                                    command.script,
                                    host_network ? "host" : "none",
                                    std::to_string(settings.newest.value_or(-1)),
                                    std::to_string(static_cast<int>(settings.compression))};
  parts.insert(parts.end(), command.words.begin(), command.words.end());
  parts.emplace_back("environment");
  parts.insert(parts.end(), environment.begin(), environment.end());
  const std::string key = BuildCache::key(parts);
  StepOutcome outcome{.created_by = fmt::format("RUN {}", fmt::join(command.words, " "))};
  std::optional<CachedStep> step = TRY(settings.cache.find(key));
  outcome.cached = step.has_value();
  if (!step) {
    RunRequest request{.rootfs = TRY(stage.rootfs(settings.workshop)),
                       .config = stage.state.config,
                       .words = command.words,
                       .env = environment,
                       .script = command.script,
                       .host_network = host_network,
                       .quiet = settings.quiet};
    std::ranges::move(proxies(settings.plan), std::back_inserter(request.env));
    step = TRY(run_and_compare(settings, request));
    TRY(settings.cache.keep(key, *step));
  }
  outcome.layer = step->layer.has_value();
  stage.add_layer(*step, !outcome.cached);
  return outcome;
}

Result<StepOutcome> workdir_step(const StepSettings &settings, const Instruction &instruction, Stage &stage) {
  TRY(apply_setting(settings.plan, instruction, stage.state));
  const std::string &path = stage.state.config.config.working_dir;
  const std::string key = BuildCache::key({"WORKDIR", stage.chain(), path, std::to_string(settings.newest.value_or(-1)),
                                           std::to_string(static_cast<int>(settings.compression))});
  StepOutcome outcome{.created_by = "WORKDIR " + path};
  std::optional<CachedStep> step = TRY(settings.cache.find(key));
  outcome.cached = step.has_value();
  if (!step) {
    const std::string rootfs = TRY(stage.rootfs(settings.workshop));
    const kernel::Fd root = TRY(kernel::open(rootfs, O_RDONLY | O_DIRECTORY));
    std::vector<std::string> missing;
    (void)TRY(real_path(root, path, &missing));
    step = CachedStep{};
    if (!missing.empty()) {
      LayerWriter layer = TRY(LayerWriter::open(settings.workshop.store(), settings.compression));
      for (const std::string &directory : missing) {
        TarEntry entry;
        entry.type = EntryType::directory;
        entry.name = directory.substr(1);
        entry.mode = 0755;
        entry.mtime.tv_sec = settings.time;
        TRY(layer.add(entry));
      }
      WrittenLayer written = TRY(layer.finish());
      step = CachedStep{.layer = std::move(written.descriptor), .diff_id = written.diff_id.text()};
    }
    TRY(settings.cache.keep(key, *step));
  }
  outcome.layer = step->layer.has_value();
  stage.add_layer(*step, false);
  return outcome;
}

}  // namespace skiff::image
