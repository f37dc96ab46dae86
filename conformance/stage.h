// What a case acts on: a bundle of its own whose rootfs holds the observing program and nothing else, and the runtime
// under test, called as an engine calls it. Everything that a case leaves goes away with the stage.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "conformance/case.h"
#include "conformance/command.h"
#include "conformance/tree.h"

namespace skiff::conformance {

// A runtime's command line without its operation: "/usr/bin/crun --cgroup-manager=cgroupfs".
struct Runtime {
  std::string name;  // in reports
  std::vector<std::string> words;
};

// How the container's process ended.
using Ending = std::optional<kernel::ExitStatus>;

class Stage {
 public:
  struct Place {
    std::string directory;  // of this stage, made by it; 0711 all the way down, for users that a namespace maps
    std::string program;    // the observing program, on the same filesystem
    std::string cgroup;     // cgroupsPath, below a group of the judge's own
    Clock::time_point deadline;
    std::string_view variant;
    unsigned tries = 1;
  };
  // Makes the bundle. The process must be a reaper (PR_SET_CHILD_SUBREAPER) for ended() to learn how, and must have no
  // other children.
  static Result<Stage> make(const Runtime &runtime, Place place);

  Stage(Stage &&) = default;
  Stage &operator=(Stage &&) = delete;
  ~Stage() = default;

  // Written to config.json by create(). At first: `/inside observe` as root with three capabilities, proc and a usual
  // /dev, in new pid, mount, ipc, uts, network and cgroup namespaces, in a cgroup of its own.
  Tree config;

  [[nodiscard]] const Runtime &runtime() const { return runtime_; }
  [[nodiscard]] std::string id() const { return "one"; }
  [[nodiscard]] std::string bundle() const { return place_.directory + "/bundle"; }
  [[nodiscard]] std::string rootfs() const { return bundle() + "/rootfs"; }
  [[nodiscard]] std::string path(std::string_view name) const { return place_.directory + "/" + std::string(name); }
  [[nodiscard]] std::string program() const { return place_.program; }  // on the host
  [[nodiscard]] std::string cgroup() const { return place_.cgroup; }
  [[nodiscard]] std::string_view variant() const { return place_.variant; }
  [[nodiscard]] Clock::time_point deadline() const { return place_.deadline; }
  [[nodiscard]] unsigned wanted_tries() const { return place_.tries; }  // of a race
  [[nodiscard]] Result<std::string> binary_bytes() const;

  // What a pass rests on: the report gives the last one.
  void note(std::string text) { note_ = std::move(text); }
  [[nodiscard]] const std::string &noted() const { return note_; }
  // How often something that may happen or not was tried.
  void count_tries(unsigned more) { tries_ += more; }
  [[nodiscard]] unsigned tries() const { return tries_; }
  // From here on the runtime is run from a copy that nobody else runs.
  [[nodiscard]] Status copy_binary();

  // `/inside MODE WORDS...` becomes the process.
  void inside(std::string_view mode, const std::vector<std::string> &words = {});
  // Writes config.json as it is now.
  [[nodiscard]] Status save() const;

  // RUNTIME --root DIR WORDS... to its end, or to that time where it comes before the deadline.
  [[nodiscard]] Result<Outcome> call(const std::vector<std::string> &words, kernel::FdView input = kernel::no_fd,
                                     Clock::time_point until = Clock::time_point::max());
  // The program with these words alone, in that directory: for what is no runtime.
  [[nodiscard]] Result<Outcome> call_alone(const std::vector<std::string> &words, const std::string &directory) const;
  // save, then `create --bundle BUNDLE WORDS... ID`; the container's output is read by line() and observed().
  [[nodiscard]] Result<Outcome> create(const std::vector<std::string> &words = {});
  // The same with an error where the runtime refuses, and the container's pid taken for ended().
  [[nodiscard]] Status created(const std::vector<std::string> &words = {});
  [[nodiscard]] Status started();                                       // created, then start
  [[nodiscard]] Status succeed(const std::vector<std::string> &words);  // call, and an error unless it succeeds

  [[nodiscard]] Result<Tree> state();
  [[nodiscard]] Result<int> pid();  // of the state
  // The next line of the container's output, as JSON.
  [[nodiscard]] Result<Tree> line();
  // started, then the line that the program prints.
  [[nodiscard]] Result<Tree> observed();
  // Waits for the end of the container's process. Nothing in it: somebody else has reaped it.
  [[nodiscard]] Result<Ending> ended();

  // `delete --force` of every container, and whatever survives that: processes, cgroups, mounts, files. The error says
  // what a good runtime would not have left.
  Status clear();

 private:
  Stage(Runtime runtime, Place place) : runtime_(std::move(runtime)), place_(std::move(place)) {}

  Runtime runtime_;
  Place place_;
  std::string note_;
  unsigned tries_ = 0;
  kernel::Fd out_;  // of the container
  kernel::Fd err_;
  std::string lines_;
  kernel::Fd pidfd_;
};

// A refusal: create, or the start after it, ends with an error, for whatever reason. The text says what was accepted.
[[nodiscard]] Verdict expect_refused(Stage &stage, std::string_view what);
// The command ends with an error.
[[nodiscard]] Verdict expect_failure(Stage &stage, const std::vector<std::string> &words);
[[nodiscard]] Verdict expect_status(Stage &stage, std::string_view status);

// ---- what the container saw ----

// The N-th probe's result; a kernel error number where it failed.
[[nodiscard]] std::int64_t probe_errno(const Tree &seen, std::size_t index);
[[nodiscard]] const Tree *probe_value(const Tree &seen, std::size_t index);
// The last mount on that destination; nullptr: none.
[[nodiscard]] const Tree *mount_at(const Tree &seen, std::string_view destination);

// ---- files on the host ----

[[nodiscard]] Status write_file(const std::string &path, std::string_view text, mode_t mode = 0644);
[[nodiscard]] Result<std::string> read_file(const std::string &path);
[[nodiscard]] Status make_directory(const std::string &path);
[[nodiscard]] bool exists(const std::string &path);
// The link of a namespace: "net:[4026531833]".
[[nodiscard]] Result<std::string> namespace_of(std::string_view pid, std::string_view name);

}  // namespace skiff::conformance
