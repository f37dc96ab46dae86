// How many system calls each command makes: a figure that does not drift with the machine, so its growth is a mistake
// or a decision. calls.txt holds the figures, a section for each layout of a host they were counted on:
//   SKIFF_RECORD_CALLS=1 build/release/tests/bench/bench_calls_test
// writes the section of this one anew. The commands run on the benchmarks' stage, with its own cgroup v2 mount.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/utsname.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "tests/bench/cases.h"
#include "tests/bench/trace.h"

namespace skiff::bench {
namespace {

using Figures = std::map<std::string, std::uint32_t>;         // by name of the system call
using Section = std::map<std::string, Figures>;               // by command
using Sections = std::map<std::string, Section>;              // by layout
using Counted = std::vector<std::pair<std::string, Traced>>;  // command by command

constexpr double most_growth = 1.05;
constexpr int repetitions = 3;  // a wait that is woken up twice is counted twice, so the least of these counts

std::uint32_t total_of(const Figures &figures) {
  std::uint32_t total = 0;
  for (const auto &[name, count] : figures) total += count;
  return total;
}

std::string first_line(const std::string &path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// What the counts depend on besides the program: kernels differ in their capabilities and in the paths that are masked.
std::string describe_layout() {
  utsname name{};
  ::uname(&name);
  int major = 0;
  int minor = 0;
  (void)::sscanf(name.release, "%d.%d", &major, &minor);
  const std::string controllers = first_line("/sys/fs/cgroup/cgroup.controllers");
  return fmt::format("{}, Linux {}.{}, cgroup v2 {}", name.machine, major, minor,
                     controllers.empty() ? "without controllers" : "with " + controllers);
}

// "[LAYOUT]", below it "COMMAND TOTAL: NAME COUNT NAME COUNT..."; '#' begins a comment.
Sections read_sections() {
  Sections sections;
  Section *section = nullptr;
  std::ifstream file(SKIFF_CALLS_FILE);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('[')) section = &sections[line.substr(1, line.find(']') - 1)];
    if (section == nullptr || line.empty() || line.starts_with('#') || line.starts_with('[')) continue;
    std::istringstream words(line);
    std::string command;
    std::string name;
    std::uint32_t count = 0;
    words >> command >> name;  // the total is there to be read and compared by people
    while (words >> name >> count) (*section)[command][name] = count;
  }
  return sections;
}

void write_sections(const Sections &sections) {
  std::ofstream file(SKIFF_CALLS_FILE);
  file << "# System calls of each command, written by SKIFF_RECORD_CALLS=1: calls_test.cc.\n";
  for (const auto &[layout, section] : sections) {
    file << fmt::format("\n[{}]\n", layout);
    for (const auto &[command, figures] : section) {
      file << fmt::format("{} {}:", command, total_of(figures));
      for (const auto &[name, count] : figures) file << fmt::format(" {} {}", name, count);
      file << "\n";
    }
  }
}

// The steps of create+start+delete, of which one alone is measured.
Steps only(Steps steps, std::size_t measured) {
  for (std::size_t i = 0; i < steps.size(); ++i) steps[i].measured = i == measured;
  return steps;
}

Steps steps_of(std::string_view command, const Stage &stage, const Contestant &skiff) {
  const auto find = [&](std::string_view name) {
    for (const Case &one : all_cases()) {
      if (one.name == name) return make_steps(one, stage, skiff, 0);
    }
    ADD_FAILURE() << "no case " << name;
    return Steps{};
  };
  if (command == "create") return only(find("create+start+delete"), 0);
  if (command == "start") return only(find("create+start+delete"), 1);
  return find(command);
}

Result<Figures> count(const Stage &stage, const Steps &steps) {
  Figures least;
  for (int i = 0; i < repetitions; ++i) {
    const Traced traced = TRY(trace_steps(steps, stage.streams(), stage.busybox()));
    Figures figures;
    for (const auto &[name, calls] : calls_by_count(traced)) figures[name] = calls;
    if (i == 0 || total_of(figures) < total_of(least)) least = figures;
  }
  return least;
}

Result<Section> count_all(Stage &stage) {
  const char *chosen = std::getenv("SKIFF");
  const Contestant skiff{.name = "skiff", .program = chosen != nullptr ? chosen : SKIFF_PROGRAM, .version = ""};
  TRY(stage.add(skiff));
  TRY(run_steps(start_resident(stage, skiff, stage.pid_file(skiff) + "-resident"), stage.streams()));
  Section section;
  for (const char *command : {"run", "create", "start", "exec", "state", "kill", "delete"}) {
    section[command] = TRY(count(stage, steps_of(command, stage, skiff)));
  }
  return section;
}

// The calls that have become more.
std::string describe_growth(const Figures &before, const Figures &now) {
  std::string text;
  for (const auto &[name, count] : now) {
    const auto found = before.find(name);
    const std::uint32_t was = found == before.end() ? 0 : found->second;
    if (count > was) text += fmt::format(" {} {} (was {})", name, count, was);
  }
  return text;
}

TEST(SystemCalls, OfACommandStayWithinATwentiethOfTheirFigure) {
  // Containers outlive the command that made them.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  Result<Stage> stage = Stage::make(false);
  if (!stage) GTEST_SKIP() << stage.error().message();
  Sections sections = read_sections();
  const std::string layout = describe_layout();
  const bool record = std::getenv("SKIFF_RECORD_CALLS") != nullptr;
  if (!record && !sections.contains(layout)) {
    GTEST_SKIP() << "no figures for [" << layout << "]: SKIFF_RECORD_CALLS=1 writes them";
  }
  const Result<Section> counted = count_all(*stage);
  if (!counted && counted.error().message().contains("PTRACE_SEIZE")) GTEST_SKIP() << counted.error().message();
  ASSERT_TRUE(counted) << counted.error().message();
  for (const auto &[command, now] : *counted) {
    ASSERT_GT(total_of(now), 0) << command;
    fmt::print("{} {}\n", command, total_of(now));
    if (record) continue;
    const Figures &before = sections[layout][command];
    EXPECT_LE(total_of(now), total_of(before) * most_growth)
        << command << ": more calls than the " << total_of(before) << " of calls.txt:" << describe_growth(before, now);
  }
  if (!record) return;
  sections[layout] = *counted;
  write_sections(sections);
}

}  // namespace
}  // namespace skiff::bench
