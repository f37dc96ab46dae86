// COPY and ADD.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "imgtool/build_steps.h"
#include "imgtool/image_user.h"
#include "imgtool/tree_path.h"
#include "runtime/cli/value.h"
#include "runtime/kernel/path.h"
#include "spec/names.h"

namespace skiff::image {
namespace {

// An instruction's words, expanded.
struct CopyWords {
  std::vector<std::string> sources;
  std::string destination;  // absolute; with its '/' at the end
  std::string owner;        // --chown
  std::optional<std::uint32_t> mode;
};

bool is_remote(std::string_view source) {
  constexpr std::array<std::string_view, 6> prefixes = {"http://", "https://", "git://", "git@", "ssh://", "ftp://"};
  return std::ranges::any_of(prefixes, [&](std::string_view prefix) { return source.starts_with(prefix); });
}

Result<std::optional<std::uint32_t>> parse_mode(const std::string &text) {
  if (text.empty()) return std::nullopt;
  std::uint32_t mode = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (error == std::errc{} && end == text.data() + text.size() && mode <= 07777) return mode;
  return fail(fmt::format("--chmod={}: no mode", text), "write it in octal digits: 0755");
}

bool is_heredoc(const Instruction &instruction, std::string_view word) {
  if (!word.starts_with("<<")) return false;
  word.remove_prefix(word.starts_with("<<-") ? 3 : 2);
  if (word.size() >= 2 && (word.front() == '"' || word.front() == '\'')) word = word.substr(1, word.size() - 2);
  return std::ranges::find(instruction.heredocs, word, &Heredoc::name) != instruction.heredocs.end();
}

Result<CopyWords> expand_copy(const BuildPlan &plan, const Instruction &instruction, const StageState &state) {
  const Variables variables = state.variables();
  std::vector<std::string> words;
  const std::vector<std::string> written =
      instruction.json ? *instruction.json : split_words(instruction.arguments, plan.escape);
  for (const std::string &word : written) {
    if (is_heredoc(instruction, word)) continue;
    words.push_back(TRY(expand_word(word, plan.escape, variables)));
  }
  if (words.empty() || words.size() + instruction.heredocs.size() < 2) {
    return fail("a source and a destination are needed");
  }
  CopyWords result;
  const std::string last = words.back();
  words.pop_back();
  if (last.empty()) return fail("the destination is empty");
  result.destination = state.absolute(last);
  if ((last.ends_with('/') || last == "." || last.ends_with("/.")) && result.destination != "/")
    result.destination += '/';
  for (const std::string &source : words) {
    if (is_remote(source)) {
      return fail(fmt::format("{}: nothing is fetched", spec::quote(source)), "download it before, then COPY it");
    }
  }
  result.sources = std::move(words);
  const auto flag = [&](std::string_view name) -> Result<std::string> {
    const std::string *text = instruction.flag(name);
    return text == nullptr ? Result<std::string>("") : expand_word(*text, plan.escape, variables);
  };
  result.owner = TRY(flag("chown"));
  result.mode = TRY(parse_mode(TRY(flag("chmod"))));
  if (result.sources.size() + instruction.heredocs.size() > 1 && !result.destination.ends_with('/')) {
    return fail(fmt::format("several sources, and {} does not end in /", spec::quote(last)),
                "a directory is meant: write the '/'");
  }
  return result;
}

// "A user without a group has the same number as its group" (Dockerfile reference, "COPY --chown").
Result<CopyOwner> find_owner(kernel::FdView root, const CopyWords &words) {
  CopyOwner owner{.mode = words.mode};
  if (words.owner.empty()) return owner;
  std::vector<std::string> warnings;
  const spec::Account user = TRY(in("--chown", find_image_user(root, words.owner, warnings)));
  owner.uid = user.uid;
  owner.gid = words.owner.find(':') == std::string::npos ? user.uid : user.gid;
  return owner;
}

Result<bool> is_directory(kernel::FdView root, const std::string &path) {
  const kernel::Fd found = TRY(kernel::find_in_root(root, path, O_PATH));
  return found.valid() && S_ISDIR(TRY(kernel::fstat(found)).st_mode);
}

Result<CopyTarget> find_target(const StepSettings &settings, kernel::FdView root, const CopyWords &words,
                               bool one_file) {
  CopyTarget target;
  target.time = settings.time;
  target.newest = settings.newest;
  target.owner = TRY(find_owner(root, words));
  std::vector<std::string> missing;
  const std::string real = TRY(in(words.destination, real_path(root, words.destination, &missing)));
  const bool directory = TRY(is_directory(root, real));
  if (one_file && !directory && !words.destination.ends_with('/')) {
    target.file = real.substr(1);
    std::erase(missing, real);
  } else if (!directory && missing.empty()) {
    return fail(ENOTDIR, words.destination, "it is a file in the image: write another destination");
  }
  target.directory = real.substr(1);
  for (const std::string &path : missing) target.missing.push_back(path.substr(1));
  return target;
}

// The files that a COPY's heredocs are.
Status write_heredocs(const StepSettings &settings, const Instruction &instruction, const StageState &state,
                      const CopyTarget &target, LayerWriter &layer) {
  for (const Heredoc &heredoc : instruction.heredocs) {
    const std::string text =
        heredoc.expand ? TRY(expand_text(heredoc.text, settings.plan.escape, state.variables())) : heredoc.text;
    TarEntry entry;
    entry.name = target.file.empty() ? join_path(target.directory, heredoc.name) : target.file;
    entry.mode = target.owner.mode.value_or(0644);
    entry.uid = target.owner.uid;
    entry.gid = target.owner.gid;
    entry.size = text.size();
    entry.mtime.tv_sec = settings.time;
    TRY(layer.add(entry, [&, at = std::size_t{0}](std::span<char> into) mutable -> Result<std::size_t> {
      const std::size_t count = text.copy(into.data(), into.size(), at);
      at += count;
      return count;
    }));
  }
  return {};
}

struct Work {
  const StepSettings &settings;
  const Instruction &instruction;
  Stage &stage;
  CopyWords words;

  [[nodiscard]] Result<std::string> heredoc_text() const {
    std::string all;
    for (const Heredoc &heredoc : instruction.heredocs) {
      const Variables variables = stage.state.variables();
      all += heredoc.name + "\n";
      all += heredoc.expand ? TRY(expand_text(heredoc.text, settings.plan.escape, variables)) : heredoc.text;
    }
    return all;
  }

  // `source`: what identifies the files, by their contents or by all of the stage that has them.
  [[nodiscard]] Result<std::string> key(std::string_view kind, std::string_view source) const {
    return BuildCache::key({instruction.keyword, stage.chain(), std::string(kind), std::string(source),
                            fmt::format("{}", fmt::join(words.sources, "\n")), words.destination, words.owner,
                            std::to_string(words.mode.value_or(010000)), TRY(heredoc_text()),
                            std::to_string(settings.newest.value_or(-1)),
                            std::to_string(static_cast<int>(settings.compression))});
  }

  [[nodiscard]] Result<CachedStep> make(const CopyRoot &root, const CopyList &list) const {
    const std::string rootfs = TRY(stage.rootfs(settings.workshop));
    const kernel::Fd into = TRY(kernel::open(rootfs, O_RDONLY | O_DIRECTORY));
    const bool one_file = list.one_file || (list.items.empty() && instruction.heredocs.size() == 1);
    const CopyTarget target = TRY(find_target(settings, into, words, one_file));
    LayerWriter layer = TRY(LayerWriter::open(settings.workshop.store(), settings.compression));
    TRY(write_copy(layer, root, list, target));
    TRY(write_heredocs(settings, instruction, stage.state, target, layer));
    WrittenLayer written = TRY(layer.finish());
    if (written.entries == 0) return CachedStep{};
    return CachedStep{.layer = std::move(written.descriptor), .diff_id = written.diff_id.text()};
  }
};

}  // namespace

Result<StepOutcome> copy_step(const StepSettings &settings, const Instruction &instruction, Stage &stage,
                              const FindStage &find_stage) {
  Work work{settings, instruction, stage, TRY(expand_copy(settings.plan, instruction, stage.state))};
  const CopyWords &words = work.words;
  StepOutcome outcome{
      .created_by = fmt::format("{} {} {}", instruction.keyword, fmt::join(words.sources, " "), words.destination)};
  CopyRoot root = settings.context;
  kernel::Fd opened;
  std::string quick;
  std::optional<CachedStep> step;
  if (const std::string *from = instruction.flag("from")) {
    Stage *source = TRY(find_stage(*from));
    // The same stage gives the same files: then it need not even be unpacked.
    quick = TRY(work.key("stage", source->chain()));
    step = TRY(settings.cache.find(quick));
    outcome.cached = step.has_value();
    if (!step) {
      opened = TRY(kernel::open(TRY(source->rootfs(settings.workshop)), O_RDONLY | O_DIRECTORY));
      root = {.root = opened, .name = source->name, .ignore = nullptr};
    }
  }
  if (!step) {
    const CopyList list = TRY(list_copy(
        root, {.sources = words.sources, .destination = words.destination, .unpack = instruction.keyword == "ADD"}));
    const std::string key = TRY(work.key("files", TRY(digest_copy(root, list)).text()));
    step = TRY(settings.cache.find(key));
    outcome.cached = step.has_value();
    if (!step) step = TRY(work.make(root, list));
    TRY(settings.cache.keep(key, *step));
    if (!quick.empty()) TRY(settings.cache.keep(quick, *step));
  }
  outcome.layer = step->layer.has_value();
  stage.add_layer(*step, false);
  return outcome;
}

}  // namespace skiff::image
