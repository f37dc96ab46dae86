#include "compose/project_images.h"

#include <fmt/format.h>

#include "compose/archive_source.h"
#include "compose/cmd/format_flag.h"
#include "compose/cmd/project_scope.h"
#include "compose/contains.h"
#include "compose/image_progress.h"
#include "compose/output.h"
#include "compose/parallel.h"
#include "compose/project_state.h"
#include "compose/show_text.h"
#include "runtime/kernel/path.h"
#include "spec/writer.h"

namespace skiff::compose {
namespace {

using cli::Kind;

constexpr auto build_flags = std::to_array<cli::FlagSpec>({
    {.name = "no-cache", .kind = Kind::Bool, .text = "carry out every instruction"},
    {.name = "pull", .kind = Kind::Bool, .text = "ask the registry for images that are here already"},
    {.name = "build-arg", .kind = Kind::Strings, .value = "NAME[=VALUE]", .text = "the value of an ARG"},
    {.name = "with-dependencies", .kind = Kind::Bool, .text = "what the services depend on as well"},
    {.name = "push", .kind = Kind::Bool, .text = "push them afterwards"},
    {.name = "quiet", .letter = 'q', .kind = Kind::Bool, .text = "no progress"},
});

constexpr auto pull_flags = std::to_array<cli::FlagSpec>({
    {.name = "policy", .value = "POLICY", .text = "which ones", .choices = "missing|always", .initial = "always"},
    {.name = "include-deps", .kind = Kind::Bool, .text = "what the services depend on as well"},
    {.name = "ignore-pull-failures", .kind = Kind::Bool, .text = "go on, and end with 0"},
    {.name = "ignore-buildable", .kind = Kind::Bool, .text = "leave out what can be built"},
    {.name = "platform", .value = "OS/ARCH", .text = "of one image: which of several platforms"},
    {.name = "quiet", .letter = 'q', .kind = Kind::Bool, .text = "no progress"},
});

constexpr auto push_flags = std::to_array<cli::FlagSpec>({
    {.name = "include-deps", .kind = Kind::Bool, .text = "what the services depend on as well"},
    {.name = "ignore-push-failures", .kind = Kind::Bool, .text = "go on, and end with 0"},
    {.name = "quiet", .letter = 'q', .kind = Kind::Bool, .text = "no progress"},
});

constexpr auto images_flags = std::to_array<cli::FlagSpec>({
    {.name = "quiet", .letter = 'q', .kind = Kind::Bool, .text = "ids alone"},
    {.name = "digests", .kind = Kind::Bool, .text = "of the store: the digests of the manifests"},
    {.name = "no-trunc", .kind = Kind::Bool, .text = "of the store: ids in full"},
    format_flag("table|json"),
});

// skiff-image does it, with our streams.
Result<int> hand_over(const Engine &engine, const Words &words) {
  Words all = engine.image;
  all.insert(all.end(), words.begin(), words.end());
  kernel::Child child =
      TRY(start_program(all, {.in = kernel::FdView(0), .out = kernel::FdView(1), .err = kernel::FdView(2)}));
  return TRY(child.wait()).shell_code();
}

Result<std::vector<const Service *>> chosen(const Project &project, const std::vector<std::string> &names,
                                            bool dependencies) {
  const StartOrder order =
      TRY(make_start_order(project, names, dependencies ? Dependencies::included : Dependencies::left_out));
  std::vector<const Service *> services;
  for (const OrderStep &step : order.steps) services.push_back(step.service);
  return services;
}

struct ImageJob {
  std::string image;
  const Service *service = nullptr;
};

// One job for each image, not for each service that has it.
std::vector<ImageJob> jobs_of(const Project &project, const std::vector<const Service *> &services,
                              const std::function<bool(const Service &)> &wanted) {
  std::vector<ImageJob> jobs;
  for (const Service *service : services) {
    const std::string image = image_name(project, *service);
    if (!image.empty() && wanted(*service) && !contains(jobs, image, &ImageJob::image))
      jobs.push_back({image, service});
  }
  return jobs;
}

struct Doing {
  std::string_view doing;
  std::string_view done;
  std::size_t limit = 4;
};

Status print_images(const Context &context, const std::vector<ImageJob> &images) {
  std::string text;
  for (const ImageJob &one : images)
    text += fmt::format("~ {}  {} image\n", one.image, context.invocation.command->name);
  TRY(print(text.empty() ? "Nothing to change.\n" : text));
  return {};
}

Status do_images(const Context &context, const std::vector<ImageJob> &images, const Doing &doing,
                 const std::function<Status(const ImageJob &, const Tell &)> &act) {
  if (is_dry_run(context)) return print_images(context, images);
  Progress progress = make_progress(context);
  std::vector<Job> jobs;
  for (const ImageJob &one : images) {
    jobs.push_back({.task = {.name = one.image}, .run_telling = [&](const Tell &tell) -> Result<std::string> {
                      TRY(in(fmt::format("service {}", one.service->name), act(one, tell)));
                      return one.image;
                    }});
  }
  const auto report = [&](std::size_t task, const Outcome &outcome) {
    const std::string line = "Image " + jobs[task].task.name;
    const std::string far = outcome.answer.empty() ? "" : " " + outcome.answer;
    if (outcome.fate == Schedule::Fate::running) progress.set(line, std::string(doing.doing) + far, Mark::working);
    if (outcome.fate == Schedule::Fate::done) progress.set(line, doing.done, Mark::done);
    if (outcome.fate == Schedule::Fate::failed) progress.set(line, outcome.error->message(), Mark::failed);
  };
  const std::vector<Outcome> outcomes = TRY(run_parallel(jobs, {.limit = doing.limit, .report = report}));
  return gather_failures(jobs, outcomes);
}

Status push_images(const Context &context, const Engine &engine, const std::vector<ImageJob> &jobs) {
  return do_images(context, jobs, {"Pushing", "Pushed"}, [&](const ImageJob &one, const Tell &tell) {
    return call_image_telling(engine, {"push", one.image}, tell);
  });
}

// One after the other: its output is for people, and its steps use all cores already.
Result<int> build(const Context &context) {
  const cli::Flags &flags = context.flags();
  const Project project = TRY(need_project(context, names_of(context)));
  const Engine engine = TRY(open_engine(context.global(), context.log));
  const auto services = TRY(chosen(project, names_of(context), flags.boolean("with-dependencies")));
  const std::vector<ImageJob> jobs =
      jobs_of(project, services, [](const Service &service) { return service.build.has_value(); });
  TRY(do_images(context, jobs, {"Building", "Built", 1}, [&](const ImageJob &one, const Tell &) {
    Service service = *one.service;
    service.build->no_cache |= flags.boolean("no-cache");
    service.build->pull |= flags.boolean("pull");
    for (const std::string_view word : flags.strings("build-arg")) {
      const std::size_t equals = word.find('=');
      const bool valued = equals != std::string_view::npos;
      service.build->args.emplace_back(std::string(word.substr(0, equals)),
                                       valued ? std::optional(std::string(word.substr(equals + 1))) : std::nullopt);
    }
    return build_image(engine, service, one.image, flags.boolean("quiet"));
  }));
  if (flags.boolean("push") && !is_dry_run(context)) TRY(push_images(context, engine, jobs));
  return 0;
}

// An archive goes into the store; what is used where it lies has to lie there.
Status pull_one(const Context &context, const Engine &engine, const ImageJob &one, const Tell &tell) {
  if (is_archive_source(one.image)) {
    TRY(store_archive(engine, one.image));
    return {};
  }
  if (lies_on_disk(one.image)) {
    TRY(call_program(engine.run_image({"--quiet", "inspect", one.image})));
    return {};
  }
  const Words words = pull_words(*one.service, one.image);
  if (context.flags().boolean("quiet")) return call_image(engine, words, true);
  return call_image_telling(engine, words, tell);
}

Result<int> pull_project(const Context &context, const Engine &engine, const Project &project) {
  const cli::Flags &flags = context.flags();
  const auto services = TRY(chosen(project, names_of(context), flags.boolean("include-deps")));
  const auto here = TRY(list_image_ids(engine));
  const bool missing = context.flag("policy") == "missing";
  const std::vector<ImageJob> jobs = jobs_of(project, services, [&](const Service &service) {
    if (service.image.empty() || service.pull_policy == "never" || service.pull_policy == "build") return false;
    if (service.build && flags.boolean("ignore-buildable")) return false;
    return !missing || !here.contains(full_image_name(service.image));
  });
  const Status pulled = do_images(context, jobs, {"Pulling", "Pulled"}, [&](const ImageJob &one, const Tell &tell) {
    return pull_one(context, engine, one, tell);
  });
  if (!pulled && !flags.boolean("ignore-pull-failures")) return std::unexpected(pulled.error());
  return 0;
}

// A word that is no service is an image.
Result<std::optional<Scope>> scope_of_images(const Context &context) {
  std::optional<Scope> scope = TRY(find_scope(context, names_of(context)));
  if (!scope || !scope->loaded) return std::nullopt;
  for (const std::string &word : names_of(context)) {
    if (!contains(scope->project()->services, word, &Service::name)) return std::nullopt;
  }
  return scope;
}

Status need_image(const Context &context) {
  if (!context.invocation.positionals.empty()) return {};
  return fail(fmt::format("{}: name an image", context.invocation.command->name), "or a project's file, with -f");
}

Result<int> print_names(const Context &context) {
  std::vector<ImageJob> images;
  for (const std::string &image : names_of(context)) images.push_back({image, nullptr});
  TRY(print_images(context, images));
  return 0;
}

Result<int> pull(const Context &context) {
  const Engine engine = TRY(open_engine(context.global(), context.log));
  const std::optional<Scope> scope = TRY(scope_of_images(context));
  if (scope) return pull_project(context, engine, *scope->project());
  TRY(need_image(context));
  if (is_dry_run(context)) return print_names(context);
  for (const std::string &image : names_of(context)) {
    Words words = {"pull"};
    if (context.flags().boolean("quiet")) words.insert(words.begin(), "--quiet");
    if (context.flags().given("platform")) words.insert(words.end(), {"--platform", context.flag("platform")});
    words.push_back(image);
    if (const int code = TRY(hand_over(engine, words)); code != 0) return code;
  }
  return 0;
}

Result<int> push(const Context &context) {
  const Engine engine = TRY(open_engine(context.global(), context.log));
  const std::optional<Scope> scope = TRY(scope_of_images(context));
  if (!scope) {
    TRY(need_image(context));
    if (is_dry_run(context)) return print_names(context);
    for (const std::string &image : names_of(context)) {
      if (const int code = TRY(hand_over(engine, {"push", image})); code != 0) return code;
    }
    return 0;
  }
  const Project &project = *scope->project();
  const auto services = TRY(chosen(project, names_of(context), context.flags().boolean("include-deps")));
  // What nobody builds here comes from where it would go.
  const std::vector<ImageJob> jobs = jobs_of(
      project, services, [](const Service &service) { return service.build.has_value() && !service.image.empty(); });
  const Status pushed = push_images(context, engine, jobs);
  if (!pushed && !context.flags().boolean("ignore-push-failures")) return std::unexpected(pushed.error());
  return 0;
}

struct Row {
  std::string id;
  std::string container;
  std::string image;
};

void fields(auto &v, const Row &row) {
  v.always("ID", row.id);
  v.always("ContainerName", row.container);
  v.always("Image", row.image);
}

Result<int> images(const Context &context) {
  const Engine engine = TRY(open_engine(context.global(), context.log));
  const std::optional<Scope> scope = TRY(find_scope(context, names_of(context)));
  if (!scope) {
    Words words = {"images"};
    if (context.flags().boolean("quiet")) words.insert(words.begin(), "--quiet");
    if (context.flag("format") == "json") words.insert(words.end(), {"--format", "json"});
    for (const char *name : {"digests", "no-trunc"}) {
      if (context.flags().boolean(name)) words.push_back(fmt::format("--{}", name));
    }
    for (const std::string &word : names_of(context)) words.push_back(word);
    return hand_over(engine, words);
  }
  std::vector<Row> rows;
  for (const Container &one : TRY(containers_in(engine.places, *scope, names_of(context)))) {
    rows.push_back({one.record.image_id, one.record.name, one.record.image});
  }
  if (context.flag("format") == "json") return print(spec::Writer("").document(rows) + "\n");
  std::string ids;
  std::vector<std::vector<std::string>> lines = {{"CONTAINER", "IMAGE", "IMAGE ID"}};
  for (const Row &row : rows) {
    const std::string id = row.id.substr(std::min(row.id.find(':') + 1, row.id.size()), 12);
    ids += id + "\n";
    lines.push_back({row.container, row.image, id});
  }
  return print(context.flags().boolean("quiet") ? ids : fitted_table(std::move(lines), {.cut = 1, .dropped = {2}}));
}

consteval cli::Command of_services(std::string_view name, std::string_view usage, std::string_view summary,
                                   std::span<const cli::FlagSpec> flags) {
  return {.name = name,
          .usage = usage,
          .summary = summary,
          .flags = flags,
          .max_positionals = cli::kUnlimited,
          .joined_values = true};
}

}  // namespace

const CommandEntry build_command = {
    .command = of_services("build", "[SERVICE...]", "build the images of services", build_flags),
    .run = build,
    .dry_run = DryRun::shown};
const CommandEntry pull_command = {
    .command = of_services("pull", "[SERVICE...]|IMAGE...", "pull images, of services or by name", pull_flags),
    .run = pull,
    .dry_run = DryRun::shown};
const CommandEntry push_command = {
    .command =
        of_services("push", "[SERVICE...]|IMAGE...", "push images, of services that are built, or by name", push_flags),
    .run = push,
    .dry_run = DryRun::shown};
const CommandEntry images_command = {
    .command = of_services("images", "[SERVICE...]", "list images: of a project's containers, or all of the store",
                           images_flags),
    .run = images,
    .dry_run = DryRun::reads};

}  // namespace skiff::compose
