#include "compose/cmd/containers.h"

#include <fmt/format.h>

#include "compose/cmd/project_scope.h"
#include "compose/output.h"
#include "compose/step_run.h"

namespace skiff::compose {
namespace {

// docker's own: they wait more than they work.
constexpr std::size_t most_at_once = 50;

Result<int> for_each_of_project(const Context &context, const Engine &engine, const Scope &scope,
                                const EachContainer &act) {
  const std::vector<Container> containers = TRY(containers_in(engine.places, scope, names_of(context)));
  if (is_dry_run(context)) return print_dry_run(context, containers);
  Progress progress = make_progress(context);
  TRY(act_on_all(progress, containers, context.invocation.command->name, "Done",
                 [&](const Container &one) { return act(engine, one.id()); }));
  return 0;
}

Status act_on(const Engine &engine, const std::string &name, const EachContainer &act) {
  return act(engine, TRY(find_id(engine.places, name)));
}

// What became of each name, in their order. One alone needs no process of its own.
Result<std::vector<Status>> act_on_names(const Context &context, const Engine &engine,
                                         const std::vector<std::string> &names, const EachContainer &act) {
  if (names.size() == 1) return std::vector<Status>{act_on(engine, names.front(), act)};
  std::vector<Job> jobs;
  for (const std::string &name : names) {
    jobs.push_back({.task = {.name = name}, .run = [&]() -> Result<std::string> {
                      TRY(act_on(engine, name, act));
                      return name;
                    }});
  }
  const std::size_t limit = context.global().given("parallel") ? parallel_of(context) : most_at_once;
  std::vector<Status> ends;
  for (const Outcome &outcome : TRY(run_parallel(jobs, {.limit = limit}))) {
    ends.push_back(outcome.error ? Status(std::unexpected(*outcome.error)) : Status());
  }
  return ends;
}

Result<int> show_named(const Context &context, const Engine &engine, const std::vector<std::string> &names) {
  std::vector<Container> containers;
  for (const std::string &name : names) containers.push_back(TRY(find_container(engine.places, name)));
  return print_dry_run(context, containers);
}

}  // namespace

Result<int> for_each_container(const Context &context, const EachContainer &act) {
  const Engine engine = TRY(open_engine(context.global(), context.log));
  const std::vector<std::string> names = names_of(context);
  const std::optional<Scope> scope = TRY(find_scope_of_names(context, engine, names));
  if (scope) return for_each_of_project(context, engine, *scope, act);
  TRY(need_name(context));
  if (is_dry_run(context)) return show_named(context, engine, names);
  const std::vector<Status> ends = TRY(act_on_names(context, engine, names, act));
  std::vector<Error> errors;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (ends[i]) {
      TRY(print(names[i] + "\n"));
    } else {
      errors.push_back(ends[i].error());
    }
  }
  if (errors.empty()) return 0;
  if (errors.size() == 1) return std::unexpected(std::move(errors.front()));
  std::string all = fmt::format("{} containers failed:", errors.size());
  for (const Error &error : errors) all += "\n  " + error.message();
  return std::unexpected(Error{.number = 0, .text = std::move(all), .remedy = {}});
}

}  // namespace skiff::compose
