#include "conformance/attacks/attack.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "conformance/attacks/image.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/prctl.h"
#include "runtime/kernel/socket.h"

namespace skiff::conformance {
namespace {

constexpr mode_t mode_of_victim = 0640;
constexpr uid_t owner_of_victim = 7;

std::optional<Tree> refused(Stage &stage, std::string_view command, const Outcome &outcome) {
  stage.note(fmt::format("{} refuses: {}", command, last_line(outcome.err)));
  return std::nullopt;
}

Result<std::optional<Tree>> start_and_look(Stage &stage) {
  const Outcome started = TRY(stage.call({"start", stage.id()}));
  if (started.code != 0) return refused(stage, "start", started);
  Tree seen = TRY(stage.line());
  stage.note("the container runs, and the attack had no effect");
  return std::optional(std::move(seen));
}

}  // namespace

std::vector<Case> attacks_on(std::string_view name) {
  if (is_unpacker(name)) return {image_attacks().begin(), image_attacks().end()};
  if (is_compose(name)) return {compose_attacks().begin(), compose_attacks().end()};
  std::vector<Case> all;
  for (const std::span<const Case> table :
       {exec_attacks(), proc_attacks(), mount_attacks(), device_attacks(), race_attacks(), bundle_attacks()}) {
    all.insert(all.end(), table.begin(), table.end());
  }
  return all;
}

std::span<const Unstaged> unstaged_attacks(std::string_view name) {
  static constexpr Unstaged on_unpackers[] = {
      {"CVE-2023-25153", "images without end: what ends them are limits, which the others do not have"},
      {"CVE-2021-41190", "a manifest that is an index as well: the tests of the parser have it"},
      {"CVE-2020-15157", "credentials that go elsewhere: needs a registry; the tests of skiff-image have one"},
  };
  if (is_unpacker(name)) return on_unpackers;
  static constexpr Unstaged on_compose[] = {
      {"CVE-2019-14271", "libraries of the container in who copies: `ComposeCpAttack` of the program's tests has it"},
  };
  if (is_compose(name)) return on_compose;
  static constexpr Unstaged all[] = {
      {"CVE-2025-24965", "crun's handler for krun has it; no other runtime reads that file, and it needs libkrun"},
      {"CVE-2025-65105", "labels that land elsewhere need a kernel with AppArmor or SELinux: `make vm-test` has those"},
      {"CVE-2014-8989", "the kernel's since 3.19; `Cve_2014_8989` of the program's tests runs as an ordinary user"},
      {"CVE-2022-27649", "the engine's: its default set of capabilities. The runtime's side is CVE-2022-29162"},
      {"GHSA-xr7r (youki)", "the same file and way as CVE-2019-5736"},
  };
  return all;
}

Result<Victim> Victim::make(const Stage &stage, const std::string &name) {
  Victim victim(stage.path(name));
  TRY(make_directory(victim.directory()));
  TRY(write_file(victim.file(), text));
  TRY(kernel::fchmodat(kernel::cwd, victim.file(), mode_of_victim));
  TRY(kernel::fchownat(kernel::cwd, victim.file(), owner_of_victim, owner_of_victim));
  return victim;
}

Status Victim::mirror_in(const Stage &stage) const {
  const kernel::Fd root = TRY(kernel::open(stage.rootfs(), O_PATH | O_DIRECTORY));
  TRY(kernel::make_directory_in_root(root, directory_, 0755));
  return {};
}

Verdict Victim::untouched() const {
  const kernel::Fd opened = TRY(kernel::open(directory_, O_RDONLY | O_DIRECTORY));
  for (const std::string &name : TRY(kernel::list_directory(opened))) {
    if (name != "file") return miss(fmt::format("\"{}\" was made on the host", name));
  }
  const Result<struct stat> found = kernel::fstatat(opened, "file", AT_SYMLINK_NOFOLLOW);
  if (!found) return miss("a file of the host was removed");
  if (!S_ISREG(found->st_mode)) return miss("a file of the host was replaced");
  if ((found->st_mode & 07777U) != mode_of_victim) return miss("a file of the host has another mode");
  if (found->st_uid != owner_of_victim || found->st_gid != owner_of_victim) {
    return miss(fmt::format("a file of the host was given to {}:{}", found->st_uid, found->st_gid));
  }
  const struct stat directory = TRY(kernel::fstatat(opened, "", AT_EMPTY_PATH));
  if ((directory.st_mode & 07777U) != 0755 || directory.st_uid != 0)
    return miss("a directory of the host has another mode or owner");
  if (TRY(read_file(file())) != text) return miss("a file of the host was written to");
  return {};
}

std::string last_line(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  return std::string(text.substr(text.rfind('\n') + 1));
}

Result<std::optional<Tree>> attempt(Stage &stage) {
  const Outcome created = TRY(stage.create());
  if (created.code != 0) return refused(stage, "create", created);
  return start_and_look(stage);
}

Result<std::optional<Tree>> attempt_by_run(Stage &stage) {
  TRY(stage.save());
  const Outcome outcome = TRY(stage.call({"run", "--bundle", stage.bundle(), stage.id()}));
  if (outcome.code != 0) {
    TRY(end_attempt(stage));
    return refused(stage, "run", outcome);
  }
  return std::optional(TRY(in("the container's output", Tree::parse(outcome.out))));
}

Result<std::optional<Tree>> attempt_on_terminal(Stage &stage) {
  stage.config.set("/process/terminal", true);
  const std::string path = stage.path("console");
  (void)kernel::unlinkat(kernel::cwd, path);
  const kernel::Fd listener = TRY(kernel::listen_unix(kernel::cwd, path, SOCK_STREAM, 1));
  TRY(stage.save());
  const Outcome run =
      TRY(stage.call({"run", "--detach", "--bundle", stage.bundle(), "--console-socket", path, stage.id()}));
  if (run.code != 0) return refused(stage, "run", run);
  constexpr std::chrono::milliseconds patience{5000};
  if (!TRY(kernel::wait_readable(listener, std::min(patience, left(stage.deadline()))))) {
    return fail("no terminal came over --console-socket");
  }
  const kernel::Fd connection = TRY(kernel::accept4(listener));
  const std::optional<kernel::Message> message = TRY(kernel::recv_message(connection, 65536, 4));
  if (!message || message->fds.size() != 1) return fail("--console-socket brought no descriptor, or several");
  std::string buffer;
  Tree seen = TRY(Tree::parse(TRY(read_line(message->fds.front(), buffer, stage.deadline()))));
  stage.note("the container runs, and the attack had no effect");
  return std::optional(std::move(seen));
}

Status end_attempt(Stage &stage) {
  TRY(stage.call({"delete", "--force", stage.id()}));
  // Its process is ours now: ten thousand of them would be more than there are pids.
  for (Result<std::optional<kernel::ExitStatus>> ended = kernel::waitpid_any(WNOHANG); ended && *ended;) {
    ended = kernel::waitpid_any(WNOHANG);
  }
  return {};
}

Result<std::optional<Outcome>> call_for(Stage &stage, const std::vector<std::string> &words,
                                        std::chrono::milliseconds time) {
  const Clock::time_point until = Clock::now() + time;
  Result<Outcome> outcome = stage.call(words, kernel::no_fd, until);
  if (!outcome && Clock::now() >= until && until < stage.deadline()) return std::optional<Outcome>();
  return std::optional(TRY(std::move(outcome)));
}

void leave_dev_to_the_image(Stage &stage) {
  Tree kept = "[]"_json;
  for (const Tree::Member &mount : stage.config.find("/mounts")->members()) {
    if (!mount.value.text("/destination").starts_with("/dev")) kept.set("/-", mount.value);
  }
  stage.config.set("/mounts", std::move(kept));
}

void add_mount(Stage &stage, const std::string &destination, const std::string &type, const std::string &source,
               const std::vector<std::string> &options) {
  Tree mount = "{}"_json;
  mount.set("/destination", destination);
  mount.set("/type", type);
  mount.set("/source", source);
  for (const std::string &option : options) mount.set("/options/-", option);
  stage.config.set("/mounts/-", std::move(mount));
}

Status make_link(const std::string &target, const std::string &path) {
  return kernel::symlinkat(target, kernel::cwd, path);
}

Result<int> leak_directory(const std::string &directory) {
  constexpr int lowest = 12;
  const kernel::Fd opened = TRY(kernel::open(directory, O_RDONLY | O_DIRECTORY));
  // Not onto a number of our choice: a descriptor of the judge may have it, as the pipe for the verdict has.
  const int number = ::fcntl(opened.get(), F_DUPFD, lowest);
  if (number < 0) return fail(errno, "fcntl(F_DUPFD)");
  return number;
}

Result<Exchanger> Exchanger::start(const std::vector<NamePair> &pairs) {
  kernel::Child child = TRY(kernel::clone3({}));
  if (child.is_this_process()) {
    (void)kernel::set_pdeathsig(SIGKILL);
    while (true) {
      for (const NamePair &pair : pairs) {
        (void)::renameat2(AT_FDCWD, pair.one.c_str(), AT_FDCWD, pair.other.c_str(), RENAME_EXCHANGE);
      }
    }
  }
  return Exchanger(std::move(child));
}

}  // namespace skiff::conformance
