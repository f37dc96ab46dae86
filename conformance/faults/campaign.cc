#include "conformance/faults/campaign.h"

#include <fmt/format.h>

#include <algorithm>

#include "conformance/faults/calls.h"
#include "conformance/ground.h"
#include "conformance/leavings.h"
#include "conformance/worker.h"

namespace skiff::conformance {
namespace {

std::vector<const Scene *> choose_scenes(const CampaignRequest &request) {
  std::vector<const Scene *> chosen;
  for (const Scene *scene : scenes_of(family_of(*request.runtime))) {
    if (request.commands.empty() || std::ranges::find(request.commands, scene->name) != request.commands.end()) {
      chosen.push_back(scene);
    }
  }
  return chosen;
}

bool is_plausible(int error, bool stream) {
  return !stream || (error != EIO && error != ENOSPC && error != EBUSY && error != ENOMEM);
}

void add_points(const Scene &scene, const TracedCall &call, std::vector<Point> &points) {
  const CallPlace &place = call.place;
  points.push_back({&scene, {.fault = Fault::kill, .place = place}});
  if (place.process != "0") points.push_back({&scene, {.fault = Fault::kill_command, .place = place}});
  const CallFaults *faults = find_faults(place.call);
  if (faults == nullptr || call.loading) return;
  for (const int error : faults->errors) {
    if (error == 0) break;
    if (!is_plausible(error, call.stream)) continue;
    points.push_back({&scene, {.fault = Fault::error, .place = place, .error = error, .made = faults->made}});
  }
}

// A process with a site, which `work` is given.
Result<Worker> start_at_site(const CampaignRequest &request, const std::string &name,
                             const std::function<Status(Site &, const kernel::Fd &pipe)> &work) {
  return Worker::start([&](const kernel::Fd &pipe) -> Status {
    if (request.unified) TRY(show_unified_cgroups());
    const std::string directory = fmt::format("{}/{}", request.directory, name);
    const std::string cgroup = fmt::format("{}/{}", request.cgroup, name);
    Site site = TRY(Site::make(
        *request.runtime,
        {.directory = directory, .program = request.program, .cgroup = cgroup, .deadline = {}, .variant = {}},
        request.patience));
    site.set_registry(request.registry);
    const Status done = work(site, pipe);
    kill_children();
    (void)remove_leavings(directory, cgroup);
    return done;
  });
}

// Why a scene cannot be tried on this host; empty: it can.
std::string why_not(const Scene &scene) {
  if (!scene.controller.empty() && find_hierarchy(std::string(scene.controller)).empty()) {
    return fmt::format("no cgroup controller {}", scene.controller);
  }
  return scene.missing == nullptr ? "" : scene.missing();
}

// One site without any fault: which calls there are.
Result<std::vector<Point>> find_points(const CampaignRequest &request, Tallies &tallies) {
  const std::vector<const Scene *> scenes = choose_scenes(request);
  Worker scout = TRY(start_at_site(request, "scout", [&](Site &site, const kernel::Fd &pipe) -> Status {
    for (std::size_t i = 0; i < scenes.size(); ++i) {
      const std::string why = why_not(*scenes[i]);
      const Result<Reference> reference = why.empty() ? learn(site, *scenes[i]) : fail(why);
      if (!reference) {
        (void)scenes[i]->clear(site);
        site.sweep();
        Tree value;
        value.set("/untried", std::string(scenes[i]->name));
        value.set("/reason", reference.error().message());
        TRY(say(pipe, value));
        continue;
      }
      for (const TracedCall &call : reference->calls) {
        Tree value;
        value.set("/scene", i);
        value.set("/process", call.place.process);
        value.set("/call", call.place.call);
        value.set("/ordinal", call.place.ordinal);
        value.set("/stream", call.stream);
        value.set("/loading", call.loading);
        TRY(say(pipe, value));
      }
    }
    return {};
  }));
  std::vector<Point> points;
  while (scout.is_open()) {
    TRY(scout.hear([&](const Tree &value) {
      if (value.find("/untried") != nullptr) {
        tallies.untried[value.text("/untried")] = value.text("/reason");
        return;
      }
      add_points(*scenes[static_cast<std::size_t>(value.number("/scene").value_or(0))],
                 {.place = {value.text("/process"), value.text("/call"),
                            static_cast<std::uint32_t>(value.number("/ordinal").value_or(0))},
                  .path = {},
                  .stream = value.text("/stream") == "true",
                  .loading = value.text("/loading") == "true"},
                 points);
    }));
  }
  return points;
}

// Evenly spread, so that every command and every kind of call has its share.
std::vector<Point> choose_points(std::vector<Point> points, const CampaignRequest &request) {
  std::erase_if(points, [&](const Point &point) {
    const std::string name = point.name();
    return !request.points.empty() && std::ranges::none_of(request.points, [&](const std::string &wanted) {
      return name.find(wanted) != std::string::npos;
    });
  });
  if (request.sample == 0 || request.sample >= points.size()) return points;
  std::vector<Point> chosen;
  for (std::size_t i = 0; i < request.sample; ++i) chosen.push_back(points[i * points.size() / request.sample]);
  return chosen;
}

Status try_points(Site &site, const std::vector<Point> &points, std::size_t first, std::size_t step,
                  const kernel::Fd &pipe) {
  std::map<const Scene *, Reference> references;
  for (std::size_t i = first; i < points.size(); i += step) {
    const Scene &scene = *points[i].scene;
    if (!references.contains(&scene)) references[&scene] = TRY(learn(site, scene));
    const Attempt one = TRY(in(points[i].name(), attempt(site, scene, references[&scene], points[i].injection)));
    Tree value;
    value.set("/point", i);
    value.set("/reached", one.reached);
    value.set("/path", one.path);
    for (const Complaint &complaint : one.complaints) {
      Tree entry;
      entry.set("/flaw", static_cast<int>(complaint.flaw));
      entry.set("/text", complaint.text);
      value.set("/complaints/-", std::move(entry));
    }
    TRY(say(pipe, value));
  }
  return {};
}

}  // namespace

std::string Point::name() const {
  const std::string what = injection.fault == Fault::error          ? error_name(injection.error)
                           : injection.fault == Fault::kill_command ? "kill-command"
                                                                    : "kill";
  return fmt::format("{} {}/{}#{} {}", scene->name, injection.place.process, injection.place.call,
                     injection.place.ordinal, what);
}

std::array<Tally, 2> Tallies::total() const {
  std::array<Tally, 2> sum{};
  for (const auto &[name, tallies] : by_command) {
    for (std::size_t kind = 0; kind < 2; ++kind) {
      sum[kind].tried += tallies[kind].tried;
      sum[kind].missed += tallies[kind].missed;
      for (std::size_t flaw = 0; flaw < flaw_count; ++flaw) sum[kind].flaws[flaw] += tallies[kind].flaws[flaw];
    }
  }
  return sum;
}

Result<Tallies> run_campaign(const CampaignRequest &request,
                             const std::function<void(const std::string &, const Complaint &)> &told) {
  Tallies tallies;
  const std::vector<Point> points = choose_points(TRY(find_points(request, tallies)), request);
  std::vector<Worker> workers;
  for (std::size_t i = 0; i < request.jobs; ++i) {
    workers.push_back(TRY(start_at_site(request, std::to_string(i), [&](Site &site, const kernel::Fd &pipe) {
      return try_points(site, points, i, request.jobs, pipe);
    })));
  }
  const auto hear = [&](const Tree &value) {
    const Point &point = points[static_cast<std::size_t>(value.number("/point").value_or(0))];
    const bool is_error = point.injection.fault == Fault::error;
    Tally &tally = tallies.by_command[std::string(point.scene->name)][is_error ? 1 : 0];
    ++(value.text("/reached") == "true" ? tally.tried : tally.missed);
    const Tree *complaints = value.find("/complaints");
    if (complaints == nullptr) return;
    for (const Tree::Member &entry : complaints->members()) {
      const auto flaw = static_cast<std::size_t>(entry.value.number("/flaw").value_or(0));
      ++tally.flaws[flaw];
      const std::string path = value.text("/path");
      told(path.empty() ? point.name() : fmt::format("{} (\"{}\")", point.name(), path),
           {static_cast<Flaw>(flaw), entry.value.text("/text")});
    }
  };
  TRY(hear_all(workers, hear));
  return tallies;
}

}  // namespace skiff::conformance
