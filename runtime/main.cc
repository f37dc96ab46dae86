// skiff: an OCI runtime. Parses the command line, opens the log, runs one command, prints its error: nothing else
// prints.

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <span>

#include "runtime/cli/usage.h"
#include "runtime/cmd/command.h"
#include "runtime/host_probe.h"
#include "runtime/kernel/fd.h"
#include "runtime/kernel/namespace.h"
#include "runtime/kernel/prctl.h"
#include "runtime/kernel/process.h"
#include "runtime/output.h"
#include "runtime/seal.h"
#include "runtime/version.h"

namespace skiff {
namespace {

constexpr std::array<const CommandEntry *, 21> entries = {
    &create_command,   &start_command,      &state_command,   &kill_command,  &delete_command, &run_command,
    &exec_command,     &list_command,       &ps_command,      &pause_command, &resume_command, &update_command,
    &events_command,   &checkpoint_command, &restore_command, &spec_command,  &plan_command,   &check_command,
    &features_command, &completion_command, &man_command};

constexpr auto commands = [] {
  std::array<const cli::Command *, entries.size()> all{};
  std::ranges::transform(entries, all.begin(), [](const CommandEntry *entry) { return &entry->command; });
  return all;
}();

constexpr std::array<cli::FlagSpec, 9> global_flags = {{
    {.name = "root",
     .value = "DIR",
     .text = "where the state of containers is kept: /run/skiff, or "
             "$XDG_RUNTIME_DIR/skiff without privileges"},
    {.name = "log", .value = "FILE", .text = "append the log to this file, instead of stderr"},
    {.name = "log-format", .value = "FORMAT", .text = "format of the log", .choices = "text|json", .initial = "text"},
    {.name = "debug", .kind = cli::Kind::Bool, .text = "log every step with its result and time"},
    {.name = "systemd-cgroup",
     .letter = 's',
     .kind = cli::Kind::Bool,
     .text = "let systemd make the cgroup; cgroupsPath is then slice:prefix:name"},
    {.name = "rootless",
     .value = "MODE",
     .text = "accepted for runc's callers: skiff finds out by itself",
     .choices = "true|false|auto",
     .initial = "auto"},
    {.name = "cgroup-manager",
     .value = "MANAGER",
     .text = "who makes the cgroup: skiff itself, systemd, or nobody",
     .choices = "cgroupfs|systemd|disabled"},
    {.name = "criu", .value = "FILE", .text = "the program criu, for checkpoint and restore: criu of $PATH"},
    {.name = "log-level", .value = "LEVEL", .text = "accepted for crun's callers", .hidden = true},
}};

constexpr cli::Program program = {
    .name = "skiff",
    .version = SKIFF_VERSION,
    .summary = "Open Container Initiative runtime",
    .description =
        "skiff takes a bundle (a root filesystem and its config.json) through create, start, kill and delete, "
        "as the OCI runtime specification describes it. It takes the command lines of runc.",
    .flags = global_flags,
    .commands = commands};

// Under the name that it was called by: where skiff stands in as /usr/bin/runc, callers look for that name.
cli::Program called_by(std::span<char *> words) {
  cli::Program out = program;
  const std::string_view path = words.empty() ? "" : words.front();
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (!name.empty()) out.name = name;
  return out;
}

// Three lines, of a form that go-runc and Docker parse.
std::string version_text(const cli::Program &called) {
  return fmt::format("{} version {}\ncommit: {}\nspec: {}\n", called.name, SKIFF_VERSION, SKIFF_COMMIT,
                     SKIFF_SPEC_VERSION);
}

// Whether $XDG_RUNTIME_DIR is the place, and not /run: for a user, and for one who is root in a user namespace, as
// rootless engines are. USER=root tells root of a container, who keeps to /run as runc does.
Result<bool> is_users_own() {
  if (::geteuid() != 0) return true;
  const char *user = std::getenv("USER");
  if (user != nullptr && std::string_view(user) == "root") return false;
  return !TRY(kernel::in_first_user_namespace(TRY(kernel::Procfs::open_host())));
}

Result<std::string> find_root(const cli::Flags &global) {
  std::string root(global.string("root"));
  if (root.empty()) {
    const char *runtime_dir = std::getenv("XDG_RUNTIME_DIR");
    root = runtime_dir == nullptr || !TRY(is_users_own()) ? "/run/skiff" : fmt::format("{}/skiff", runtime_dir);
  }
  if (root.find_first_not_of('/') == std::string::npos) {
    return fail("--root: \"/\" is refused: containers would be mixed up with the host's own directories",
                "name a directory of its own, such as /run/skiff");
  }
  while (root.ends_with('/')) root.pop_back();
  return root;
}

const CommandEntry &entry_of(const cli::Command &command) {
  return **std::ranges::find(entries, &command, [](const CommandEntry *entry) { return &entry->command; });
}

Result<int> show_help(const cli::Program &called, const cli::Invocation &invocation) {
  return print(invocation.command != nullptr ? cli::command_help(called, *invocation.command)
                                             : cli::program_help(called));
}

bool is_exec(const cli::Invocation &invocation) { return invocation.command == &exec_command.command; }

// How many descriptors from 3 up are the container's: create and run pass on those of socket activation too. Asked
// before anything is opened, or one that the caller forgot would be ours.
Result<unsigned> count_preserved(const cli::Invocation &invocation, const kernel::Fd &image) {
  if (!entry_of(*invocation.command).enters_container) return 0;
  unsigned preserved = invocation.flags.uint32("preserve-fds").value_or(0);
  if (!is_exec(invocation)) preserved += read_listen_fds();
  for (unsigned i = 0; i < preserved; ++i) {
    const int number = static_cast<int>(3 + i);
    const bool is_ours = number == image.get();  // the caller's would have been there before
    TRY(remedy("--preserve-fds and $LISTEN_FDS count descriptors that the caller has open, from 3 up",
               in(fmt::format("--preserve-fds: descriptor {}", number),
                  is_ours ? fail(EBADF, "it is not open") : kernel::fstat(kernel::FdView(number)))));
  }
  return preserved;
}

// What the caller leaked must not reach hooks or the container (CVE-2024-21626), nor stay open in an init at its gate.
// Before anything of ours is open.
Status close_leaked(const cli::Invocation &invocation, const Result<unsigned> &preserved, const kernel::Fd &image) {
  if (!entry_of(*invocation.command).enters_container || is_exec(invocation) || !preserved) return {};
  return kernel::close_range_from(3 + *preserved, kernel::CloseRange::close, image);
}

Result<int> dispatch(const cli::Invocation &invocation, const Result<unsigned> &preserved, const cli::Log &log,
                     kernel::Fd &image, char **argv) {
  const CommandEntry &entry = entry_of(*invocation.command);
  if (entry.enters_container) {
    TRY(preserved);
    TRY(seal_self(argv, environ));
    // The caller of exec may have named one of its descriptors in --process, as bash does by /dev/fd/N: open until
    // then.
    if (is_exec(invocation)) TRY(kernel::close_range_from(3 + *preserved, kernel::CloseRange::cloexec));
    (void)kernel::set_name("skiff");  // exec by descriptor has named it after the descriptor
  }
  const Context context{program, invocation, log, TRY(find_root(invocation.global)), image};
  return entry.run(context);
}

int end_with(const cli::Log &log, const Error &error, int code) {
  cli::report(log, program.name, error);
  return code;
}

int main(std::span<char *> words) {
  // A hook that does not read its state, a child that has died: both are answers (EPIPE), no reason to die ourselves.
  (void)kernel::ignore_signal(SIGPIPE);
  const Result<cli::Invocation> invocation =
      cli::parse(program, std::span<const char *const>(words.data(), words.size()).subspan(1));
  if (!invocation) return end_with({}, invocation.error(), 1);
  const cli::Program called = called_by(words);
  const Result<int> shown = invocation->version                                  ? print(version_text(called))
                            : invocation->help || invocation->command == nullptr ? show_help(called, *invocation)
                                                                                 : Result<int>(-1);
  if (!shown) return end_with({}, shown.error(), 1);
  if (*shown >= 0) return *shown;
  const cli::Flags &global = invocation->global;
  kernel::Fd image = take_image();
  const Result<unsigned> preserved = count_preserved(*invocation, image);
  if (const Status closed = close_leaked(*invocation, preserved, image); !closed)
    return end_with({}, closed.error(), 1);
  const Result<cli::Log> log =
      cli::open_log(global.string("log"), global.string("log-format"), global.boolean("debug"));
  if (!log) return end_with({}, log.error(), 1);
  const Result<int> code = dispatch(*invocation, preserved, *log, image, words.data());
  if (!code) return end_with(*log, code.error(), entry_of(*invocation->command).error_code);
  return *code;
}

}  // namespace
}  // namespace skiff

int main(int argc, char **argv) { return skiff::main({argv, static_cast<std::size_t>(argc)}); }
