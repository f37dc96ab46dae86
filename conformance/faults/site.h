// Where one worker tries its faults: a bundle, the runtime's root directory, the container "one" that commands are for,
// and "beside", which runs all the time and must not notice.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "conformance/faults/tracer.h"
#include "conformance/stage.h"

namespace skiff::conformance {

// Of a command in which nothing fails: a busy machine is no finding.
inline constexpr std::chrono::milliseconds undisturbed_patience{60'000};

// What is seen of a container: names of facts and their values.
using Facts = std::map<std::string, std::string>;

// What is tried: a runtime, or a program that stands above one.
enum class Family : std::uint8_t { runtime, image, compose };
[[nodiscard]] Family family_of(const Runtime &runtime);  // by its name

// A program that has nothing to do with what is tried, to its end.
[[nodiscard]] Result<Outcome> call_to_end(const std::vector<std::string> &words, std::chrono::milliseconds patience);

class Site {
 public:
  // The process must be a reaper (PR_SET_CHILD_SUBREAPER) without other children, in a mount namespace of its own.
  static Result<Site> make(const Runtime &runtime, Stage::Place place, std::chrono::milliseconds patience);

  [[nodiscard]] std::string id() const { return "one"; }
  [[nodiscard]] std::string bundle() const { return stage_.bundle(); }
  [[nodiscard]] std::string path(std::string_view name) const { return stage_.path(name); }
  [[nodiscard]] std::string cgroup() const { return stage_.cgroup() + "/one"; }

  // config.json of "one", whose process is `/inside WORDS...`.
  [[nodiscard]] Status configure(const std::vector<std::string> &words);
  // RUNTIME --root DIR WORDS..., not yet run; of another family with its own global flags.
  [[nodiscard]] Order order(const std::vector<std::string> &words) const;
  // The same, to its end.
  [[nodiscard]] Result<Outcome> call(const std::vector<std::string> &words);
  // The same of another program of ours, which lies beside this one or, where they are built, in that folder.
  [[nodiscard]] Result<Outcome> call_beside(const std::string &program, const std::string &folder,
                                            const std::vector<std::string> &words);
  // call, and an error unless it succeeds.
  [[nodiscard]] Status succeed(const std::vector<std::string> &words);
  // An image registry on loopback, "127.0.0.1:PORT"; empty: there is none.
  void set_registry(std::string address) { registry_ = std::move(address); }
  [[nodiscard]] const std::string &registry() const { return registry_; }
  // What the command that is tried, and the container, wrote since this was asked last.
  [[nodiscard]] std::string take_out();
  [[nodiscard]] std::string take_err();
  void forget_output();

  [[nodiscard]] Result<Tree> state();  // of "one"
  [[nodiscard]] Result<int> pid();     // of its state; none of a stopped container
  // Waits for the end of a process of a container.
  [[nodiscard]] Status wait_for_end(int pid);
  // Waits until the program of "one" has written a line.
  [[nodiscard]] Result<Tree> wait_for_line();
  // The limits and the freezer of a cgroup.
  [[nodiscard]] Facts cgroup_facts(const std::string &cgroup) const;
  // What hooks of "one" wrote, a word a line.
  [[nodiscard]] std::vector<std::string> hook_tags() const;

  // What there is of "one": processes, cgroups, mounts, files. Waits a little for processes that are about to end.
  [[nodiscard]] std::vector<std::string> remains();
  // `delete --force`.
  [[nodiscard]] Result<Outcome> remove();
  // Removes what remains by force.
  void sweep();
  // From here on any other file counts as left over.
  void note_files();
  // Why "beside" is not what it was; empty: it is.
  [[nodiscard]] std::string harm();
  // Another one in its place.
  [[nodiscard]] Status replace_beside();

 private:
  Site(Stage stage, const Runtime &runtime, std::chrono::milliseconds patience)
      : stage_(std::move(stage)), runtime_(&runtime), patience_(patience) {}
  Status start_beside();
  Result<Outcome> finish_order(Order order);
  [[nodiscard]] std::vector<std::string> orphans() const;
  void reap_orphans(std::chrono::milliseconds patience);

  Stage stage_;
  const Runtime *runtime_;
  std::chrono::milliseconds patience_;
  // Pipes without names: CRIU takes no file that a container has of the host's.
  kernel::Pipe out_;  // of the commands that are tried, and of containers
  kernel::Pipe err_;
  kernel::Pipe answer_;  // of all other commands
  kernel::Pipe answer_err_;
  int beside_ = 0;
  kernel::Fd beside_pidfd_;
  std::string beside_mounts_;
  Facts beside_facts_;
  std::vector<std::string> files_;
  std::vector<std::string> mounts_;
  std::vector<std::string> network_;
  std::string registry_;
};

}  // namespace skiff::conformance
