#include "imgtool/dockerfile_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "runtime/cli/nearest.h"
#include "spec/names.h"

namespace skiff::image {
namespace {

struct FlagRule {
  std::string_view name;
  std::string_view refused = {};  // why, and what to write instead; empty: it is taken
};

constexpr std::array<FlagRule, 1> from_flags = {{{"platform"}}};
constexpr std::array<FlagRule, 3> run_flags = {
    {{"network"},
     {"mount", "a RUN sees its stage's files alone: COPY what it needs, and remove it in the same RUN"},
     {"security", "the container of a RUN has the default capabilities"}}};
constexpr std::array<FlagRule, 6> copy_flags = {{{"from"},
                                                 {"chown"},
                                                 {"chmod"},
                                                 {"link"},
                                                 {"parents", "write a COPY for each directory"},
                                                 {"exclude", "name it in .dockerignore"}}};
constexpr std::array<FlagRule, 6> add_flags = {
    {{"chown"},
     {"chmod"},
     {"link"},
     {"checksum", "nothing is fetched: download the file before, then COPY it"},
     {"keep-git-dir", "nothing is fetched: clone before, then COPY it"},
     {"exclude", "name it in .dockerignore"}}};
constexpr std::array<FlagRule, 5> healthcheck_flags = {
    {{"interval"}, {"timeout"}, {"start-period"}, {"start-interval"}, {"retries"}}};

struct Rule {
  std::string_view keyword;
  std::span<const FlagRule> flags = {};
  bool json = false;
  bool heredocs = false;
};
constexpr std::array<Rule, 18> rules = {{{"FROM", from_flags},
                                         {"RUN", run_flags, true, true},
                                         {"COPY", copy_flags, true, true},
                                         {"ADD", add_flags, true, true},
                                         {"ENV"},
                                         {"ARG"},
                                         {"WORKDIR"},
                                         {"USER"},
                                         {"LABEL"},
                                         {"EXPOSE"},
                                         {"ENTRYPOINT", {}, true},
                                         {"CMD", {}, true},
                                         {"VOLUME", {}, true},
                                         {"HEALTHCHECK", healthcheck_flags, true},
                                         {"STOPSIGNAL"},
                                         {"SHELL", {}, true},
                                         {"MAINTAINER"},
                                         {"ONBUILD"}}};

const Rule *find_rule(std::string_view keyword) {
  const auto *const found = std::ranges::find(rules, keyword, &Rule::keyword);
  return found == rules.end() ? nullptr : found;
}

std::unexpected<Error> unknown_instruction(std::string_view keyword) {
  cli::Nearest nearest(keyword);
  for (const Rule &rule : rules) nearest.offer(rule.keyword);
  std::string words = nearest.found().empty() ? "" : fmt::format("did you mean {}?", nearest.found());
  return fail(fmt::format("{}: no such instruction", spec::quote(keyword)), std::move(words));
}

Status check_flag(const Rule &rule, const InstructionFlag &flag) {
  const auto known = std::ranges::find(rule.flags, flag.name, &FlagRule::name);
  if (known == rule.flags.end()) {
    cli::Nearest nearest(flag.name);
    for (const FlagRule &one : rule.flags) nearest.offer(one.name);
    std::string words = nearest.found().empty() ? "" : fmt::format("did you mean --{}?", nearest.found());
    return fail(fmt::format("{} has no flag --{}", rule.keyword, flag.name), std::move(words));
  }
  if (known->refused.empty()) return {};
  return fail(fmt::format("{} --{} is not supported", rule.keyword, flag.name), std::string(known->refused));
}

Status check_words(const Instruction &instruction) {
  const std::string_view keyword = instruction.keyword;
  const bool empty_json = instruction.json && instruction.json->empty();
  // An empty list takes back what the image before had.
  if (empty_json && (keyword == "CMD" || keyword == "ENTRYPOINT")) return {};
  if (instruction.arguments.empty() || empty_json) return fail(fmt::format("{} needs an argument", keyword));
  if (keyword == "SHELL" && !instruction.json) {
    return fail("SHELL needs a JSON list", R"(write it as SHELL ["/bin/bash", "-c"])");
  }
  if ((keyword == "COPY" || keyword == "ADD") && instruction.json && instruction.json->size() < 2) {
    return fail(fmt::format("{} needs a source and a destination", keyword));
  }
  return {};
}

}  // namespace

Status check_instruction(const Instruction &instruction, std::vector<std::string> &warnings) {
  const Rule *const rule = find_rule(instruction.keyword);
  if (rule == nullptr) return unknown_instruction(instruction.keyword);
  for (const InstructionFlag &flag : instruction.flags) TRY(check_flag(*rule, flag));
  TRY(check_words(instruction));
  if (instruction.keyword == "ONBUILD") {
    warnings.push_back(fmt::format("line {}: ONBUILD is ignored: an image's instructions are its Dockerfile's alone",
                                   instruction.line));
  }
  if (instruction.keyword == "MAINTAINER") {
    warnings.push_back(
        fmt::format("line {}: MAINTAINER is obsolete: write LABEL org.opencontainers.image.authors", instruction.line));
  }
  return {};
}

bool takes_json(std::string_view keyword) {
  const Rule *const rule = find_rule(keyword);
  return rule != nullptr && rule->json;
}

bool takes_heredocs(std::string_view keyword) {
  const Rule *const rule = find_rule(keyword);
  return rule != nullptr && rule->heredocs;
}

}  // namespace skiff::image
