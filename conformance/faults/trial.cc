#include "conformance/faults/trial.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>

#include "conformance/faults/calls.h"
#include "spec/text.h"

namespace skiff::conformance {
namespace {

Result<Traced> run_command(Site &site, const Scene &scene, const Injection &injection, bool record) {
  Order order = site.order(scene.words(site));
  order.injection = injection;
  order.record = record;
  if (injection.fault == Fault::none) order.patience = std::max(order.patience, undisturbed_patience);
  order.only_itself = order.only_itself || scene.only_itself;
  if (scene.with_init) order.attached = TRY(site.pid());
  site.forget_output();
  return run_traced(order);
}

// What an earlier fault has left may be in the way: the second time it is gone.
Status prepare(Site &site, const Scene &scene) {
  if (scene.prepare(site)) return {};
  (void)scene.clear(site);
  site.sweep();
  return in("the preparation", scene.prepare(site));
}

// The first facts that differ.
std::string difference(const Facts &expected, const Facts &seen) {
  for (const auto &[name, value] : expected) {
    const auto found = seen.find(name);
    const std::string other = found == seen.end() ? "nothing" : found->second;
    if (other != value) return fmt::format("{}: expected {}, saw {}", name, value, other);
  }
  return "";
}

// The call, whatever its variant, or the error's own words: some write them in lower case.
bool names(const std::string &said, const Injection &injection) {
  const std::string text = spec::lower_case(said);
  const auto has = [&](std::string_view words) { return text.find(spec::lower_case(words)) != std::string::npos; };
  return has(find_faults(injection.place.call)->stem) || has(injection.place.call) ||
         has(::strerror(injection.error)) || has(error_name(injection.error));
}

void judge_error(Site &site, const Scene &scene, const Reference &reference, const Injection &injection,
                 const Traced &traced, std::vector<Complaint> &complaints) {
  if (traced.code == 0) {
    const Result<Facts> facts = scene.effect(site);
    const std::string wrong = facts ? difference(reference.facts, *facts) : facts.error().message();
    if (scene.warns && names(site.take_err(), injection)) return;
    if (!wrong.empty()) complaints.push_back({Flaw::silent, wrong});
    return;
  }
  std::string said = site.take_err();
  if (!names(said, injection)) complaints.push_back({Flaw::wordless, fmt::format("exit {}: {}", traced.code, said)});
  if (scene.unharmed != nullptr) {
    if (const Status same = scene.unharmed(site); !same) {
      complaints.push_back(
          {Flaw::harm, fmt::format("the container itself: {}; it had failed by: {}", same.error().message(), said)});
    }
  }
  if (!scene.makes) return;
  const std::vector<std::string> remains = site.remains();
  if (!remains.empty()) complaints.push_back({Flaw::remains, fmt::format("{}", fmt::join(remains, ", "))});
}

void judge_place(Site &site, const Scene &scene, std::vector<Complaint> &complaints) {
  const Result<Outcome> removed = scene.clear(site);
  if (!removed) complaints.push_back({Flaw::hang, removed.error().message()});
  const std::vector<std::string> left = site.remains();
  if (!left.empty()) {
    const std::string said = removed && removed->code != 0 ? "; the removal: " + removed->summary() : "";
    complaints.push_back({Flaw::leak, fmt::format("{}{}", fmt::join(left, ", "), said)});
    site.sweep();
  }
}

}  // namespace

std::string_view flaw_name(Flaw flaw) {
  constexpr std::array<std::string_view, flaw_count> names = {"leak", "hang", "harm", "silent", "wordless", "remains"};
  return names[static_cast<std::size_t>(flaw)];
}

Result<Reference> learn(Site &site, const Scene &scene) {
  constexpr int times = 3;
  Reference reference;
  for (int time = 0; time < times; ++time) {
    TRY(prepare(site, scene));
    Traced traced = TRY(run_command(site, scene, {}, time == 0));
    if (traced.code != 0) {
      return fail(
          fmt::format("{} without a fault: {}", scene.name, Outcome{traced.code, "", site.take_err()}.summary()));
    }
    const Facts facts = TRY(in(scene.name, scene.effect(site)));
    if (time == 0) {
      reference = {facts, std::move(traced.calls)};
    } else {
      std::erase_if(reference.facts, [&](const auto &fact) {
        const auto found = facts.find(fact.first);
        return found == facts.end() || found->second != fact.second;
      });
    }
    (void)TRY(scene.clear(site));
    if (time == 0) site.note_files();  // what is kept for the next time, and mount points in the rootfs
    const std::vector<std::string> left = site.remains();
    if (!left.empty()) return fail(fmt::format("{} without a fault leaves {}", scene.name, fmt::join(left, ", ")));
  }
  return reference;
}

Result<Attempt> attempt(Site &site, const Scene &scene, const Reference &reference, const Injection &injection) {
  TRY(prepare(site, scene));
  const Traced traced = TRY(run_command(site, scene, injection, false));
  Attempt result{.reached = traced.reached, .path = traced.path, .complaints = {}};
  if (traced.hung) {
    result.complaints.push_back({Flaw::hang, site.take_err()});
  } else if (injection.fault == Fault::error && traced.reached) {
    judge_error(site, scene, reference, injection, traced, result.complaints);
  }
  judge_place(site, scene, result.complaints);
  if (const std::string harm = site.harm(); !harm.empty()) {
    result.complaints.push_back({Flaw::harm, harm});
    TRY(site.replace_beside());
  }
  return result;
}

}  // namespace skiff::conformance
