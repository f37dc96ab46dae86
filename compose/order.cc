#include "compose/order.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "runtime/cli/nearest.h"

namespace skiff::compose {
namespace {

constexpr std::string_view service_prefix = "service:";

void add_wait(std::vector<Dependency> &waits, std::string_view name) {
  const auto known = [&](const Dependency &one) { return one.service == name; };
  if (std::ranges::none_of(waits, known)) waits.push_back({.service = std::string(name)});
}

// compose-spec: volumes_from, network_mode and the like "service:NAME" are dependencies without being written as such.
std::vector<Dependency> waits_of(const Service &service) {
  std::vector<Dependency> waits = service.depends_on;
  for (const std::string *mode : {&service.network_mode, &service.pid_mode, &service.ipc_mode}) {
    if (mode->starts_with(service_prefix)) add_wait(waits, std::string_view(*mode).substr(service_prefix.size()));
  }
  for (const std::string &from : service.volumes_from) {
    if (!from.starts_with("container:")) add_wait(waits, std::string_view(from).substr(0, from.find(':')));
  }
  return waits;
}

class OrderMaker {
 public:
  explicit OrderMaker(const Project &project) : project_(project) {}

  Result<StartOrder> make(const std::vector<std::string> &wanted, Dependencies dependencies) {
    std::vector<const Service *> chosen;
    for (const std::string &name : wanted) chosen.push_back(TRY(find(name)));
    if (wanted.empty()) {
      for (const Service &service : project_.services) chosen.push_back(&service);
    }
    for (const Service *service : chosen) in_scope_.emplace(service->name, service);
    if (dependencies == Dependencies::included) TRY(add_dependencies(std::move(chosen)));
    TRY(place_all());
    std::ranges::stable_sort(order_.steps, {},
                             [](const OrderStep &step) { return std::pair(step.level, step.service); });
    return std::move(order_);
  }

 private:
  Result<const Service *> find(const std::string &name) {
    const auto found = std::ranges::find(project_.services, name, &Service::name);
    if (found != project_.services.end()) return &*found;
    if (std::ranges::find(project_.disabled, name) != project_.disabled.end()) {
      return fail(ENOENT, fmt::format("service {}: none of its profiles is active", name), "add --profile");
    }
    cli::Nearest nearest(name);
    for (const Service &service : project_.services) nearest.offer(service.name);
    return fail(ENOENT, fmt::format("service {}", name),
                nearest.found().empty() ? std::string() : fmt::format("did you mean {}?", nearest.found()));
  }

  Status add_dependencies(std::vector<const Service *> open) {
    while (!open.empty()) {
      const Service *service = open.back();
      open.pop_back();
      for (const Dependency &wait : waits_of(*service)) {
        if (in_scope_.contains(wait.service)) continue;
        Result<const Service *> found = find(wait.service);
        if (!found && !wait.required) continue;
        if (!found) return std::unexpected(in(fmt::format("services.{}.depends_on", service->name), found.error()));
        in_scope_.emplace((*found)->name, *found);
        open.push_back(*found);
      }
    }
    return {};
  }

  // Level by level: who waits only for those that are placed. Whoever is left waits in a circle.
  Status place_all() {
    std::map<std::string_view, std::size_t> level_of;
    for (std::size_t level = 0; level_of.size() < in_scope_.size(); ++level) {
      std::vector<OrderStep> placed;
      for (const auto &[name, service] : in_scope_) {
        if (level_of.contains(name)) continue;
        std::vector<Dependency> waits = waits_of(*service);
        std::erase_if(waits, [&](const Dependency &wait) { return !in_scope_.contains(wait.service); });
        const auto is_placed = [&](const Dependency &wait) { return level_of.contains(wait.service); };
        if (std::ranges::all_of(waits, is_placed)) placed.push_back({service, std::move(waits), level});
      }
      if (placed.empty()) return tell_cycle(level_of);
      for (OrderStep &step : placed) {
        level_of.emplace(step.service->name, level);
        order_.steps.push_back(std::move(step));
      }
    }
    return {};
  }

  Status tell_cycle(const std::map<std::string_view, std::size_t> &level_of) {
    const auto unplaced = [&](const auto &one) { return !level_of.contains(one.first); };
    std::vector<std::string_view> way = {std::ranges::find_if(in_scope_, unplaced)->first};
    while (true) {
      for (const Dependency &wait : waits_of(*in_scope_.find(way.back())->second)) {
        if (!in_scope_.contains(wait.service) || level_of.contains(wait.service)) continue;
        way.push_back(in_scope_.find(wait.service)->first);
        break;
      }
      const auto first = std::ranges::find(way, way.back());
      if (first == way.end() - 1) continue;
      way.erase(way.begin(), first);
      return fail(fmt::format("services.{}.depends_on: a cycle: {}", way.front(), fmt::join(way, " -> ")),
                  "one of them has to start first");
    }
  }

  const Project &project_;
  std::map<std::string_view, const Service *> in_scope_;
  StartOrder order_;
};

}  // namespace

const OrderStep *StartOrder::find(std::string_view service) const {
  const auto found = std::ranges::find_if(steps, [&](const OrderStep &one) { return one.service->name == service; });
  return found == steps.end() ? nullptr : &*found;
}

std::vector<std::vector<const Service *>> StartOrder::levels() const {
  std::vector<std::vector<const Service *>> out;
  for (const OrderStep &step : steps) {
    if (step.level >= out.size()) out.resize(step.level + 1);
    out[step.level].push_back(step.service);
  }
  return out;
}

std::vector<std::vector<const Service *>> StartOrder::stop_levels() const {
  std::vector<std::vector<const Service *>> out = levels();
  std::ranges::reverse(out);
  return out;
}

std::vector<const OrderStep *> StartOrder::ready(const std::function<bool(const Service &)> &is_begun,
                                                 const std::function<bool(const Dependency &)> &is_met) const {
  std::vector<const OrderStep *> out;
  for (const OrderStep &step : steps) {
    if (!is_begun(*step.service) && std::ranges::all_of(step.waits, is_met)) out.push_back(&step);
  }
  return out;
}

Result<StartOrder> make_start_order(const Project &project, const std::vector<std::string> &wanted,
                                    Dependencies dependencies) {
  return OrderMaker(project).make(wanted, dependencies);
}

}  // namespace skiff::compose
