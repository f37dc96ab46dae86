#include "imgtool/build_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "runtime/cli/nearest.h"
#include "runtime/cli/value.h"
#include "spec/names.h"
#include "spec/text.h"

namespace skiff::image {
namespace {

std::string at_line(const Instruction &instruction) { return fmt::format("line {}", instruction.line); }

std::optional<std::size_t> find_stage(const BuildPlan &plan, std::size_t before, std::string_view name) {
  const std::string wanted = spec::lower_case(name);
  for (std::size_t index = before; index-- > 0;) {
    if (!plan.stages[index].name.empty() && plan.stages[index].name == wanted) return index;
  }
  return std::nullopt;
}

class Planner {
 public:
  Planner(Dockerfile file, const BuildRequest &request) : file_(std::move(file)), request_(&request) {}

  Result<BuildPlan> run() {
    plan_.escape = file_.escape;
    plan_.warnings = std::move(file_.warnings);
    plan_.given = request_->arguments;
    for (const auto &[name, value] : request_->predefined) plan_.given.emplace(name, value);
    for (Instruction &instruction : file_.instructions) {
      const std::string place = at_line(instruction);
      TRY(in(place, add(std::move(instruction))));
    }
    if (plan_.stages.empty()) return fail("it has no FROM", "begin with FROM IMAGE, or FROM scratch");
    const std::size_t target = TRY(find_target());
    need(target);
    warn_of_unused();
    return std::move(plan_);
  }

 private:
  Status add(Instruction instruction) {
    if (instruction.keyword == "FROM") return begin_stage(instruction);
    if (!plan_.stages.empty()) {
      plan_.stages.back().instructions.push_back(std::move(instruction));
      return {};
    }
    if (instruction.keyword == "ARG") return add_global(instruction);
    return fail(fmt::format("{} in front of the first FROM", instruction.keyword),
                "only ARG may stand there: put it below FROM");
  }

  // In FROM, and in the ARGs in front of it.
  [[nodiscard]] Variables global_variables() const {
    return [this](std::string_view name) -> std::optional<std::string> {
      if (const auto found = plan_.global.find(name); found != plan_.global.end()) return found->second;
      const auto found = request_->predefined.find(name);
      return found == request_->predefined.end() ? std::nullopt : std::optional(found->second);
    };
  }

  Status add_global(const Instruction &instruction) {
    for (const Declaration &one : TRY(parse_declarations(instruction, file_.escape))) {
      declared_.insert(one.name);
      if (const auto given = plan_.given.find(one.name); given != plan_.given.end()) {
        plan_.global[one.name] = given->second;
      } else if (one.initial) {
        plan_.global[one.name] = TRY(expand_word(*one.initial, file_.escape, global_variables()));
      }
    }
    return {};
  }

  // FROM [--platform=P] IMAGE [AS NAME]
  Status begin_stage(const Instruction &instruction) {
    const std::vector<std::string> words = split_words(instruction.arguments, file_.escape);
    if (words.size() != 1 && (words.size() != 3 || spec::lower_case(words[1]) != "as")) {
      return fail(fmt::format("FROM {}", instruction.arguments), "write FROM IMAGE [AS NAME]");
    }
    BuildStage stage;
    stage.line = instruction.line;
    const std::string image = TRY(expand_word(words[0], file_.escape, global_variables()));
    if (image.empty()) {
      return fail(fmt::format("FROM {}: the name is empty", words[0]), "give the ARG a default, or --build-arg");
    }
    stage.base = find_source(plan_, plan_.stages.size(), image);
    if (image == "scratch") stage.base = {};
    if (words.size() == 3) {
      stage.name = spec::lower_case(TRY(expand_word(words[2], file_.escape, global_variables())));
      TRY(check_name(stage.name));
    }
    if (const std::string *platform = instruction.flag("platform")) {
      stage.platform = TRY(expand_word(*platform, file_.escape, global_variables()));
    }
    plan_.stages.push_back(std::move(stage));
    return {};
  }

  [[nodiscard]] Status check_name(const std::string &name) const {
    const bool letters = std::ranges::all_of(name, [](char letter) {
      return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '-' || letter == '_' ||
             letter == '.';
    });
    if (name.empty() || !letters || name.front() < 'a' || name.front() > 'z') {
      return fail(fmt::format("AS {}: no name of a stage", spec::quote(name)),
                  "it begins with a letter and has letters, digits, '-', '_' and '.'");
    }
    if (find_stage(plan_, plan_.stages.size(), name)) return fail(fmt::format("AS {}: a stage has that name", name));
    return {};
  }

  [[nodiscard]] Result<std::size_t> find_target() const {
    if (request_->target.empty()) return plan_.stages.size() - 1;
    if (const auto found = find_stage(plan_, plan_.stages.size(), request_->target)) return *found;
    const auto number = cli::parse_number<std::size_t>(request_->target);
    if (number && *number < plan_.stages.size()) return *number;
    cli::Nearest nearest(request_->target);
    for (const BuildStage &stage : plan_.stages) nearest.offer(stage.name);
    return fail(fmt::format("--target {}: no stage has that name", request_->target),
                nearest.found().empty() ? "" : fmt::format("did you mean {}?", nearest.found()));
  }

  // A stage leads to earlier ones only, so this ends.
  void need(std::size_t index) {
    if (std::ranges::find(plan_.order, index) != plan_.order.end()) return;
    const BuildStage &stage = plan_.stages[index];
    if (stage.base.origin == Origin::stage) need(stage.base.stage);
    for (const Instruction &instruction : stage.instructions) {
      const std::string *from = instruction.keyword == "COPY" ? instruction.flag("from") : nullptr;
      if (from == nullptr) continue;
      const BuildSource source = find_source(plan_, index, *from);
      if (source.origin == Origin::stage) need(source.stage);
    }
    plan_.order.push_back(index);
  }

  void warn_of_unused() {
    for (const BuildStage &stage : plan_.stages) {
      for (const Instruction &instruction : stage.instructions) {
        if (instruction.keyword != "ARG") continue;
        const Result<std::vector<Declaration>> all = parse_declarations(instruction, file_.escape);
        if (!all) continue;
        for (const Declaration &one : *all) declared_.insert(one.name);
      }
    }
    for (const auto &[name, value] : request_->arguments) {
      if (declared_.contains(name) || is_proxy_argument(name) || request_->predefined.contains(name)) continue;
      plan_.warnings.push_back(fmt::format("--build-arg {}: no ARG declares it", name));
    }
  }

  Dockerfile file_;
  const BuildRequest *request_;
  BuildPlan plan_;
  std::set<std::string, std::less<>> declared_;
};

}  // namespace

Result<BuildPlan> make_build_plan(Dockerfile file, const BuildRequest &request) {
  return Planner(std::move(file), request).run();
}

BuildSource find_source(const BuildPlan &plan, std::size_t stage, std::string_view from) {
  const std::size_t before = std::min(stage, plan.stages.size());
  if (const auto found = find_stage(plan, before, from)) return {Origin::stage, *found, {}};
  const auto number = cli::parse_number<std::size_t>(from);
  if (number && *number < before) return {Origin::stage, *number, {}};
  return {Origin::image, 0, std::string(from)};
}

Result<std::vector<Declaration>> parse_declarations(const Instruction &instruction, char escape) {
  std::vector<Declaration> all;
  for (const std::string &word : split_words(instruction.arguments, escape)) {
    const std::size_t equals = word.find('=');
    Declaration one{.name = word.substr(0, equals), .initial = {}};
    if (equals != std::string::npos) one.initial = word.substr(equals + 1);
    if (one.name.empty() || one.name.find_first_of("\"'$\\") != std::string::npos) {
      return fail(fmt::format("ARG {}: no name", spec::quote(word)), "write ARG NAME, or ARG NAME=DEFAULT");
    }
    all.push_back(std::move(one));
  }
  return all;
}

bool is_proxy_argument(std::string_view name) {
  static constexpr std::array<std::string_view, 5> names = {"http_proxy", "https_proxy", "ftp_proxy", "no_proxy",
                                                            "all_proxy"};
  return std::ranges::find(names, spec::lower_case(name)) != names.end();
}

}  // namespace skiff::image
