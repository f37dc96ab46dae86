#include "compose/cmd/containers.h"

#include <fmt/format.h>

#include "compose/cmd/project_scope.h"
#include "compose/output.h"
#include "compose/step_run.h"

namespace skiff::compose {

namespace {

Result<int> for_each_of_project(const Context &context, const Engine &engine, const Scope &scope,
                                const EachContainer &act) {
  Progress progress = make_progress(context);
  const std::vector<Container> containers = TRY(containers_in(engine.places, scope, names_of(context)));
  TRY(act_on_all(progress, containers, context.invocation.command->name, "Done",
                 [&](const Container &one) { return act(engine, one.id()); }));
  return 0;
}

}  // namespace

Result<int> for_each_container(const Context &context, const EachContainer &act) {
  const Engine engine = TRY(open_engine(context.global(), context.log));
  const std::optional<Scope> scope = TRY(find_scope_of_names(context, engine, names_of(context)));
  if (scope) return for_each_of_project(context, engine, *scope, act);
  TRY(need_name(context));
  std::vector<Error> errors;
  for (const std::string_view name : context.invocation.positionals) {
    const Result<std::string> id = find_id(engine.places, std::string(name));
    const Status done = id ? act(engine, *id) : std::unexpected(id.error());
    if (done) {
      TRY(print(fmt::format("{}\n", name)));
    } else {
      errors.push_back(done.error());
    }
  }
  if (errors.empty()) return 0;
  if (errors.size() == 1) return std::unexpected(std::move(errors.front()));
  std::string all = fmt::format("{} containers failed:", errors.size());
  for (const Error &error : errors) all += "\n  " + error.message();
  return std::unexpected(Error{.number = 0, .text = std::move(all), .remedy = {}});
}

}  // namespace skiff::compose
