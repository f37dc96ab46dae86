#include "tests/bench/contestants.h"

#include <fmt/format.h>
#include <stdio.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "tests/bench/cases.h"

namespace skiff::bench {
namespace {

std::string version_of(const std::string &program) {
  FILE *output = ::popen((program + " --version 2>&1").c_str(), "re");
  if (output == nullptr) return "?";
  std::string line(200, '\0');
  if (::fgets(line.data(), static_cast<int>(line.size()), output) == nullptr) line.clear();
  (void)::pclose(output);
  return line.substr(0, line.find('\n'));
}

// "runc version 1.1.5+ds1" is runc-1.1.5: also a part of paths.
std::string name_of(const std::string &program, const std::string &version) {
  const std::string name = std::filesystem::path(program).filename();
  const std::size_t begin = version.find_first_of("0123456789");
  if (begin == std::string::npos) return name;
  return fmt::format("{}-{}", name, version.substr(begin, version.find_first_not_of("0123456789.", begin) - begin));
}

int read_pid(const Stage &stage, const Contestant &contestant) {
  const Result<kernel::Fd> file = kernel::open(stage.pid_file(contestant) + "-resident", O_RDONLY);
  const Result<std::string> text = file ? kernel::read_all(*file, 32) : std::unexpected(file.error());
  return text ? static_cast<int>(std::strtol(text->c_str(), nullptr, 10)) : 0;
}

// Those that are not there yet: one of them needs the resident container.
Status write_bundles(const Stage &stage, const Contestant &contestant) {
  for (const Bundle which : {Bundle::seccomp, Bundle::user_namespace, Bundle::bind_mounts, Bundle::joining}) {
    TRY(stage.write(contestant, which, read_pid(stage, contestant)));
  }
  return {};
}

}  // namespace

std::vector<Contestant> find_contestants(const Wish &wish) {
  const char *chosen = std::getenv("SKIFF");
  std::string skiff = chosen != nullptr ? chosen : SKIFF_PROGRAM;
  if (!skiff.contains('/')) skiff = find_on_path(skiff);
  std::vector<Contestant> all = {{.name = "skiff", .program = skiff, .version = version_of(skiff)},
                                 {.name = "floor", .program = FLOOR_PROGRAM, .version = "floor", .is_floor = true}};
  // Its program for the kernel is for cgroup v2 alone.
  if (!wish.host_cgroups) {
    all.push_back({"floor+devices", FLOOR_PROGRAM, "floor with the rules for devices", true, {"--devices"}});
  }
  std::vector<std::string> programs = wish.peers;
  for (const char *name : {"runc", "crun"}) programs.push_back(find_on_path(name));
  for (const std::string &program : programs) {
    if (program.empty()) continue;
    const std::string version = version_of(program);
    const std::string name = name_of(program, version);
    if (std::ranges::find(all, name, &Contestant::name) == all.end())
      all.push_back({.name = name, .program = program, .version = version});
  }
  std::erase_if(all, [&](const Contestant &one) { return !wish.has_contestant(one.name); });
  return all;
}

Result<std::vector<Contestant>> admit(Stage &stage, const std::vector<Contestant> &all) {
  TRY(stage.write_filter());
  std::vector<Contestant> admitted;
  for (const Contestant &contestant : all) {
    if (!contestant.is_floor) {
      TRY(stage.add(contestant));
      const auto started =
          run_steps(start_resident(stage, contestant, stage.pid_file(contestant) + "-resident"), stage.streams());
      if (!started) {
        fmt::print(stderr, "{} is left out: {}\n", contestant.name, started.error().message());
        continue;
      }
      TRY(write_bundles(stage, contestant));
    }
    admitted.push_back(contestant);
  }
  return admitted;
}

int pid_of_resident(const Stage &stage, const std::vector<Contestant> &all) {
  const auto found = std::ranges::find(all, false, &Contestant::is_floor);
  return found == all.end() ? 0 : read_pid(stage, *found);
}

}  // namespace skiff::bench
