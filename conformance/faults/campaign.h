// Every fault of every command, several sites at a time.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "conformance/faults/trial.h"

namespace skiff::conformance {

struct Point {
  const Scene *scene = nullptr;
  Injection injection;

  // "create 0/openat#3 EIO", "start 1/read#0 kill": how a point is told, and chosen.
  [[nodiscard]] std::string name() const;
};

// Of the kill points, or of the error points, of one command.
struct Tally {
  std::uint32_t tried = 0;
  std::uint32_t missed = 0;  // this time the command made no such call
  std::array<std::uint32_t, flaw_count> flaws{};
};

struct CampaignRequest {
  const Runtime *runtime = nullptr;
  std::string directory;  // of its own, made by the caller: each site gets one below it
  std::string program;    // the observing program, in that directory
  std::string cgroup;     // each site gets one below it
  std::string registry;   // an image registry's address; empty: there is none
  unsigned jobs = 1;
  std::uint32_t sample = 0;           // that many points, spread evenly; 0: all
  std::vector<std::string> commands;  // names of scenes; empty: all
  std::vector<std::string> points;    // only points whose name has one of these in it; empty: all
  std::chrono::milliseconds patience{};
  bool unified = false;  // cgroup v2 alone is to be seen, without controllers where v1 has them
};

struct Tallies {
  std::map<std::string, std::array<Tally, 2>, std::less<>> by_command;  // kills, errors
  std::map<std::string, std::string> untried;                           // commands that fail without a fault, and why

  [[nodiscard]] std::array<Tally, 2> total() const;
};

// `told` hears of each complaint as soon as it is known: the point's name with the call's path, and the complaint.
[[nodiscard]] Result<Tallies> run_campaign(const CampaignRequest &request,
                                           const std::function<void(const std::string &, const Complaint &)> &told);

}  // namespace skiff::conformance
