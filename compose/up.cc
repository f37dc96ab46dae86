#include "compose/up.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "compose/archive_source.h"
#include "compose/file_mounts.h"
#include "compose/half_made.h"
#include "compose/host_service.h"
#include "compose/network.h"
#include "compose/project_state.h"
#include "compose/secrets.h"
#include "compose/supervisor.h"
#include "compose/supervisor_claim.h"
#include "compose/volume.h"
#include "compose/wait_file.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {
namespace {

using Act = Action::Kind;

Result<StartOrder> order_of(const Project &project, const UpOptions &options) {
  return make_start_order(project, options.services, options.no_deps ? Dependencies::left_out : Dependencies::included);
}

Result<Changes> find_changes(const Engine &engine, const Project &project, const StartOrder &order,
                             const UpOptions &options, std::map<std::string, std::string> image_ids) {
  const Running running = TRY(running_of_project(engine.places, project.name));
  return make_changes({.project = project,
                       .order = order,
                       .image_ids = std::move(image_ids),
                       .force_recreate = options.force_recreate,
                       .no_recreate = options.no_recreate,
                       .remove_orphans = options.remove_orphans,
                       .renew_dependents = options.renew_dependents},
                      running);
}

std::vector<const Service *> services_of(const StartOrder &order) {
  std::vector<const Service *> services;
  for (const OrderStep &step : order.steps) services.push_back(step.service);
  return services;
}

Status make_network(const Engine &engine, const Project &project, const std::string &name, Progress &progress) {
  Network network = *std::ranges::find(project.networks, name, &Network::name);
  network.labels = network_labels(project, network);
  progress.set("Network " + name, "Creating", Mark::working);
  const Result<NetworkRecord> made = create_network(engine.places, network);
  if (!made && made.error().number != EEXIST) return std::unexpected(in("network " + network.key, made.error()));
  progress.set("Network " + name, "Created", Mark::done);
  return {};
}

Status make_volume(const Engine &engine, const Project &project, const std::string &name, Progress &progress) {
  const Volume &volume = *std::ranges::find(project.volumes, name, &Volume::name);
  progress.set("Volume " + name, "Creating", Mark::working);
  TRY(in("volume " + volume.key, create_volume(engine.places, {.name = name,
                                                               .driver = volume.driver,
                                                               .options = volume.driver_options,
                                                               .labels = volume_labels(project, volume)})));
  progress.set("Volume " + name, "Created", Mark::done);
  return {};
}

Status make_resources(const Engine &engine, const Project &project, const Changes &changes, Progress &progress) {
  for (const Action &action : changes.actions) {
    if (action.kind == Act::create_network) TRY(make_network(engine, project, action.name, progress));
    if (action.kind == Act::create_volume) TRY(make_volume(engine, project, action.name, progress));
  }
  return {};
}

Status refuse_missing(const Changes &changes) {
  if (changes.missing.empty()) return {};
  return fail(ENOENT,
              fmt::format("{}: the project says external, and it is not there", fmt::join(changes.missing, ", ")),
              "create it, or leave external out");
}

void warn_of_orphans(const Changes &changes, Progress &progress) {
  for (const Action &action : changes.actions) {
    if (action.kind != Act::leave_orphan) continue;
    progress.set("Container " + action.name, "is of no service of this project; --remove-orphans removes it",
                 Mark::warning);
  }
}

// Those alone: the service's own containers stay as they are.
Status remove_orphans(const Engine &engine, const StartOrder &order, const Changes &changes, Progress &progress) {
  Changes orphans;
  for (const Action &action : changes.actions) {
    if (action.kind == Act::remove_orphan) orphans.actions.push_back(action);
  }
  if (orphans.actions.empty()) return {};
  TRY(run_steps({.engine = engine, .progress = progress}, make_up_steps(order, orphans, {})));
  return {};
}

void show_plan(const Changes &changes, Progress &progress) {
  for (const Action &action : changes.actions) {
    if (action.kind == Act::keep) progress.set("Container " + action.name, "Running", Mark::done);
  }
}

// While one was waited for another one may have ended.
Status check_all_run(const Engine &engine, const Project &project, const std::vector<UpStep> &steps) {
  for (const Container &one : TRY(containers_of_project(engine.places, project.name))) {
    const bool waited = std::ranges::any_of(steps, [&](const UpStep &step) {
      const bool is_job = step.kind == UpStep::Kind::wait_completed;
      return step.container == one.record.name && task_of(step).waits && !is_job;
    });
    if (waited) TRY(in(fmt::format("service {}", one.record.service), check_runs(engine, one)));
  }
  return {};
}

// What the container of a service is made of, with its image at hand.
class RequestMaker {
 public:
  RequestMaker(const Engine &engine, const Project &project) : engine_(engine), project_(project) {}

  // In this process, once: replicas share them.
  Status make_files(const std::vector<const Service *> &services) {
    for (const Service *service : services) {
      files_[service->name] =
          TRY(in(fmt::format("service {}", service->name), make_file_mounts(engine_.places, project_, *service)));
    }
    return {};
  }

  Result<CreateRequest> make(const Service &service, const ContainerPlace &place, bool alias,
                             const FindContainer &find) const {
    CreateRequest request;
    request.service = TRY(host_service(project_, service, find, {.place = place, .service_alias = alias}));
    request.service.image = image_name(project_, service);
    request.service.pull_policy = "never";
    // What is told of a secret goes into config.json alone.
    if (!service.secret_references.empty()) request.with_secrets = TRY(with_secrets(request.service, project_));
    request.project = project_.name;
    request.service_name = service.name;
    request.number = place.number;
    request.one_off = place.one_off;
    request.config_hash = place.config_hash;
    request.quiet = true;
    const auto files = files_.find(service.name);
    if (files != files_.end()) request.files = files->second;
    return request;
  }

 private:
  const Engine &engine_;
  const Project &project_;
  std::map<std::string, std::vector<SourcePath>> files_;
};

Result<std::map<std::string, std::string>> get_images(const Engine &engine, const Project &project,
                                                      const std::vector<const Service *> &services,
                                                      const UpOptions &options, Progress &progress) {
  return make_images(engine, project, services,
                     {.policy = options.images,
                      .quiet = true,
                      .quiet_pull = options.quiet_pull,
                      .report = [&](const std::string &image, std::string_view what, Mark mark) {
                        progress.set("Image " + image, what, mark);
                      }});
}

// Images that `rmi` may name: "local" are those that only a build of ours made.
Status remove_images(const Engine &engine, const Project &project, const std::string &which, Progress &progress) {
  for (const Service &service : project.services) {
    const std::string image = image_name(project, service);
    if (image.empty() || (which == "local" && !service.image.empty())) continue;
    const ProgramOutput output = TRY(run_program(engine.run_image({"rm", image})));
    const bool gone = output.code == 0 || output.code == 2;
    progress.set("Image " + image, gone ? "Removed" : "kept: " + output.err, gone ? Mark::done : Mark::warning);
  }
  return {};
}

Status remove_networks(const Engine &engine, const std::string &name, Progress &progress) {
  TRY(sweep_networks(engine.places));
  for (const NetworkRecord &network : TRY(list_networks(engine.places))) {
    if (label_of(network.labels, project_label) != name) continue;
    progress.set("Network " + network.name, "Removing", Mark::working);
    TRY(remove_network(engine.places, network.name));
    progress.set("Network " + network.name, "Removed", Mark::done);
  }
  return {};
}

Status remove_volumes(const Engine &engine, const std::string &name, Progress &progress) {
  TRY(sweep_volumes(engine.places));
  for (const VolumeRecord &volume : TRY(list_volumes(engine.places))) {
    if (label_of(volume.labels, project_label) != name) continue;
    const std::vector<std::string> users = TRY(users_of_volume(engine.places, volume.name));
    if (!users.empty()) {
      return fail(EBUSY, fmt::format("volume {}: {} uses it", volume.name, fmt::join(users, ", ")),
                  "remove that first");
    }
    progress.set("Volume " + volume.name, "Removing", Mark::working);
    TRY(remove_volume(engine.places, volume.name));
    progress.set("Volume " + volume.name, "Removed", Mark::done);
  }
  return {};
}

// It ends by itself with the last container that needs it. A job that it still waits for is no reason to fail.
Status wait_for_supervisor(const Engine &engine, const std::string &name, const kernel::Fd &supervisor) {
  constexpr std::chrono::seconds patience{10};
  const std::vector<Container> left = TRY(containers_of_project(engine.places, name));
  if (std::ranges::any_of(left, needs_supervisor, &Container::record)) return {};
  // One that is just starting has no mark yet; the file of its claim is there from before its start until its end.
  const std::string directory = claims_directory(engine.places);
  const bool given_up = !kernel::faccessat(kernel::cwd, directory, F_OK) ||
                        TRY(wait_until_gone(directory, project_group(name), patience));
  if (given_up && (!supervisor.valid() || TRY(kernel::wait_readable(supervisor, patience)))) return {};
  cli::warning(engine.log, fmt::format("project {}: its supervisor has not ended yet", name));
  return {};
}

bool is_orphan(const Container &container, const Project &project) {
  const std::string &service = container.record.service;
  return std::ranges::find(project.services, service, &Service::name) == project.services.end() &&
         std::ranges::find(project.disabled, service) == project.disabled.end();
}

}  // namespace

Result<Changes> plan_up(const Engine &engine, const Project &project, const UpOptions &options) {
  const StartOrder order = TRY(order_of(project, options));
  const std::map<std::string, std::string> here = TRY(list_image_ids(engine));
  std::map<std::string, std::string> ids;
  for (const OrderStep &step : order.steps) {
    const std::string name = TRY(stored_image_name(project, *step.service));
    const auto found = here.find(full_image_name(name));
    if (found != here.end()) {
      ids[step.service->name] = found->second;
    } else if (!name.empty() && is_archive_source(image_name(project, *step.service))) {
      // Not in the store yet: no container has it.
      ids[step.service->name] = name;
    }
  }
  return find_changes(engine, project, order, options, std::move(ids));
}

Result<std::vector<std::string>> bring_up(const Engine &engine, const Project &project, const UpOptions &options,
                                          Progress &progress) {
  const StartOrder order = TRY(order_of(project, options));
  const std::vector<const Service *> services = services_of(order);
  std::map<std::string, std::string> ids = TRY(get_images(engine, project, services, options, progress));
  const Changes changes = TRY(find_changes(engine, project, order, options, std::move(ids)));
  TRY(refuse_missing(changes));
  warn_of_orphans(changes, progress);
  TRY(make_resources(engine, project, changes, progress));
  show_plan(changes, progress);
  RequestMaker requests(engine, project);
  TRY(requests.make_files(services));
  StepRun run{.engine = engine,
              .progress = progress,
              .parallel = options.parallel,
              .stop_timeout = options.stop_timeout,
              .renew_volumes = options.renew_volumes,
              .there = TRY(containers_of_project(engine.places, project.name))};
  if (options.wait_timeout) run.wait_until = std::chrono::steady_clock::now() + *options.wait_timeout;
  run.make_request = [&](const UpStep &step, const FindContainer &find) -> Result<CreateRequest> {
    const Service &service = *project.find(step.service);
    CreateRequest request = TRY(requests.make(
        service, {.number = step.number, .one_off = false, .config_hash = config_hash(project, service)}, true, find));
    request.name = step.container;
    request.starts_now = options.start;
    return request;
  };
  const std::vector<UpStep> steps = make_up_steps(order, changes, {.start = options.start, .wait = options.wait});
  TRY(run_steps(run, steps));
  if (options.wait) TRY(check_all_run(engine, project, steps));
  std::vector<std::string> all;
  for (const Container &one : TRY(containers_of_project(engine.places, project.name))) {
    if (!one.record.one_off && order.find(one.record.service) != nullptr) all.push_back(one.id());
  }
  return all;
}

Result<ContainerRecord> create_one_off(const Engine &engine, const Project &project, const OneOff &one_off,
                                       Progress &progress) {
  UpOptions before;
  for (const Dependency &one : one_off.service.depends_on) before.services.push_back(one.service);
  if (!before.services.empty() && !one_off.no_deps) TRY(bring_up(engine, project, before, progress));
  UpOptions own;
  own.services = {one_off.service.name};
  own.no_deps = true;
  own.remove_orphans = one_off.remove_orphans;
  own.images = one_off.images;
  TRY(get_images(engine, project, {&one_off.service}, own, progress));
  const StartOrder order = TRY(order_of(project, own));
  const Changes changes = TRY(find_changes(engine, project, order, own, {}));
  TRY(refuse_missing(changes));
  TRY(remove_orphans(engine, order, changes, progress));
  TRY(make_resources(engine, project, changes, progress));
  RequestMaker requests(engine, project);
  TRY(requests.make_files({&one_off.service}));
  const std::vector<Container> there = TRY(containers_of_project(engine.places, project.name));
  const FindContainer find = [&](std::string_view service) -> Result<std::string> {
    for (const Container &one : there) {
      if (one.record.service == service && !one.record.one_off) return one.id();
    }
    return fail(ENOENT, fmt::format("service {} has no container", service), "leave --no-deps out");
  };
  CreateRequest request =
      TRY(requests.make(one_off.service, {.number = 1, .one_off = true, .config_hash = {}}, one_off.use_aliases, find));
  request.name = one_off.name;
  if (request.name.empty()) {
    request.name = fmt::format("{}-{}-run-{}", project.name, one_off.service.name, TRY(make_id()).substr(0, 12));
  }
  request.auto_remove = one_off.auto_remove;
  request.stdin_once = one_off.stdin_once;
  request.starts_now = true;
  return create_container(engine, request);
}

Status bring_down(const Engine &engine, const std::string &name, const Project *project, const DownOptions &options,
                  Progress &progress) {
  const kernel::Fd supervisor = TRY(find_supervisor(engine.places, name));
  // What a killed up was making is in no list yet.
  TRY(sweep_half_made_of(engine.places, name));
  std::vector<Container> containers = TRY(containers_of_project(engine.places, name));
  if (!options.services.empty()) {
    std::erase_if(containers, [&](const Container &one) {
      return std::ranges::find(options.services, one.record.service) == options.services.end();
    });
  }
  if (project != nullptr && !options.remove_orphans) {
    std::erase_if(containers, [&](const Container &one) { return is_orphan(one, *project); });
  }
  TRY(stop_in_order({.engine = engine,
                     .progress = progress,
                     .parallel = options.parallel,
                     .stop = {.timeout = options.stop_timeout, .signal = {}},
                     .remove = true,
                     .volumes = options.volumes},
                    containers));
  if (!options.services.empty()) return {};
  TRY(wait_for_supervisor(engine, name, supervisor));
  TRY(remove_networks(engine, name, progress));
  if (options.volumes) TRY(remove_volumes(engine, name, progress));
  if (!options.images.empty() && project != nullptr) TRY(remove_images(engine, *project, options.images, progress));
  return remove_file_mounts(engine.places, name);
}

}  // namespace skiff::compose
