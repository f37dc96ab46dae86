// An attack is a case whose bundle or container does what a published one did. It passes where the runtime withstood;
// it fails where the attack succeeded, which is seen of its effect and not of an exit code.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/case.h"
#include "conformance/stage.h"

namespace skiff::conformance {

// Every attack on what a RUNTIME of that name is: an OCI runtime, one that unpacks images, or one with docker's
// commands. The clauses are the names under which it is known.
[[nodiscard]] std::vector<Case> attacks_on(std::string_view name);
[[nodiscard]] bool is_compose(std::string_view name);
// What was published and is not staged here.
struct Unstaged {
  std::string_view name;
  std::string_view reason;
};
[[nodiscard]] std::span<const Unstaged> unstaged_attacks(std::string_view name);

[[nodiscard]] std::span<const Case> bundle_attacks();
[[nodiscard]] std::span<const Case> compose_attacks();
[[nodiscard]] std::span<const Case> device_attacks();
[[nodiscard]] std::span<const Case> exec_attacks();
[[nodiscard]] std::span<const Case> image_attacks();
[[nodiscard]] std::span<const Case> mount_attacks();
[[nodiscard]] std::span<const Case> proc_attacks();
[[nodiscard]] std::span<const Case> race_attacks();

// A directory on the host with one file, of which nothing may change. The file's text is in nothing else.
class Victim {
 public:
  static Result<Victim> make(const Stage &stage, const std::string &name = "victim");

  [[nodiscard]] const std::string &directory() const { return directory_; }
  [[nodiscard]] std::string file() const { return directory_ + "/file"; }
  // A directory of the same path in the rootfs, for links that resolve inside.
  [[nodiscard]] Status mirror_in(const Stage &stage) const;
  // A success of the attack where the file has another text, mode or owner, or the directory another mode, owner or
  // entry.
  [[nodiscard]] Verdict untouched() const;

  static constexpr std::string_view text = "of the host, and of nobody else\n";

 private:
  explicit Victim(std::string directory) : directory_(std::move(directory)) {}
  std::string directory_;
};

// The last line says what a refusal is about; Go's programs put theirs into a message of logs.
[[nodiscard]] std::string last_line(std::string_view text);

// create, start, and the line that the program prints. Nothing where the runtime refuses; the stage notes why.
[[nodiscard]] Result<std::optional<Tree>> attempt(Stage &stage);
// The same by `run`, of which nothing stays: for what is tried very often.
[[nodiscard]] Result<std::optional<Tree>> attempt_by_run(Stage &stage);
// run --detach with a terminal whose other side the judge holds.
[[nodiscard]] Result<std::optional<Tree>> attempt_on_terminal(Stage &stage);
// `delete --force`, so that the next attempt finds its id free, and its process reaped.
[[nodiscard]] Status end_attempt(Stage &stage);
// A command that may hang: nothing where it does not end in this time. It is killed then.
[[nodiscard]] Result<std::optional<Outcome>> call_for(Stage &stage, const std::vector<std::string> &words,
                                                      std::chrono::milliseconds time);

// The entries of `mounts` at /dev and below go: the image's own stays.
void leave_dev_to_the_image(Stage &stage);
void add_mount(Stage &stage, const std::string &destination, const std::string &type, const std::string &source,
               const std::vector<std::string> &options = {});
[[nodiscard]] Status make_link(const std::string &target, const std::string &path);
// Opens it in every runtime that is called from now on: what a caller forgot to close. Its number there, the first free
// one from 12: those below are what runtimes open themselves.
[[nodiscard]] Result<int> leak_directory(const std::string &directory);

// Two names of one filesystem.
struct NamePair {
  std::string one;
  std::string other;
};

// Exchanges the two names of each pair, one pair after the other, for as long as it lives: what another container that
// shares a volume can do.
class Exchanger {
 public:
  static Result<Exchanger> start(const std::vector<NamePair> &pairs);

 private:
  explicit Exchanger(kernel::Child child) : child_(std::move(child)) {}
  kernel::Child child_;
};

}  // namespace skiff::conformance
