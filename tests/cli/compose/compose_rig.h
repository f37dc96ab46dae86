// skiff-compose as a user runs it: a state directory and an image store of its own, and "busybox" in the store.
#pragma once

#include <string>
#include <vector>

#include "tests/cli/rig.h"

namespace skiff::rig {

class ComposeRig {
 public:
  ComposeRig();
  ComposeRig(const ComposeRig &) = delete;
  ComposeRig &operator=(const ComposeRig &) = delete;
  ~ComposeRig();

  // skiff-compose --state STATE --store STORE WORDS...
  [[nodiscard]] Outcome compose(const std::vector<std::string> &words, const std::string &input = "") const;
  // The words of that, for who starts it otherwise.
  [[nodiscard]] std::vector<std::string> words(const std::vector<std::string> &words) const;
  // `run -d --network none FLAGS... busybox sh -c SCRIPT`; its id.
  [[nodiscard]] std::string start(const std::vector<std::string> &flags, const std::string &script) const;
  // The one object of `inspect NAME`.
  [[nodiscard]] Json inspect(const std::string &name) const;
  // DATA/containers/ID/run.json
  [[nodiscard]] Json run_record(const std::string &name) const;
  // "sh -c" that stays until SIGTERM, and says "ready" once it would hear it.
  [[nodiscard]] static std::string waiting();
  // Waits until the container's log has this text.
  [[nodiscard]] bool wait_for_log(const std::string &name, const std::string &text) const;

  [[nodiscard]] std::string path(const std::string &name) const { return rig_.path(name); }
  [[nodiscard]] std::string state() const { return path("state"); }
  // Containers, names, mounts, cgroups, sockets that are still there: how every test should end is without.
  [[nodiscard]] std::vector<std::string> leftovers() const;

 private:
  Rig rig_;
};

}  // namespace skiff::rig
