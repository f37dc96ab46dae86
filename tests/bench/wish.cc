#include "tests/bench/wish.h"

#include <fmt/format.h>
#include <getopt.h>

#include <algorithm>
#include <cstdlib>

#include "tests/bench/cases.h"

namespace skiff::bench {
namespace {

constexpr const char *usage =
    "usage: compare [--rounds N] [--case NAME]... [--only NAME]... [--peer PROGRAM]... [--host-cgroups] [--untraced]\n"
    "               [--calls] [--json]\n"
    "  --rounds N      how often a command is measured: 300\n"
    "  --case NAME     only this case, and others so named:\n"
    "                  {}, crowds, memory-limits\n"
    "  --only NAME     only this program, and others so named: skiff, floor, floor+devices, runc, crun\n"
    "  --peer PROGRAM  another runtime to compare with\n"
    "  --host-cgroups  with the host's cgroups, instead of a cgroup v2 mount that only this run sees\n"
    "  --untraced      the times alone: no system calls, no memory\n"
    "  --calls         the system calls of each command by name, too\n"
    "  --json          JSON with every single time, instead of the table\n"
    "The runtime is the one built beside this program, or $SKIFF; runc and crun are taken from $PATH, too.\n";

std::unexpected<Error> refuse() {
  std::string names;
  for (const Case &one : all_cases()) names += fmt::format("{}{}", names.empty() ? "" : ", ", one.name);
  return fail(fmt::format(usage, names));
}

bool holds(const std::vector<std::string> &names, std::string_view name) {
  return names.empty() || std::ranges::find(names, name) != names.end();
}

constexpr std::string_view crowds = "crowds";
constexpr std::string_view limits = "memory-limits";

bool is_case(const std::string &name) {
  return name == crowds || name == limits || std::ranges::find(all_cases(), name, &Case::name) != all_cases().end();
}

}  // namespace

bool Wish::has_case(std::string_view name) const { return holds(cases, name); }
bool Wish::has_contestant(std::string_view name) const {
  return holds(only, name) || holds(only, name.substr(0, name.find('-')));
}

Result<Wish> parse_words(int argc, char **argv) {
  Wish wish;
  constexpr option options[] = {{"rounds", required_argument, nullptr, 'r'},
                                {"case", required_argument, nullptr, 'c'},
                                {"only", required_argument, nullptr, 'o'},
                                {"peer", required_argument, nullptr, 'p'},
                                {"host-cgroups", no_argument, nullptr, 'h'},
                                {"untraced", no_argument, nullptr, 'u'},
                                {"calls", no_argument, nullptr, 's'},
                                {"json", no_argument, nullptr, 'j'},
                                {nullptr, 0, nullptr, 0}};
  for (int found = 0; (found = ::getopt_long(argc, argv, "", options, nullptr)) != -1;) {
    if (found == 'r') wish.rounds = static_cast<int>(std::strtol(optarg, nullptr, 10));
    if (found == 'c') wish.cases.emplace_back(optarg);
    if (found == 'o') wish.only.emplace_back(optarg);
    if (found == 'p') wish.peers.emplace_back(optarg);
    if (found == 'h') wish.host_cgroups = true;
    if (found == 'u') wish.untraced = true;
    if (found == 's') wish.calls = true;
    if (found == 'j') wish.json = true;
    if (found == '?') return refuse();
  }
  if (optind != argc || wish.rounds < 1 || !std::ranges::all_of(wish.cases, is_case)) return refuse();
  wish.crowds = wish.has_case(crowds);
  wish.limits = wish.has_case(limits);
  return wish;
}

}  // namespace skiff::bench
