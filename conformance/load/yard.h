// Where one worker of the load keeps its containers: a bundle of its own, and the root directory that all workers
// share.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "conformance/stage.h"

namespace skiff::conformance {

struct YardPlace {
  const Runtime *runtime = nullptr;
  std::string directory;                 // of all workers: the shared root is in it
  std::string program;                   // the observing program, in that directory
  std::string cgroup;                    // of all workers
  std::string name;                      // of this worker
  std::chrono::milliseconds patience{};  // of one command
};

class Yard {
 public:
  // The process must be a reaper without other children.
  static Result<Yard> make(YardPlace place);

  // RUNTIME --root ROOT WORDS..., to its end. Its stdout is the answer, of create and run the container's.
  [[nodiscard]] Result<Outcome> call(const std::vector<std::string> &words);
  // An error unless it succeeds.
  [[nodiscard]] Status succeed(const std::vector<std::string> &words);

  // create of a container that runs `/inside PROGRAM...`.
  [[nodiscard]] Result<Outcome> create(const std::string &id, const std::vector<std::string> &program);
  [[nodiscard]] Status created(const std::string &id, const std::vector<std::string> &program);
  // Of the last container of that id that was created here.
  [[nodiscard]] int pid(const std::string &id) const;
  // Waits until its init has ended, and reaps it.
  [[nodiscard]] Status wait_for_end(const std::string &id);
  // Waits for the line by which `/inside wait` tells that it takes signals.
  [[nodiscard]] Status wait_for_line(const std::string &id);
  // That of `state`; "" where there is no container.
  [[nodiscard]] Result<std::string> status(const std::string &id);
  // delete, and forgets it.
  [[nodiscard]] Status removed(const std::string &id);

 private:
  struct Init {
    int pid = 0;
    kernel::Fd pidfd;
    kernel::Pipe out;
    std::string text;
  };
  Yard(Stage stage, YardPlace place) : stage_(std::move(stage)), place_(std::move(place)) {}
  Result<Outcome> run(const std::vector<std::string> &words, kernel::FdView output);

  Stage stage_;
  YardPlace place_;
  std::map<std::string, Init> inits_;
};

// What there is of containers in that directory and cgroup: entries of the root, cgroups, mounts. Workers are gone.
[[nodiscard]] std::vector<std::string> find_leavings(const std::string &directory, const std::string &cgroup);

}  // namespace skiff::conformance
