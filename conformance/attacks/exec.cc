// Attacks on the process that enters a container, and on what it brings in.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>

#include "conformance/attacks/attack.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"
#include "runtime/kernel/tty.h"

namespace skiff::conformance {
namespace {

constexpr int execs = 20;

// The container is a spy; `words` are executed in it again and again.
Result<Tree> spied(Stage &stage, const std::vector<std::string> &words) {
  stage.inside("spy", {"/work/end"});
  TRY(stage.started());
  for (int i = 0; i < execs; ++i) (void)TRY(stage.call(words));
  TRY(write_file(stage.rootfs() + "/work/end", ""));
  return stage.line();
}

Verdict expect_nothing_in(const Tree &seen, std::string_view what) {
  const std::vector<std::string> got = seen.texts(fmt::format("/{}", what));
  if (got.empty()) return {};
  return miss(fmt::format("a process of the container got hold of the runtime's {}: {}", what, fmt::join(got, ", ")));
}

Verdict descriptors_of_exec(Stage &stage) {
  const Tree seen = TRY(spied(stage, {"exec", stage.id(), "/inside", "exit", "0"}));
  for (const char *what : {"traced", "descriptors", "directories"}) TRY(expect_nothing_in(seen, what));
  if (seen.number("/met").value_or(0) == 0) return skip("no exec was met before it was the image's program");
  stage.note(fmt::format("the runtime was met {} times and showed nothing", seen.text("/met")));
  return {};
}

// What is executed is the runtime's own program, from which an image may take a descriptor and keep it.
Verdict program_of_exec(Stage &stage) {
  TRY(stage.copy_binary());
  const std::string before = TRY(stage.binary_bytes());
  const Tree seen = TRY(spied(stage, {"exec", stage.id(), "/proc/self/exe", "--version"}));
  TRY(expect_nothing_in(seen, "writable"));
  if (TRY(stage.binary_bytes()) != before) return miss("the runtime's program was overwritten");
  if (seen.number("/caught").value_or(0) == 0) return skip("no program of the runtime's could be opened at all");
  stage.note(fmt::format("{} programs were opened, none for writing", seen.text("/caught")));
  return {};
}

// Whether the program, wherever its working directory is, sees the victim there.
Verdict expect_not_in(const Tree &seen, const std::string &cwd) {
  if (probe_errno(seen, 0) != 0 || probe_value(seen, 0)->text() != Victim::text) return {};
  return miss(fmt::format("with \"{}\" the program works in a directory of the host", cwd));
}

Verdict cwd_is_leaked(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  const int leaked = TRY(leak_directory(victim.directory()));
  const bool by_link = stage.variant() == "link";
  stage.inside("observe", {"read:file"});
  for (int number = 3; number <= leaked; ++number) {
    const std::string path = fmt::format("/proc/self/fd/{}", number);
    if (by_link) {
      (void)kernel::unlinkat(kernel::cwd, stage.rootfs() + "/work/link");
      TRY(make_link(path, stage.rootfs() + "/work/link"));
    }
    stage.config.set("/process/cwd", by_link ? "/work/link" : path);
    if (const std::optional<Tree> seen = TRY(attempt(stage))) TRY(expect_not_in(*seen, path));
    TRY(end_attempt(stage));
  }
  return {};
}

Verdict cwd_of_exec_is_leaked(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  const int leaked = TRY(leak_directory(victim.directory()));
  stage.inside("wait");
  TRY(stage.observed());
  for (int number = 3; number <= leaked; ++number) {
    const std::string path = fmt::format("/proc/self/fd/{}", number);
    const Outcome outcome = TRY(stage.call({"exec", "--cwd", path, stage.id(), "/inside", "observe", "read:file"}));
    if (outcome.code == 0) TRY(expect_not_in(TRY(Tree::parse(outcome.out)), path));
    if (outcome.code != 0) stage.note("exec refuses: " + outcome.summary());
  }
  return {};
}

Verdict expect_no_descriptor(const Tree &seen, std::string_view of) {
  for (const Tree::Member &fd : seen.find("/fds")->members()) {
    const std::int64_t number = fd.value.number("/fd").value_or(std::atoi(fd.value.text("/fd").c_str()));
    if (number > 2 && !fd.value.text("/target").starts_with("/proc/")) {
      return miss(fmt::format("{} has descriptor {} -> {}", of, number, fd.value.text("/target")));
    }
  }
  return {};
}

Verdict descriptor_is_leaked(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  (void)TRY(leak_directory(victim.directory()));
  stage.inside("wait");
  TRY(expect_no_descriptor(TRY(stage.observed()), "the container"));
  const Outcome outcome = TRY(stage.call({"exec", stage.id(), "/inside", "observe"}));
  if (outcome.code != 0) return fail("exec: " + outcome.summary());
  stage.note("none beyond the three streams");
  return expect_no_descriptor(TRY(Tree::parse(outcome.out)), "exec");
}

Verdict expect_not_inheritable(const Tree &seen, std::string_view of) {
  const std::vector<std::string> names = seen.texts("/capabilities/inheritable");
  if (names.empty()) return {};
  return miss(fmt::format("{} has inheritable capabilities: {}", of, fmt::join(names, ", ")));
}

Verdict inheritable_capabilities(Stage &stage) {
  stage.inside("wait");
  TRY(expect_not_inheritable(TRY(stage.observed()), "the container"));
  const Outcome outcome = TRY(stage.call({"exec", "--cap", "CAP_KILL", stage.id(), "/inside", "observe"}));
  if (outcome.code != 0) return fail("exec: " + outcome.summary());
  stage.note("no capability is inheritable");
  return expect_not_inheritable(TRY(Tree::parse(outcome.out)), "exec --cap");
}

Verdict user_of_exec(Stage &stage) {
  stage.inside("wait");
  TRY(stage.observed());
  for (const char *user : {"1", "1:2", "a", "1a", "4294967296", "4294967296:0", "-1", ":1", "0x1", " 1"}) {
    const Outcome outcome = TRY(stage.call({"exec", "--user", user, stage.id(), "/inside", "observe"}));
    if (outcome.code != 0) continue;
    const Tree seen = TRY(Tree::parse(outcome.out));
    if (seen.number("/ids/uid") == 0) return miss(fmt::format("exec --user \"{}\" runs as root", user));
  }
  stage.note("none of the words runs as root that does not say so");
  return {};
}

// The judge takes a terminal of its own, as a shell has one: what can open /dev/tty can type into it by TIOCSTI.
Verdict shared_terminal(Stage &stage) {
  (void)TRY(kernel::setsid());
  TRY(kernel::ignore_signal(SIGHUP));  // of the end of the terminal
  const kernel::Fd master = TRY(kernel::open("/dev/ptmx", O_RDWR | O_NOCTTY));
  TRY(kernel::unlockpt(master));
  const kernel::Fd terminal = TRY(kernel::open_pty_peer(master));
  TRY(kernel::set_controlling_terminal(terminal));
  stage.inside("wait", {"open:/dev/tty"});
  const Tree seen = TRY(stage.observed());
  if (probe_errno(seen, 0) == 0) return miss("the container can open the terminal of who created it");
  const Outcome outcome = TRY(stage.call({"exec", stage.id(), "/inside", "observe", "open:/dev/tty"}));
  if (outcome.code != 0) return fail("exec: " + outcome.summary());
  if (probe_errno(TRY(Tree::parse(outcome.out)), 0) == 0) return miss("exec can open the terminal of who called it");
  stage.note("the processes are of sessions without a terminal");
  return {};
}

constexpr Case table[] = {
    {"exec/its-descriptors-are-hidden", "CVE-2016-9962", descriptors_of_exec},
    {"exec/its-program-cannot-be-kept-and-written", "CVE-2019-5736", program_of_exec},
    {"create/cwd-is-a-leaked-descriptor", "CVE-2024-21626", cwd_is_leaked},
    {"create/cwd-is-a-link-to-a-leaked-descriptor", "CVE-2024-21626", cwd_is_leaked, "link"},
    {"exec/cwd-is-a-leaked-descriptor", "CVE-2024-21626", cwd_of_exec_is_leaked},
    {"create/a-descriptor-of-the-caller", "CVE-2024-21626", descriptor_is_leaked},
    {"exec/inheritable-capabilities", "CVE-2022-29162 CVE-2022-27650", inheritable_capabilities},
    {"exec/a-user-that-wraps-to-root", "CVE-2026-30892", user_of_exec},
    {"exec/a-terminal-shared-with-the-caller", "CVE-2017-5226", shared_terminal},
};

}  // namespace

std::span<const Case> exec_attacks() { return table; }

}  // namespace skiff::conformance
