#include "tests/bench/crowd.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <random>

#include "tests/bench/quantile.h"

namespace skiff::bench {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

std::string id_of(int number) { return fmt::format("crowd-{}", number); }

Words words_of(const Stage &stage, const Contestant &contestant, int number, bool stays) {
  if (contestant.is_floor) {
    Words words = {contestant.program};
    words.insert(words.end(), contestant.options.begin(), contestant.options.end());
    words.insert(words.end(), {stage.rootfs(), "/bin/true"});
    return words;
  }
  Words words = {"run"};
  if (stays) words.emplace_back("--detach");
  words.insert(words.end(), {"--bundle", stage.member_bundle(contestant, number), id_of(number)});
  return stage.command(contestant, words);
}

// Runs commands side by side.
class Pool {
 public:
  Pool(const Streams &streams, int at_once) : streams_(streams), at_once_(at_once) {}

  // Errors: the first command that fails, after the others have ended.
  Status run(const std::vector<Words> &commands) {
    Status result;
    for (const Words &words : commands) {
      while (static_cast<int>(running_.size()) >= at_once_) wait_for_one(result);
      if (!result) break;
      const Result<pid_t> pid = spawn(words, streams_);
      if (!pid) result = std::unexpected(pid.error());
      if (pid) running_[*pid] = {Clock::now(), &words};
    }
    while (!running_.empty()) wait_for_one(result);
    return result;
  }

  std::vector<double> each;  // milliseconds of those that have ended

 private:
  struct Running {
    Clock::time_point begin;
    const Words *words = nullptr;
  };

  void wait_for_one(Status &result) {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, 0);
    const auto found = running_.find(pid);
    if (found == running_.end()) return;  // a container whose runtime has ended
    each.push_back(milliseconds_since(found->second.begin));
    if (result && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
      result = fail(fmt::format("`{}` failed: {}", join_words(*found->second.words), streams_.take_errors()));
    }
    running_.erase(found);
  }

  const Streams &streams_;
  int at_once_;
  std::map<pid_t, Running> running_;
};

Status write_members(const Stage &stage, const Contestant &contestant, Bundle which, int count) {
  for (int i = 0; i < count; ++i) TRY(stage.write_member(contestant, which, i));
  return {};
}

Status run_wave(const Stage &stage, Crowded &one, const CrowdSize &size) {
  std::vector<Words> commands;
  for (int i = 0; i < size.started; ++i) commands.push_back(words_of(stage, one.contestant, i, false));
  Pool pool(stage.streams(), size.at_once);
  const Clock::time_point begin = Clock::now();
  TRY(pool.run(commands));
  one.per_second.push_back(size.started * 1000 / milliseconds_since(begin));
  one.each.insert(one.each.end(), pool.each.begin(), pool.each.end());
  return {};
}

Status list_them(const Stage &stage, Crowded &one, int times) {
  const Steps list = {{.words = stage.command(one.contestant, {"list"})}};
  for (int i = 0; i < times; ++i) {
    const Cost cost = TRY(run_steps(list, stage.streams()));
    one.lists.push_back(std::chrono::duration<double, std::milli>(cost.wall).count());
  }
  return {};
}

// All of them, whatever has become of them: the first error is told.
Status remove_members(const Stage &stage, const Contestant &contestant, const CrowdSize &size) {
  std::vector<Words> commands;
  for (int i = 0; i < size.alive; ++i) {
    commands.push_back(stage.command(contestant, {"delete", "--force", id_of(i)}));
  }
  Pool pool(stage.streams(), size.at_once);
  const Status removed = pool.run(commands);
  reap_orphans();
  return removed;
}

Status keep_alive(const Stage &stage, Crowded &one, const CrowdSize &size, const MemoryGroup *group) {
  TRY(write_members(stage, one.contestant, Bundle::resident, size.alive));
  std::vector<Words> commands;
  for (int i = 0; i < size.alive; ++i) commands.push_back(words_of(stage, one.contestant, i, true));
  Pool pool(stage.streams(), size.at_once);
  const std::uint64_t before = group == nullptr ? 0 : TRY(group->usage());
  TRY(pool.run(commands));
  one.alive = size.alive;
  if (group != nullptr) one.kib = static_cast<double>(TRY(group->usage()) - before) / 1024 / size.alive;
  return list_them(stage, one, size.lists);
}

Status measure_alive(const Stage &stage, Crowded &one, const CrowdSize &size) {
  const Result<MemoryGroup> group = MemoryGroup::make(stage.memory_hierarchy());
  if (group) TRY(group->enter());
  const Status kept = keep_alive(stage, one, size, group ? &*group : nullptr);
  if (group) TRY(group->leave());
  const Status removed = remove_members(stage, one.contestant, size);
  return kept ? removed : kept;
}

void note(Crowded &one, const Status &status) {
  if (!status && one.failure.empty()) one.failure = status.error().message();
}

const Crowded *find(const std::vector<Crowded> &all, std::string_view name) {
  const auto found = std::ranges::find_if(all, [&](const Crowded &one) { return one.contestant.name == name; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

std::vector<Crowded> measure_crowds(const Stage &stage, const std::vector<Contestant> &contestants,
                                    const CrowdSize &size, const volatile int &interrupted) {
  std::vector<Crowded> all;
  for (const Contestant &contestant : contestants) {
    all.push_back({.contestant = contestant, .per_second = {}, .each = {}, .kib = {}, .lists = {}, .failure = {}});
    if (!contestant.is_floor) note(all.back(), write_members(stage, contestant, Bundle::passing, size.started));
  }
  std::minstd_rand random;  // seeded with 1, as the rounds of single commands
  for (int wave = 0; wave < size.waves && interrupted == 0; ++wave) {
    std::ranges::shuffle(all, random);
    for (Crowded &one : all) {
      if (one.failure.empty()) note(one, run_wave(stage, one, size));
    }
  }
  std::ranges::sort(all, {}, [&](const Crowded &one) {
    return std::ranges::find(contestants, one.contestant.name, &Contestant::name) - contestants.begin();
  });
  for (Crowded &one : all) {
    if (!one.contestant.is_floor && one.failure.empty() && interrupted == 0) note(one, measure_alive(stage, one, size));
  }
  return all;
}

std::string print_crowds(const std::vector<Crowded> &all, const CrowdSize &size) {
  std::string out = fmt::format(
      "{} containers started {} at a time, {} times; {} alive at once:\n\n"
      "| program | containers/s | to skiff's | p50 ms | p99 ms | KiB each alive | list ms |\n"
      "|---|---:|---:|---:|---:|---:|---:|\n",
      size.started, size.at_once, size.waves, size.alive);
  const Crowded *skiff = find(all, "skiff");
  for (const Crowded &one : all) {
    if (!one.failure.empty()) {
      out += fmt::format("| {} | failed: {} |\n", one.contestant.name, one.failure);
      continue;
    }
    const double rate = quantile(one.per_second, 0.5);
    const bool compared = skiff != nullptr && skiff->failure.empty();
    out +=
        fmt::format("| {} | {:.0f} | {} | {:.1f} | {:.1f} | {} | {} |\n", one.contestant.name, rate,
                    compared ? fmt::format("{:.2f}", rate / quantile(skiff->per_second, 0.5)) : "",
                    quantile(one.each, 0.5), quantile(one.each, 0.99), one.kib ? fmt::format("{:.0f}", *one.kib) : "",
                    one.lists.empty() ? "" : fmt::format("{:.1f}", quantile(one.lists, 0.5)));
  }
  return out;
}

}  // namespace skiff::bench
