// Which processors a container and an exec run on: config.md, "Linux Process", execCPUAffinity.
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include "tests/cli/background.h"
#include "tests/cli/inside.h"

namespace skiff::rig {
namespace {

constexpr const char *ask = "grep Cpus_allowed_list /proc/self/status | cut -f 2";

// Two processors that the test itself may use, or a reason to skip.
struct Cpus {
  std::vector<std::string> numbers;
  std::string all;
};

Cpus find_cpus() {
  Cpus found;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return found;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) found.numbers.push_back(std::to_string(cpu));
  }
  for (const std::string &line : lines_of(read_file("/proc/self/status"))) {
    if (line.starts_with("Cpus_allowed_list:\t")) found.all = line.substr(line.find('\t') + 1);
  }
  return found;
}

class Affinity : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_ROOT();
    cpus = find_cpus();
    if (cpus.numbers.size() < 2) GTEST_SKIP() << "there is one processor only";
  }
  void TearDown() override { EXPECT_CLEAN(rig); }
  // exec with this execCPUAffinity: what it may use, then what the log says of the start.
  Outcome exec(const Json &affinity) {
    const Json process = {
        {"cwd", "/"}, {"env", {"PATH=/bin"}}, {"args", {"sh", "-c", ask}}, {"execCPUAffinity", affinity}};
    write_file(rig.path("process.json"), process.dump());
    return rig.skiff({"--debug", "--log", rig.path("log"), "exec", "--process", rig.path("process.json"), rig.id()});
  }
  Rig rig;
  Cpus cpus;
};

TEST_F(Affinity, OfTheCallerIsNotTheContainers) {
  rig.script(ask);
  std::vector<std::string> words = {"/usr/bin/taskset", "-c", cpus.numbers[0]};
  for (const std::string &word : command_line(rig, {"run", rig.id()})) words.push_back(word);
  const Outcome outcome = run_program(words);
  EXPECT_EQ(outcome.out, cpus.all + "\n") << outcome.err;
}

TEST_F(Affinity, OfTheCallerIsNotTheExecs) {
  rig.start_waiting();
  std::vector<std::string> words = {"/usr/bin/taskset", "-c", cpus.numbers[0]};
  for (const std::string &word : command_line(rig, {"exec", rig.id(), "sh", "-c", ask})) words.push_back(word);
  const Outcome outcome = run_program(words);
  EXPECT_EQ(outcome.out, cpus.all + "\n") << outcome.err;
  (void)rig.skiff({"delete", "--force", rig.id()});
}

TEST_F(Affinity, InitialIsForTheRuntimeAndWhatItStarts) {
  rig.start_waiting();
  EXPECT_EQ(exec({{"initial", cpus.numbers[1]}}).out, cpus.numbers[1] + "\n");
  const unsigned long mask = 1UL << std::stoul(cpus.numbers[1]);
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), ": affinity: 0x%lx\"", mask);
  EXPECT_NE(read_file(rig.path("log")).find(text.data()), std::string::npos) << read_file(rig.path("log"));
  (void)rig.skiff({"delete", "--force", rig.id()});
}

TEST_F(Affinity, FinalIsForTheProgram) {
  rig.start_waiting();
  EXPECT_EQ(exec({{"initial", cpus.numbers[0]}, {"final", cpus.numbers[1]}}).out, cpus.numbers[1] + "\n");
  EXPECT_EQ(exec({{"final", cpus.numbers[0]}}).out, cpus.numbers[0] + "\n");
  (void)rig.skiff({"delete", "--force", rig.id()});
}

TEST_F(Affinity, AProcessorThatIsNotThereIsNamed) {
  rig.start_waiting();
  const Outcome outcome = exec({{"final", "4095"}});
  EXPECT_EQ(outcome.code, 255);
  EXPECT_NE(outcome.err.find("process.execCPUAffinity.final: sched_setaffinity(0, \"4095\")"), std::string::npos)
      << outcome.err;
  (void)rig.skiff({"delete", "--force", rig.id()});
}

}  // namespace
}  // namespace skiff::rig
