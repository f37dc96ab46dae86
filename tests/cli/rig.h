// What a test of the program needs: a busybox bundle of its own, a root directory of its own, and the program run as a
// user runs it. Whatever a test leaves running is deleted with the rig.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/runtime/temporary_directory.h"

namespace skiff::rig {

using Json = nlohmann::json;

struct Outcome {
  int code = -1;  // of the exit, or 128 + the signal
  std::string out;
  std::string err;
};

// Runs a program to its end and keeps what it writes. `input` is its stdin. Not waited for: a child that it leaves
// behind with its stdout, as `create` does.
[[nodiscard]] Outcome run_program(const std::vector<std::string> &words, const std::string &input = "");

// The program under test: $SKIFF, or the one of this build.
[[nodiscard]] std::string program();

class Rig {
 public:
  // A bundle with a busybox rootfs and a config of ours that runs `sh -c true` without a terminal in new pid, mount,
  // ipc, uts, network and cgroup namespaces.
  Rig();
  Rig(const Rig &) = delete;
  Rig &operator=(const Rig &) = delete;
  ~Rig();

  Json config;  // written to config.json by every skiff() call

  [[nodiscard]] std::string bundle() const { return directory_.path() + "/bundle"; }
  [[nodiscard]] std::string rootfs() const { return bundle() + "/rootfs"; }
  [[nodiscard]] std::string root() const { return directory_.path() + "/root"; }
  [[nodiscard]] std::string path(const std::string &name) const { return directory_.path() + "/" + name; }
  [[nodiscard]] std::string cgroup() const { return cgroup_; }  // linux.cgroupsPath
  [[nodiscard]] std::string id() const { return "c"; }          // of the one container that most tests need

  // From here on skiff() runs behind these words (setpriv, say) as that user, whose everything of this rig is now.
  void become(unsigned uid, std::vector<std::string> words);

  // `sh -c script` becomes the process.
  void script(const std::string &text);

  // skiff --root ROOT WORDS...; the working directory is the bundle.
  [[nodiscard]] Outcome skiff(const std::vector<std::string> &words, const std::string &input = "");
  // Writes the script, `run`s it, and returns what came of it.
  [[nodiscard]] Outcome run(const std::string &text);
  // create and start of a container that waits for ever (id()); its pid.
  int start_waiting();
  // state as JSON.
  [[nodiscard]] Json state();
  // What is left of containers: their directories below root(), our cgroups anywhere, mounts below the bundle. Empty is
  // how every test should end.
  [[nodiscard]] std::vector<std::string> leftovers() const;

 private:
  TemporaryDirectory directory_;
  std::string cgroup_;
  std::vector<std::string> as_;
};

// The whole file, or "" where there is none.
[[nodiscard]] std::string read_file(const std::string &path);
void write_file(const std::string &path, const std::string &text);

// Waits until the container's file in the rootfs exists: how a container tells a test how far it is. Polls with
// inotify.
[[nodiscard]] bool wait_for_file(const std::string &path,
                                 std::chrono::milliseconds patience = std::chrono::seconds(20));
// Waits for the end of a process that is no child of ours.
[[nodiscard]] bool wait_for_end(int pid, std::chrono::milliseconds patience = std::chrono::seconds(20));

}  // namespace skiff::rig

// Most of these need root: a container with cgroups and devices.
#define REQUIRE_ROOT() \
  if (::geteuid() != 0) GTEST_SKIP() << "needs root"
