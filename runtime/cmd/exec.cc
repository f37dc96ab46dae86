#include "runtime/exec.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "runtime/bundle.h"
#include "runtime/cli/value.h"
#include "runtime/cmd/command.h"
#include "runtime/create.h"
#include "runtime/foreground.h"
#include "runtime/host_probe.h"
#include "runtime/seccomp_cache.h"
#include "runtime/terminal.h"

namespace skiff {
namespace {

using cli::Kind;

constexpr std::array<cli::FlagSpec, 18> flags = {{
    {.name = "console-socket", .value = "FILE", .text = "unix socket that receives the terminal's master"},
    {.name = "pidfd-socket", .value = "FILE", .text = "unix socket that receives a pidfd of the process"},
    {.name = "cwd", .value = "DIR", .text = "the working directory in the container"},
    {.name = "env",
     .letter = 'e',
     .kind = Kind::Strings,
     .value = "NAME=VALUE",
     .text = "set a variable; repeat for more"},
    {.name = "tty", .letter = 't', .kind = Kind::Bool, .text = "give the process a terminal"},
    {.name = "user", .letter = 'u', .value = "UID[:GID]", .text = "run as this user, by number"},
    {.name = "additional-gids",
     .letter = 'g',
     .kind = Kind::Integers,
     .value = "GID",
     .text = "one more group; repeat for more"},
    {.name = "process", .letter = 'p', .value = "FILE", .text = "take the whole process from this JSON file"},
    {.name = "detach", .letter = 'd', .kind = Kind::Bool, .text = "return as soon as the program runs"},
    {.name = "pid-file", .value = "FILE", .text = "write the process's pid to this file"},
    {.name = "process-label", .value = "LABEL", .text = "the SELinux label of the process"},
    {.name = "apparmor", .value = "PROFILE", .text = "the AppArmor profile of the process"},
    {.name = "no-new-privs", .kind = Kind::Bool, .text = "set no_new_privs"},
    {.name = "cap", .letter = 'c', .kind = Kind::Strings, .value = "CAP", .text = "add a capability; repeat for more"},
    {.name = "preserve-fds", .kind = Kind::Uint32, .value = "N", .text = "pass on N more descriptors, from 3 up"},
    {.name = "cgroup",
     .kind = Kind::Strings,
     .value = "[CTRL:]PATH",
     .text = "run in a cgroup below the container's own"},
    {.name = "ignore-paused", .kind = Kind::Bool, .text = "do not refuse a paused container"},
    {.name = "no-subreaper", .kind = Kind::Bool, .text = "accepted for runc's callers", .hidden = true},
}};

Result<spec::Process> load_process(const std::string &path) {
  spec::ParsedProcess parsed = spec::parse_process(TRY(in("--process", read_document(path))));
  const std::vector<spec::Finding> findings = spec::check(parsed);
  if (!findings.empty()) return std::unexpected(spec::findings_error(path, findings));
  return std::move(parsed.process);
}

// "1", "1:2" (CVE-2026-30892: never anything else that turns into 0).
Status set_user(std::string_view text, spec::User &user) {
  const std::size_t colon = text.find(':');
  const std::optional<std::uint32_t> uid = cli::parse_number<std::uint32_t>(text.substr(0, colon));
  const std::optional<std::uint32_t> gid =
      colon == std::string_view::npos ? user.gid : cli::parse_number<std::uint32_t>(text.substr(colon + 1));
  constexpr std::uint32_t nobody = 0xffffffff;  // (uid_t)-1 means "unchanged" to the kernel
  if (!uid || !gid || *uid == nobody || *gid == nobody) {
    return fail(fmt::format("--user: \"{}\" is not UID or UID:GID in numbers below 4294967295", text),
                "names are looked up by engines, not by runtimes");
  }
  user.uid = *uid;
  user.gid = *gid;
  return {};
}

// Inheritable stays as it was: what is added there would reach programs through file capabilities (CVE-2022-29162).
void add_capabilities(const std::vector<std::string_view> &names, spec::Process &process) {
  if (names.empty()) return;
  spec::Capabilities &sets = process.capabilities ? *process.capabilities : process.capabilities.emplace();
  for (const std::string_view name : names) {
    for (auto *set : {&sets.bounding, &sets.effective, &sets.permitted}) set->emplace_back(name);
    if (std::ranges::find(sets.inheritable, name) != sets.inheritable.end()) sets.ambient.emplace_back(name);
  }
}

// The container's own process with what the command line says otherwise.
Result<spec::Process> make_process(const Context &context, const spec::Config &config) {
  if (!config.process)
    return fail("the container has no process to take user, environment and capabilities from",
                "give all of it with --process FILE");
  spec::Process process = *config.process;
  const auto &words = context.invocation.positionals;
  process.args.assign(words.begin() + 1, words.end());
  process.terminal = context.flags().boolean("tty");
  process.console_size.reset();
  for (const std::string_view entry : context.flags().strings("env")) process.env.emplace_back(entry);
  if (context.flags().given("cwd")) process.cwd = context.flag("cwd");
  if (context.flags().given("user")) TRY(set_user(context.flags().string("user"), process.user));
  for (const std::int64_t gid : context.flags().integers("additional-gids")) {
    process.user.additional_gids.push_back(static_cast<std::uint32_t>(gid));
  }
  if (context.flags().given("process-label")) process.selinux_label = context.flag("process-label");
  if (context.flags().given("apparmor")) process.apparmor_profile = context.flag("apparmor");
  if (context.flags().given("no-new-privs")) process.no_new_privileges = context.flags().boolean("no-new-privs");
  add_capabilities(context.flags().strings("cap"), process);
  const std::vector<spec::Finding> findings = spec::check(process, "");
  if (!findings.empty()) return std::unexpected(spec::findings_error("the process", findings));
  return process;
}

Status check_running(const Context &context, const Container &container, const kernel::Procfs &proc) {
  const spec::ContainerStatus status = TRY(container.status(proc));
  if (status == spec::ContainerStatus::stopped || status == spec::ContainerStatus::creating) {
    return fail(fmt::format("cannot exec in a {} container", spec::status_name(status)), "start it first");
  }
  if (status == spec::ContainerStatus::paused && !context.flags().boolean("ignore-paused")) {
    return fail("cannot exec in a paused container (use --ignore-paused to override)", "`skiff resume` it first");
  }
  return {};
}

Result<Cgroup> choose_cgroup(const Context &context, const Container &container) {
  Cgroup own = TRY(Cgroup::open(container.record.cgroup_paths));
  for (const std::string_view word : context.flags().strings("cgroup")) {
    const std::size_t colon = word.find(':');
    const std::string_view controllers = colon == std::string_view::npos ? "" : word.substr(0, colon);
    const std::string_view path = colon == std::string_view::npos ? word : word.substr(colon + 1);
    own = TRY(in("--cgroup", own.below(path, controllers)));
  }
  return own;
}

Result<Console> open_console(const Context &context, bool terminal, bool detach) {
  const std::string path = context.flag("console-socket");
  if (!path.empty() && !terminal) return fail("--console-socket: the process has no terminal", "add --tty");
  Console console;
  if (!terminal) return console;
  if (!path.empty()) {
    console.theirs = TRY(connect_console(path));
    return console;
  }
  if (detach) {
    return fail("cannot allocate tty if skiff will detach without setting console socket", "give --console-socket");
  }
  return make_console();
}

Result<int> run(const Context &context) {
  const bool detach = context.flags().boolean("detach");
  const Container container = TRY(Container::load(context.root, context.id()));
  const kernel::Procfs proc = TRY(kernel::Procfs::open_host());
  TRY(check_running(context, container, proc));
  const spec::Config config = spec::parse_config(TRY(container.read_config())).config;
  const std::string process_file = context.flag("process");
  spec::Process process = process_file.empty() ? TRY(make_process(context, config)) : TRY(load_process(process_file));
  if (process.terminal && !detach) {
    if (const auto size = read_window_size()) process.console_size = size;
  }
  const std::optional<SeccompProgram> seccomp = TRY(load_seccomp(context.root, config.linux_.seccomp, context.log));
  const ExecPlan plan = TRY(make_exec_plan(process, config, TRY(read_host(proc)),
                                           {.id = container.record.id,
                                            .foreground = !detach,
                                            .preserve_fds = context.flags().uint32("preserve-fds").value_or(0),
                                            .seccomp = seccomp ? &*seccomp : nullptr}));
  std::optional<Forwarding> forwarding;
  if (!detach) forwarding = TRY(Forwarding::start());
  Console console = TRY(open_console(context, plan.terminal, detach));
  Result<kernel::Child> made = exec_in_container({.plan = plan,
                                                  .container = container,
                                                  .config = config,
                                                  .proc = proc,
                                                  .console_socket = std::move(console.theirs),
                                                  .cgroup = TRY(choose_cgroup(context, container)),
                                                  .image = std::move(context.image),
                                                  .cgroup_named = !context.flags().strings("cgroup").empty(),
                                                  .log = context.log});
  tell_warnings(plan.warnings, made.has_value(), context.log);
  kernel::Child child = TRY(std::move(made));
  if (context.flags().given("pid-file")) TRY(write_pid_file(context.flag("pid-file"), child.pid()));
  if (context.flags().given("pidfd-socket")) TRY(send_pidfd(context.flag("pidfd-socket"), child.pidfd()));
  if (detach) {
    (void)child.release();
    return 0;
  }
  kernel::Fd master;
  if (console.ours.valid()) master = TRY(receive_master(console.ours));
  return attend(child, std::move(master), *forwarding);
}

}  // namespace

const CommandEntry exec_command = {
    .command = {.name = "exec",
                .usage = "CONTAINER [COMMAND [ARGUMENT...]]",
                .summary = "run one more program in a running container",
                .description = "The exit code is the program's, 128 + n where signal n ended it, or 255 where it could "
                               "not be run.",
                .flags = flags,
                .min_positionals = 1,
                .max_positionals = cli::kUnlimited,
                .stop_at_first_positional = true},
    .run = run,
    .enters_container = true,
    .error_code = 255};

}  // namespace skiff
