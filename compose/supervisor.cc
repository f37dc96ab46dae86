#include "compose/supervisor.h"

#include <algorithm>
#include <map>

#include "compose/long_sleep.h"
#include "compose/supervisor_claim.h"
#include "compose/ward.h"
#include "runtime/kernel/inotify.h"
#include "runtime/kernel/prctl.h"

namespace skiff::compose {
namespace {

class Supervisor {
 public:
  Supervisor(const Engine &engine, std::string group) : engine_(engine), group_(std::move(group)) {}

  // False where another process has the group.
  Result<bool> take_over();
  Status attend();
  Status give_up();
  // Something came after we had nothing to do and before we gave up.
  Result<bool> is_needed();

 private:
  Status scan();
  Status adopt(const std::string &id);
  Status watch(const std::string &path, std::uint32_t events, const std::string &id);
  Status take_notices();
  Status take_events(const std::vector<pollfd> &events);
  void forget_gone();
  [[nodiscard]] bool is_active() const;
  [[nodiscard]] std::chrono::milliseconds patience() const;
  void note(const Status &status) const;

  const Engine &engine_;
  std::string group_;
  kernel::Fd claim_;
  kernel::Fd notices_;
  std::map<int, std::string> watches_;  // whose files; empty: our own
  std::map<std::string, Ward> wards_;
};

Result<bool> Supervisor::take_over() {
  claim_ = TRY(claim_group(engine_.places, group_));
  if (!claim_.valid()) return false;
  notices_ = TRY(kernel::inotify_init1());
  TRY(mark_claim(claim_));
  watches_.clear();
  wards_.clear();
  TRY(watch(claim_path(engine_.places, group_), IN_MODIFY, ""));
  TRY(scan());
  return true;
}

Status Supervisor::watch(const std::string &path, std::uint32_t events, const std::string &id) {
  watches_[TRY(kernel::inotify_add_watch(notices_, path, events))] = id;
  return {};
}

Status Supervisor::scan() {
  for (const Container &container : TRY(list_containers(engine_.places))) {
    if (supervisor_group(container.record) != group_ || !needs_supervisor(container.record)) continue;
    if (!wards_.contains(container.id())) note(adopt(container.id()));
  }
  for (auto &[id, ward] : wards_) note(ward.refresh());
  return {};
}

// Watched first: what changes after it was looked at is seen. The records are replaced, never written.
Status Supervisor::adopt(const std::string &id) {
  TRY(watch(engine_.places.directory(id), IN_MOVED_TO | IN_DELETE_SELF | IN_ONLYDIR, id));
  wards_.try_emplace(id, engine_, id);
  return {};
}

bool Supervisor::is_active() const {
  return std::ranges::any_of(wards_, [](const auto &one) { return one.second.is_active(); });
}

std::chrono::milliseconds Supervisor::patience() const {
  std::optional<Clock::time_point> first;
  for (const auto &[id, ward] : wards_) {
    const std::optional<Clock::time_point> deadline = ward.deadline();
    if (deadline && (!first || *deadline < *first)) first = deadline;
  }
  if (!first) return kernel::forever;
  return std::max(std::chrono::ceil<std::chrono::milliseconds>(*first - Clock::now()), std::chrono::milliseconds(0));
}

// One container's trouble is not the others'.
void Supervisor::note(const Status &status) const {
  if (!status) cli::warning(engine_.log, status.error().message());
}

Status Supervisor::take_notices() {
  return kernel::read_notices(notices_, [&](const kernel::Notice &notice) -> Status {
    const auto watch = watches_.find(notice.watch);
    if (watch == watches_.end()) return {};
    const auto ward = wards_.find(watch->second);
    if (ward == wards_.end()) return scan();
    note(ward->second.refresh());
    return {};
  });
}

Status Supervisor::take_events(const std::vector<pollfd> &events) {
  std::size_t at = 1;
  for (auto &[id, ward] : wards_) {
    note(ward.take_events(std::span(events).subspan(at, Ward::event_count)));
    at += Ward::event_count;
  }
  const Clock::time_point now = Clock::now();
  for (auto &[id, ward] : wards_) note(ward.take_time(now));
  return events[0].revents != 0 ? take_notices() : Status();
}

void Supervisor::forget_gone() {
  std::erase_if(watches_, [&](const auto &watch) {
    const auto ward = wards_.find(watch.second);
    return ward != wards_.end() && ward->second.is_gone();
  });
  std::erase_if(wards_, [](const auto &one) { return one.second.is_gone(); });
}

Status Supervisor::attend() {
  LongSleep sleep;
  while (is_active()) {
    std::vector<pollfd> events = {{notices_.get(), POLLIN, 0}};
    for (const auto &[id, ward] : wards_) ward.add_events(events);
    TRY(sleep.poll(events, patience()));
    TRY(take_events(events));
    forget_gone();
  }
  return {};
}

Status Supervisor::give_up() { return give_up_group(engine_.places, group_, std::move(claim_)); }

Result<bool> Supervisor::is_needed() {
  TRY(scan());
  return is_active();
}

}  // namespace

bool needs_supervisor(const ContainerRecord &record) {
  return record.restart.policy != Restart::Policy::no || has_health_check(record);
}

Result<int> run_supervisor(const Engine &engine, const std::string &group) {
  (void)kernel::set_name("skiff-supervise");
  Supervisor supervisor(engine, group);
  // Who starts a container after our last look finds the group free, or is seen by the look after that.
  do {
    if (!TRY(supervisor.take_over())) return 0;
    TRY(supervisor.attend());
    TRY(supervisor.give_up());
  } while (TRY(supervisor.is_needed()));
  return 0;
}

}  // namespace skiff::compose
