#include "runtime/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <chrono>

#include "runtime/credentials.h"
#include "runtime/hooks.h"
#include "runtime/kernel/capability.h"
#include "runtime/kernel/mount.h"
#include "runtime/kernel/namespace.h"
#include "runtime/kernel/netlink.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/prctl.h"
#include "runtime/kernel/process.h"
#include "runtime/kernel/tty.h"
#include "runtime/plan_text.h"
#include "runtime/sync.h"
#include "runtime/terminal.h"

namespace skiff {
namespace {

std::string_view environment_value(const std::vector<std::string> &env, std::string_view name) {
  std::string_view value;
  for (const std::string &entry : env) {
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=') {
      value = std::string_view(entry).substr(name.size() + 1);
    }
  }
  return value;
}

constexpr std::size_t max_passwd_bytes = 1 << 20;

// The sixth field of the first line of the container's /etc/passwd with this uid, or "/". The file is the image's: it
// may be a FIFO, a link or a device (CVE-2024-9676), so only a regular file of sane size is read, inside the root.
std::string find_home(const kernel::Fd &root, std::uint32_t uid) {
  const Result<kernel::Fd> file = kernel::open_in_root(root, "/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file) return "/";
  const Result<struct stat> stat = kernel::fstat(*file);
  if (!stat || !S_ISREG(stat->st_mode)) return "/";
  const Result<std::string> text = kernel::read_all(*file, max_passwd_bytes);
  if (!text) return "/";
  std::string_view rest = *text;
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    std::array<std::string_view, 7> fields;
    for (std::string_view &field : fields) {
      field = line.substr(0, line.find(':'));
      line.remove_prefix(std::min(field.size() + 1, line.size()));
    }
    std::uint32_t number = 0;
    const std::string_view text_uid = fields[2];
    const auto [end, error] = std::from_chars(text_uid.data(), text_uid.data() + text_uid.size(), number);
    if (error != std::errc{} || end != text_uid.data() + text_uid.size() || number != uid) continue;
    if (!fields[5].empty()) return std::string(fields[5]);
  }
  return "/";
}

// The environment with HOME, which an empty one counts as missing.
std::vector<std::string> with_home(std::vector<std::string> env, const std::string &home) {
  if (!environment_value(env, "HOME").empty()) return env;
  std::erase(env, "HOME=");
  env.push_back("HOME=" + home);
  return env;
}

// Whether exec would take it, asked with the rights the program will have.
Status check_executable(const std::string &path) {
  const struct stat stat = TRY(kernel::fstatat(kernel::cwd, path));
  if (S_ISDIR(stat.st_mode)) return fail(EISDIR, fmt::format("stat(\"{}\")", path));
  Status usable = kernel::faccessat(kernel::cwd, path, X_OK, AT_EACCESS);
  // The container's seccomp filter may be in force already and refuse faccessat2(2), which is younger than many
  // filters: then the bits alone count, and exec has the last word.
  if (!usable && usable.error().number == EPERM && (stat.st_mode & 0111U) != 0) return {};
  return usable;
}

Result<std::string> find_executable(const Program &program) {
  if (program.args.empty()) return fail("process.args: it is empty", "name the program to run");
  const std::string &name = program.args.front();
  const std::string place = fmt::format("process.args[0] ({})", name);
  if (name.find('/') != std::string::npos) {
    TRY(remedy("the path is looked up inside the rootfs, with the rights of process.user",
               in(place, check_executable(name))));
    return name;
  }
  std::string_view rest = environment_value(program.env, "PATH");
  const bool has_path = !rest.empty();
  Status denied;
  while (!rest.empty()) {
    const std::string_view directory = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(directory.size() + 1, rest.size()));
    if (directory.empty()) continue;
    std::string path = fmt::format("{}/{}", directory, name);
    const Status usable = check_executable(path);
    if (usable) return path;
    if (usable.error().number == EACCES || usable.error().number == EPERM) denied = usable;
  }
  if (!denied) return std::unexpected(in(place, denied.error()));
  return fail(fmt::format("{}: executable file not found in $PATH", place),
              has_path ? "give its path inside the rootfs, or install it there" : "set PATH in process.env");
}

// One overload a step; those of rootfs.h and credentials.h are called by the templates at the end.
struct Apply {
  ProcessSetup &setup;

  Status operator()(const UnshareCgroup & /*step*/) { return kernel::unshare(CLONE_NEWCGROUP); }
  Status operator()(const JoinNetwork & /*step*/) {
    return kernel::setns(TRY(hear_descriptor(setup.sync)), CLONE_NEWNET);
  }
  Status operator()(const LoopbackUp & /*step*/) { return kernel::bring_up_loopback(); }
  Status operator()(const SetHostname &step) { return kernel::sethostname(step.name); }
  Status operator()(const SetDomainname &step) { return kernel::setdomainname(step.name); }

  Status operator()(const SetupConsole &step) {
    Terminal terminal = TRY(open_terminal(setup.root, step.size));
    if (!step.translates) TRY(kernel::disable_newline_translation(terminal.master));
    if (setup.rootfs != nullptr && step.dev_console) {
      const kernel::Fd console = TRY(kernel::open_tree(terminal.slave, "", OPEN_TREE_CLONE | AT_EMPTY_PATH));
      TRY(attach(console, "/dev/console", false, *setup.rootfs));
    }
    TRY(send_master(setup.console_socket, terminal));
    setup.slave = std::move(terminal.slave);
    return {};
  }

  Status operator()(const NewSession & /*step*/) {
    setup.home = find_home(setup.root, setup.program.uid);
    return enter_session(setup.slave);
  }

  Status operator()(const RunHooks &step) {
    if (step.kind == RunHooks::Kind::prestart || step.kind == RunHooks::Kind::create_runtime) {
      TRY(say(setup.sync, Word::hooks,
              static_cast<std::int32_t>(step.kind)));  // they belong to the runtime's namespaces
      return hear_go_on(setup.sync);
    }
    setup.state.pid = kernel::getpid();
    setup.state.status = step.kind == RunHooks::Kind::create_container ? spec::ContainerStatus::creating
                                                                       : spec::ContainerStatus::created;
    if (step.kind == RunHooks::Kind::create_container) {
      TRY(kernel::fchdir(setup.root));  // where runc's hooks start, before the pivot: they name files of the rootfs
      return run_hooks(step.kind, step.hooks, spec::print_hook_state(setup.state), setup.hook_files);
    }
    // Without an environment of their own they get the program's, as callers expect.
    std::vector<spec::Hook> hooks = step.hooks;
    for (spec::Hook &hook : hooks) {
      if (hook.env.empty()) hook.env = with_home(setup.program.env, setup.home);
    }
    return run_hooks(step.kind, hooks, spec::print_hook_state(setup.state), setup.hook_files);
  }

  Status operator()(const ChangeDirectory &step) {
    if (!step.again || setup.cwd_denied) {
      const Status changed = apply(step, setup.root);
      setup.cwd_denied = !changed && step.may_be_denied && changed.error().number == EACCES;
      if (!changed && !setup.cwd_denied) return changed;
    }
    if (step.may_be_denied) return {};  // the user is not who the program will be yet
    Result<std::string> executable = find_executable(setup.program);
    setup.executable_failed = !executable;
    setup.executable = TRY(std::move(executable));
    // The change of user may have cleared it, root keeps it: from here on the container outlives the runtime.
    return kernel::set_pdeathsig(0);
  }

  Status operator()(const LoadSeccomp &step) {
    // In the words of runc, which its callers' tests read.
    if (cli::enabled(setup.log, cli::Level::Debug)) {
      const std::uint32_t listener_flag = step.listener ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0U;
      cli::debug(setup.log, fmt::format("seccomp filter flags: {}", step.flags | listener_flag));
    }
    const kernel::Fd listener = TRY(apply(step));
    if (!listener.valid()) return {};
    // By write(2), the one call that no rule may hand to the listener; the others are answered once the agent has it.
    TRY(kernel::write_all(setup.sync, make_message(Word::listener, listener.get())));
    return hear_go_on(setup.sync);  // the parent has it now, or the agent could not answer for us
  }

  template <class T>
  Status operator()(const T &step) {
    if constexpr (requires(Rootfs &rootfs) { apply(step, rootfs); }) {
      return apply(step, *setup.rootfs);
    } else if constexpr (requires { apply(step, setup.proc); }) {
      return apply(step, setup.proc);
    } else {
      return apply(step);
    }
  }
};

void log_step(const cli::Log &log, const Step &step, const Status &done, std::chrono::steady_clock::time_point began) {
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began);
  cli::debug(log, fmt::format("{}: {}: {} ({} us)", step.field, describe(step.action),
                              done ? "done" : done.error().message(), took.count()));
}

}  // namespace

Status apply_steps(std::span<const Step> steps, ProcessSetup &setup) {
  const bool log_all = cli::enabled(setup.log, cli::Level::Debug);
  for (const Step &step : steps) {
    if (setup.rootfs != nullptr)
      setup.rootfs->step = static_cast<std::size_t>(&step - setup.rootfs->plan->steps.data());
    const auto began = log_all ? std::chrono::steady_clock::now() : std::chrono::steady_clock::time_point{};
    const Status done = std::visit(Apply{setup}, step.action);
    if (log_all) log_step(setup.log, step, done, began);
    // What names its field itself: the hook's own, or process.args.
    const bool named = std::holds_alternative<RunHooks>(step.action) || setup.executable_failed;
    if (!done) return std::unexpected(named ? done.error() : in(step.field, done.error()));
  }
  return {};
}

Error exec_program(const ProcessSetup &setup) {
  std::vector<const char *> argv;
  for (const std::string &arg : setup.program.args) argv.push_back(arg.c_str());
  argv.push_back(nullptr);
  const std::vector<std::string> env = with_home(setup.program.env, setup.home);
  std::vector<const char *> envp;
  for (const std::string &entry : env) envp.push_back(entry.c_str());
  envp.push_back(nullptr);
  Error error = kernel::execveat(kernel::cwd, setup.executable, argv.data(), envp.data(), 0);
  if (error.number == ENOENT) error.remedy = "its interpreter or loader is missing in the rootfs";
  if (error.number == ENOEXEC) error.remedy = "it is no program for this architecture, or a script without #!";
  error.text = fmt::format("process.args[0]: exec {}", setup.executable);  // the words that engines look for
  return error;
}

}  // namespace skiff
