#include "compose/watch.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <set>

#include "compose/contains.h"
#include "compose/tree_watch.h"
#include "compose/watch_work.h"

namespace skiff::compose {
namespace {

using Clock = std::chrono::steady_clock;

// An editor, a compiler or a checkout changes many files at once: what follows so soon belongs to it.
constexpr std::chrono::milliseconds quiet_time{150};
constexpr std::chrono::seconds longest_gathering{2};

struct Watched {
  const Service *service;
  const WatchRule *rule;
  WatchFilter filter;
  TreeWatch tree;
};

using Works = std::map<const Service *, WatchWork>;

class Watch {
 public:
  Watch(const Engine &engine, const Project &project, const WatchOptions &options, Progress &progress)
      : engine_(engine), project_(project), options_(options), progress_(progress) {}
  Status prepare();
  Result<int> run();

 private:
  Status add_rules(const Service &service);
  Status gather(Works &works);
  Result<bool> wait(std::chrono::milliseconds patience);
  Status take_signal();
  Status fulfil(Works works);
  void begin_with_all(Works &works) const;

  const Engine &engine_;
  const Project &project_;
  const WatchOptions &options_;
  Progress &progress_;
  std::vector<Watched> rules_;
  kernel::Fd signals_;
  int signal_ = 0;
};

Status Watch::add_rules(const Service &service) {
  const std::string context = service.build ? service.build->context : "";
  const std::string ignored = context.empty() ? "" : TRY(read_if_there(context + "/.dockerignore"));
  for (const WatchRule &rule : service.watch) {
    if (rule.action == "rebuild" && !service.build) {
      return fail(fmt::format("service {}: a rule of develop.watch says rebuild, and it has no build", service.name),
                  "sync and restart work without");
    }
    const std::string place = fmt::format("service {}: develop.watch: {}", service.name, rule.path);
    WatchFilter filter = TRY(in(place, WatchFilter::make(rule, context, ignored)));
    TreeWatch tree = TRY(in(
        place, TreeWatch::open(rule.path, [filter](const std::string &directory) { return filter.skips(directory); })));
    rules_.push_back({.service = &service, .rule = &rule, .filter = std::move(filter), .tree = std::move(tree)});
  }
  return {};
}

Status Watch::prepare() {
  sigset_t wanted;
  ::sigemptyset(&wanted);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&wanted, signal);
  TRY(kernel::block_signals(wanted));
  signals_ = TRY(kernel::signalfd(wanted, SFD_NONBLOCK));
  for (const std::string &name : options_.services) {
    const Service *service = project_.find(name);
    if (service == nullptr) return fail(ENOENT, fmt::format("watch: service {}", name));
    if (service->watch.empty()) {
      return fail(ENOENT, fmt::format("service {}: it has no develop.watch", name), "name others, or none for all");
    }
  }
  for (const Service &service : project_.services) {
    if (options_.services.empty() || contains(options_.services, service.name)) TRY(add_rules(service));
  }
  if (!rules_.empty()) return {};
  return fail(ENOENT, "watch: no service has a develop.watch", "its rules say what to do with files that change");
}

// False: nothing came. A signal counts as something.
Result<bool> Watch::wait(std::chrono::milliseconds patience) {
  std::vector<pollfd> events = {{signals_.get(), POLLIN, 0}};
  for (const Watched &one : rules_) events.push_back({one.tree.fd().get(), POLLIN, 0});
  const int count = TRY(kernel::poll(events, patience));
  if (events[0].revents != 0) TRY(take_signal());
  return count > 0;
}

Status Watch::take_signal() {
  signalfd_siginfo info{};
  TRY(kernel::read_some(signals_, {reinterpret_cast<char *>(&info), sizeof info}));
  signal_ = static_cast<int>(info.ssi_signo);
  return {};
}

Status Watch::gather(Works &works) {
  const Clock::time_point end = Clock::now() + longest_gathering;
  do {
    for (Watched &one : rules_) {
      for (const std::string &path : TRY(one.tree.read_changes())) {
        if (!one.filter.takes(path)) continue;
        works[one.service].add(*one.rule, one.filter, path, !one.tree.has(path));
      }
    }
  } while (signal_ == 0 && Clock::now() < end && TRY(wait(quiet_time)));
  return {};
}

void Watch::begin_with_all(Works &works) const {
  for (const Watched &one : rules_) {
    if (!one.rule->initial_sync || !one.rule->action.starts_with("sync")) continue;
    WatchRule files_alone = *one.rule;
    files_alone.action = "sync";
    for (const std::string &path : one.tree.files()) {
      if (one.filter.takes(path)) works[one.service].add(files_alone, one.filter, path, false);
    }
  }
}

// In a process of its own: a signal ends us at once, and what is half made the next command sweeps away.
Status Watch::fulfil(Works works) {
  std::erase_if(works, [](const auto &one) { return one.second.changes == 0; });
  if (works.empty()) return {};
  kernel::Child child = TRY(kernel::clone3({}));
  if (child.is_this_process()) {
    bool all = true;
    for (const auto &[service, work] : works) {
      const Status done = do_watch_work(
          {.engine = engine_, .project = project_, .options = options_, .progress = progress_}, *service, work);
      if (!done) cli::report(engine_.log, "skiff-compose", in("watch", done.error()));
      all = all && done;
    }
    ::_exit(all ? 0 : 1);
  }
  std::array<pollfd, 2> events = {{{child.pidfd().get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}}};
  TRY(kernel::poll(events, kernel::forever));
  if (events[1].revents != 0) return take_signal();
  TRY(child.wait());
  return {};
}

Result<int> Watch::run() {
  std::set<std::string> names;
  for (const Watched &one : rules_) names.insert(one.service->name);
  for (const std::string &name : names) progress_.set("Service " + name, "Watching", Mark::done);
  Works works;
  begin_with_all(works);
  while (signal_ == 0) {
    TRY(fulfil(std::exchange(works, {})));
    if (signal_ == 0) TRY(wait(kernel::forever));
    if (signal_ == 0) TRY(gather(works));
  }
  return 128 + signal_;
}

}  // namespace

Result<int> watch_project(const Engine &engine, const Project &project, const WatchOptions &options,
                          Progress &progress) {
  Watch watch(engine, project, options, progress);
  TRY(watch.prepare());
  return watch.run();
}

}  // namespace skiff::compose
