// skiff-compose as a user runs it, in a network and a mount namespace of the test's own, with a state directory and a
// busybox root filesystem of its own. Whatever a test leaves is removed with the rig; nothing may be left then.
#pragma once

#include <string>
#include <vector>

#include "tests/cli/rig.h"

namespace skiff::rig {

class EngineRig {
 public:
  EngineRig();
  EngineRig(const EngineRig &) = delete;
  EngineRig &operator=(const EngineRig &) = delete;
  ~EngineRig();

  // skiff-compose --state STATE WORDS...
  [[nodiscard]] Outcome compose(const std::vector<std::string> &words);
  // `run FLAGS... --rootfs ROOTFS sh -c SCRIPT`; with -d among the flags the id is its output.
  [[nodiscard]] Outcome run(const std::vector<std::string> &flags, const std::string &script);
  [[nodiscard]] Json inspect(const std::string &name);

  // The pids of the processes of this rig, whatever else runs on the machine, whose command line has this word.
  [[nodiscard]] std::vector<int> processes(const std::string &word) const;
  [[nodiscard]] std::string path(const std::string &name) const { return rig_.path(name); }
  [[nodiscard]] std::string state() const { return path("state"); }
  // A directory of the host that containers have as /out: what they write there tells the test how far they are.
  [[nodiscard]] std::string out() const { return path("out"); }
  [[nodiscard]] std::vector<std::string> volume_of_out() const { return {"-v", out() + ":/out"}; }

 private:
  Rig rig_;
};

// Waits, by inotify, until a file of a directory that is there holds exactly this text.
[[nodiscard]] bool wait_for_text(const std::string &directory, const std::string &name, const std::string &text);
// The pids of the processes whose command line has this word.
[[nodiscard]] std::vector<int> processes_with(const std::string &word);

}  // namespace skiff::rig
