#include "imgtool/build_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "runtime/cli/value.h"
#include "spec/names.h"
#include "spec/path.h"

namespace skiff::image {
namespace {

struct Step {
  const BuildPlan &plan;
  const Instruction &instruction;
  StageState &state;

  [[nodiscard]] Result<std::string> expand(std::string_view text) const {
    return expand_word(text, plan.escape, state.variables());
  }
  [[nodiscard]] Result<Pairs> pairs() const {
    return expand_pairs(instruction.arguments, plan.escape, state.variables());
  }
};

std::string_view name_of(std::string_view variable) { return variable.substr(0, variable.find('=')); }

void set_variable(std::vector<std::string> &env, const std::string &name, const std::string &value) {
  const auto found = std::ranges::find(env, std::string_view(name), name_of);
  std::string text = fmt::format("{}={}", name, value);
  if (found == env.end()) {
    env.push_back(std::move(text));
  } else {
    *found = std::move(text);
  }
}

Status apply_env(Step step) {
  for (const auto &[name, value] : TRY(step.pairs())) set_variable(step.state.config.config.env, name, value);
  return {};
}

Status apply_label(Step step) {
  for (const auto &[name, value] : TRY(step.pairs())) step.state.config.config.labels[name] = value;
  return {};
}

Status apply_arg(Step step) {
  for (const Declaration &one : TRY(parse_declarations(step.instruction, step.plan.escape))) {
    const auto given = step.plan.given.find(one.name);
    const auto global = step.plan.global.find(one.name);
    if (given != step.plan.given.end()) {
      step.state.arguments[one.name] = given->second;
    } else if (one.initial) {
      step.state.arguments[one.name] = TRY(step.expand(*one.initial));
    } else if (global != step.plan.global.end()) {
      step.state.arguments[one.name] = global->second;
    }
  }
  return {};
}

Status apply_workdir(Step step) {
  step.state.config.config.working_dir = step.state.absolute(TRY(step.expand(step.instruction.arguments)));
  return {};
}

Status apply_user(Step step) {
  const std::string user = TRY(step.expand(step.instruction.arguments));
  if (user.empty() || user.find_first_of(" \t\n") != std::string::npos) {
    return fail(fmt::format("USER {}", spec::quote(user)), "write USER NAME[:GROUP], or numbers");
  }
  step.state.config.config.user = user;
  return {};
}

// "80", "80/udp", "8000-8010/tcp"
Status check_port(const std::string &text) {
  const std::size_t slash = text.find('/');
  const std::string_view protocol = slash == std::string::npos ? "tcp" : std::string_view(text).substr(slash + 1);
  const std::string_view range = std::string_view(text).substr(0, slash);
  const std::size_t dash = range.find('-');
  const auto first = cli::parse_number<std::uint16_t>(range.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : cli::parse_number<std::uint16_t>(range.substr(dash + 1));
  if (first && last && *first > 0 && *first <= *last &&
      (protocol == "tcp" || protocol == "udp" || protocol == "sctp")) {
    return {};
  }
  return fail(fmt::format("EXPOSE {}: no port", spec::quote(text)), "write PORT, PORT/udp or FIRST-LAST/tcp");
}

Status apply_expose(Step step) {
  const Variables variables = step.state.variables();
  for (std::string port : TRY(expand_words(step.instruction.arguments, step.plan.escape, variables))) {
    TRY(check_port(port));
    if (port.find('/') == std::string::npos) port += "/tcp";
    step.state.config.config.exposed_ports[port] = {};
  }
  return {};
}

Status apply_entrypoint(Step step) {
  step.state.config.config.entrypoint = command_words(step.instruction, step.state);
  // The command of the image before was for its entrypoint.
  if (!step.state.command_set) step.state.config.config.cmd.reset();
  return {};
}

Status apply_cmd(Step step) {
  step.state.config.config.cmd = command_words(step.instruction, step.state);
  step.state.command_set = true;
  return {};
}

Status apply_volume(Step step) {
  const std::vector<std::string> words =
      step.instruction.json ? *step.instruction.json : split_words(step.instruction.arguments, step.plan.escape);
  for (const std::string &word : words) {
    const std::string volume = step.instruction.json ? word : TRY(step.expand(word));
    if (volume.empty()) return fail("VOLUME: an empty path");
    step.state.config.config.volumes[volume] = {};
  }
  return {};
}

Status set_time(const Instruction &instruction, std::string_view flag, std::int64_t &out) {
  const std::string *text = instruction.flag(flag);
  if (text == nullptr) return {};
  const auto time = cli::parse_duration(*text);
  // Docker takes nothing below a millisecond, and 0 for "as the image before".
  if (!time || (time->count() != 0 && time->count() < 1'000'000)) {
    return fail(fmt::format("HEALTHCHECK --{}={}: no time", flag, *text), "write 30s, 1m30s or 500ms");
  }
  out = time->count();
  return {};
}

Status apply_healthcheck(Step step) {
  const std::vector<std::string> words = split_words(step.instruction.arguments, step.plan.escape);
  std::string kind = words.empty() ? "" : words.front();
  for (char &letter : kind) letter = static_cast<char>(letter >= 'a' && letter <= 'z' ? letter - 'a' + 'A' : letter);
  spec::Healthcheck check;
  if (kind == "NONE" && words.size() == 1) {
    check.test = {"NONE"};
    step.state.config.config.healthcheck = std::move(check);
    return {};
  }
  if (kind != "CMD" || words.size() < 2) {
    return fail(fmt::format("HEALTHCHECK {}", step.instruction.arguments), "write HEALTHCHECK CMD ..., or NONE");
  }
  // The command is an instruction in the instruction, with both forms.
  Dockerfile inner = TRY(parse_dockerfile("CMD " + step.instruction.arguments.substr(words.front().size())));
  const Instruction &command = inner.instructions.front();
  check.test = command.json ? *command.json : std::vector<std::string>{command.arguments};
  check.test.insert(check.test.begin(), command.json ? "CMD" : "CMD-SHELL");
  TRY(set_time(step.instruction, "interval", check.interval));
  TRY(set_time(step.instruction, "timeout", check.timeout));
  TRY(set_time(step.instruction, "start-period", check.start_period));
  TRY(set_time(step.instruction, "start-interval", check.start_interval));
  if (const std::string *text = step.instruction.flag("retries")) {
    const auto retries = cli::parse_number<std::uint32_t>(*text);
    if (!retries) return fail(fmt::format("HEALTHCHECK --retries={}: no number", *text));
    check.retries = *retries;
  }
  step.state.config.config.healthcheck = std::move(check);
  return {};
}

Status apply_stopsignal(Step step) {
  step.state.config.config.stop_signal = TRY(step.expand(step.instruction.arguments));
  return {};
}

Status apply_shell(Step step) {
  step.state.config.config.shell = *step.instruction.json;
  return {};
}

Status apply_maintainer(Step step) {
  step.state.config.author = TRY(step.expand(step.instruction.arguments));
  return {};
}

Status ignore(Step /*step*/) { return {}; }

struct Setting {
  std::string_view keyword;
  Status (*apply)(Step);
  bool setting_alone = true;
};
constexpr std::array<Setting, 14> settings = {{{"ENV", apply_env},
                                               {"ARG", apply_arg},
                                               {"WORKDIR", apply_workdir, false},
                                               {"USER", apply_user},
                                               {"LABEL", apply_label},
                                               {"EXPOSE", apply_expose},
                                               {"ENTRYPOINT", apply_entrypoint},
                                               {"CMD", apply_cmd},
                                               {"VOLUME", apply_volume},
                                               {"HEALTHCHECK", apply_healthcheck},
                                               {"STOPSIGNAL", apply_stopsignal},
                                               {"SHELL", apply_shell},
                                               {"MAINTAINER", apply_maintainer},
                                               {"ONBUILD", ignore}}};

}  // namespace

Variables StageState::variables() const {
  return [this](std::string_view name) -> std::optional<std::string> {
    const auto variable = std::ranges::find(config.config.env, name, name_of);
    if (variable != config.config.env.end()) return variable->substr(std::min(name.size() + 1, variable->size()));
    const auto argument = arguments.find(name);
    return argument == arguments.end() ? std::nullopt : std::optional(argument->second);
  };
}

std::vector<std::string> StageState::shell() const {
  if (!config.config.shell.empty()) return config.config.shell;
  return {"/bin/sh", "-c"};
}

std::vector<std::string> StageState::environment() const {
  std::vector<std::string> all = config.config.env;
  for (const auto &[name, value] : arguments) {
    if (std::ranges::find(all, std::string_view(name), name_of) == all.end()) {
      all.push_back(fmt::format("{}={}", name, value));
    }
  }
  return all;
}

std::string StageState::absolute(std::string_view path) const {
  if (path.starts_with('/')) return spec::clean_path(path);
  return spec::clean_path(fmt::format("{}/{}", config.config.working_dir, path));
}

bool is_setting(const Instruction &instruction) {
  const auto *const found = std::ranges::find(settings, instruction.keyword, &Setting::keyword);
  return found != settings.end() && found->setting_alone;
}

Status apply_setting(const BuildPlan &plan, const Instruction &instruction, StageState &state) {
  const auto *const found = std::ranges::find(settings, instruction.keyword, &Setting::keyword);
  if (found == settings.end()) return fail(fmt::format("{} is no setting", instruction.keyword));
  return found->apply({plan, instruction, state});
}

std::vector<std::string> command_words(const Instruction &instruction, const StageState &state) {
  if (instruction.json) return *instruction.json;
  std::vector<std::string> words = state.shell();
  words.push_back(instruction.arguments);
  return words;
}

}  // namespace skiff::image
