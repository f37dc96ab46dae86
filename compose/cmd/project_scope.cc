#include "compose/cmd/project_scope.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "compose/cmd/project_flags.h"
#include "compose/contains.h"
#include "compose/output.h"
#include "compose/project_files.h"
#include "compose/project_state.h"
#include "compose/step_run.h"
#include "runtime/kernel/tty.h"

namespace skiff::compose {
namespace {

// ENOENT of a file that somebody named is an error; of one that was only looked for it is an answer.
Result<bool> has_file(const LoadRequest &request) {
  SourceFiles sources;
  Findings findings;
  const Result<ProjectFiles> files = find_project_files(request, sources, findings);
  if (files) return true;
  const bool named = !request.files.empty() || request.environment.contains("COMPOSE_FILE");
  if (files.error().number == ENOENT && !named) return false;
  return std::unexpected(files.error());
}

std::string name_without_file(const LoadRequest &request) {
  if (!request.project_name.empty()) return request.project_name;
  const auto found = request.environment.find("COMPOSE_PROJECT_NAME");
  return found == request.environment.end() ? std::string() : found->second;
}

bool has_service(const Scope &scope, const std::vector<Container> &containers, const std::string &name) {
  const Project *project = scope.project();
  if (project != nullptr && contains(project->services, name, &Service::name)) return true;
  if (project != nullptr && contains(project->disabled, name)) return true;
  return contains(containers, name, [](const Container &one) { return one.record.service; });
}

}  // namespace

Result<std::optional<Scope>> find_scope(const Context &context, std::vector<std::string> targets,
                                        SecretValues secrets) {
  if (context.global().boolean("no-project")) return std::nullopt;
  LoadRequest request = TRY(make_load_request(context, std::move(targets)));
  request.need_secrets = secrets == SecretValues::needed;
  if (TRY(has_file(request))) {
    Loaded loaded = TRY(load_project_for(context, request));
    Scope scope{.name = loaded.project.name, .loaded = {}};
    scope.loaded = std::move(loaded);
    return scope;
  }
  const std::string name = name_without_file(request);
  if (name.empty()) return std::nullopt;
  return Scope{.name = name, .loaded = {}};
}

Result<Scope> need_scope(const Context &context, std::vector<std::string> targets, SecretValues secrets) {
  std::optional<Scope> scope = TRY(find_scope(context, std::move(targets), secrets));
  if (scope) return std::move(*scope);
  return fail(
      ENOENT,
      fmt::format("{}: there is no compose.yaml and no compose.ctst here or above", context.invocation.command->name),
      "name one with -f, or the project with -p");
}

Result<Project> need_project(const Context &context, std::vector<std::string> targets, SecretValues secrets) {
  Scope scope = TRY(need_scope(context, std::move(targets), secrets));
  if (scope.loaded) return std::move(scope.loaded->project);
  return fail(ENOENT,
              fmt::format("{}: project {} has no file here or above", context.invocation.command->name, scope.name),
              "name it with -f");
}

Result<std::optional<Scope>> find_scope_of_names(const Context &context, const Engine &engine,
                                                 const std::vector<std::string> &names) {
  std::optional<Scope> scope = TRY(find_scope(context, names));
  if (!scope || names.empty()) return scope;
  const std::vector<Container> containers = TRY(containers_of_project(engine.places, scope->name));
  const bool are_containers = std::ranges::all_of(names, [&](const std::string &name) {
    return !has_service(*scope, containers, name) && find_id(engine.places, name).has_value();
  });
  if (are_containers) return std::nullopt;
  return scope;
}

Result<std::vector<Container>> containers_in(const Places &places, const Scope &scope,
                                             const std::vector<std::string> &names) {
  const std::vector<Container> all = TRY(containers_of_project(places, scope.name));
  std::vector<std::string> wanted = names;
  // A service of the file that has no container is no mistake.
  if (const Project *project = scope.project(); project != nullptr) {
    std::erase_if(wanted, [&](const std::string &name) {
      return contains(project->services, name, &Service::name) &&
             !contains(all, name, [](const Container &one) { return one.record.service; });
    });
    if (wanted.empty() && !names.empty()) return std::vector<Container>();
  }
  return in(fmt::format("project {}", scope.name), choose_containers(all, wanted));
}

Result<Container> find_named(const Context &context, const Engine &engine, const std::string &name,
                             std::uint32_t number) {
  const std::optional<Scope> scope = TRY(find_scope_of_names(context, engine, {name}));
  return scope ? find_of_service(engine.places, *scope, name, number) : find_container(engine.places, name);
}

Result<Container> find_of_service(const Places &places, const Scope &scope, const std::string &name,
                                  std::uint32_t number) {
  std::vector<Container> found = TRY(containers_in(places, scope, {name}));
  if (number > 0) std::erase_if(found, [&](const Container &one) { return one.record.number != number; });
  if (found.empty()) {
    return fail(ENOENT,
                number > 0 ? fmt::format("service {} has no container {}", name, number)
                           : fmt::format("service {} has no container", name),
                "up makes it");
  }
  const auto runs = std::ranges::find_if(found, [](const Container &one) { return one.state.is_running(); });
  return runs == found.end() ? found.front() : *runs;
}

std::vector<std::string> names_of(const Context &context, std::size_t first) {
  std::vector<std::string> words;
  for (std::size_t i = first; i < context.invocation.positionals.size(); ++i) words.push_back(context.argument(i));
  return words;
}

Status need_name(const Context &context) {
  if (!context.invocation.positionals.empty()) return {};
  return fail(fmt::format("{}: name a container", context.invocation.command->name),
              "or a project, with -f or -p or in the folder of its file");
}

bool is_dry_run(const Context &context) { return context.global().boolean("dry-run"); }

Result<int> print_dry_run(const Context &context, const std::vector<Container> &containers) {
  const std::string_view verb = context.invocation.command->name;
  const std::string_view sign = verb == "rm" ? "-" : (verb == "start" ? ">" : "~");
  std::string text;
  for (const Container &one : containers) text += fmt::format("{} {}  {} container\n", sign, one.record.name, verb);
  return print(text.empty() ? "Nothing to change.\n" : text);
}

namespace {

bool has_no_color() {
  const char *value = std::getenv("NO_COLOR");
  return value != nullptr && *value != '\0';
}

}  // namespace

bool may_draw_over(const Context &context) {
  const std::string_view when = context.global().string("ansi");
  return when == "always" || (when != "never" && kernel::is_terminal(kernel::FdView(1)));
}

bool wants_colour(const Context &context) {
  const bool always = context.global().string("ansi") == "always";
  return always || (may_draw_over(context) && !has_no_color());
}

Progress make_progress(const Context &context) {
  const std::string_view when = context.global().string("ansi");
  ProgressStyle style = progress_style(context.global().string("progress"));
  if (style == ProgressStyle::terminal && when == "never") style = ProgressStyle::plain;
  return Progress(style, when == "always" || !has_no_color());
}

std::size_t parallel_of(const Context &context) {
  const std::int64_t limit = context.global().integer("parallel").value_or(static_cast<std::int64_t>(default_parallel));
  return limit < 0 ? 1024 : static_cast<std::size_t>(std::max<std::int64_t>(limit, 1));
}

}  // namespace skiff::compose
