#include "compose/execution.h"

#include <fmt/format.h>

#include <utility>

#include "compose/rootfs_mount.h"
#include "runtime/kernel/capability.h"
#include "runtime/kernel/path.h"
#include "spec/account.h"
#include "spec/capability_names.h"

namespace skiff::compose {
namespace {

constexpr int runtime_failed = 255;
constexpr std::size_t longest_account_file = std::size_t{1} << 20U;

Result<std::string> read_inside(const kernel::Fd &root, const std::string &path) {
  const kernel::Fd file = TRY(kernel::find_in_root(root, path, O_RDONLY | O_NONBLOCK));
  if (!file.valid()) return std::string();
  if (!S_ISREG(TRY(kernel::fstat(file)).st_mode)) return fail(path + ": it is no regular file");
  return kernel::read_all(file, longest_account_file);
}

void put_variable(std::vector<std::string> &env, const std::string &name, const std::optional<std::string> &value) {
  std::erase_if(env, [&](const std::string &one) { return one.starts_with(name + "="); });
  if (value) env.push_back(name + "=" + *value);
}

Status set_user(const Engine &engine, const Container &container, const std::string &user, spec::Process &process) {
  const kernel::Fd root = TRY(open_root(engine.places, container));
  std::vector<std::string> warnings;
  const spec::Account account =
      TRY(in("--user",
             spec::find_account({.passwd = read_inside(root, "/etc/passwd"), .group = read_inside(root, "/etc/group")},
                                user, warnings)));
  process.user.uid = account.uid;
  process.user.gid = account.gid;
  process.user.additional_gids = account.groups;
  put_variable(process.env, "HOME", account.home.empty() ? "/" : account.home);
  return {};
}

// Everything that this kernel knows and we have ourselves.
void set_privileged(spec::Process &process) {
  spec::Capabilities all;
  const kernel::CapabilitySet ours = kernel::get_bounding_set();
  for (int number = 0; number <= kernel::last_capability(); ++number) {
    const bool known = std::cmp_less(number, spec::capability_names.size());
    if (known && (ours & kernel::capability_bit(number)) != 0) {
      all.bounding.push_back(std::string(spec::capability_names[static_cast<std::size_t>(number)]));
    }
  }
  all.effective = all.permitted = all.bounding;
  process.capabilities = std::move(all);
  process.no_new_privileges = false;
}

}  // namespace

Result<spec::Process> make_exec_process(const Engine &engine, const Container &container, const ExecRequest &request) {
  const std::string path = bundle_of(engine.places, container.id()) + "/config.json";
  spec::Parsed parsed = spec::parse_config(TRY(read_if_there(path)));
  if (!parsed.findings.empty()) return std::unexpected(spec::findings_error(path, parsed.findings));
  if (!parsed.config.process) return fail(path + ": it has no process");
  spec::Process process = std::move(*parsed.config.process);
  process.args = request.args;
  process.terminal = request.terminal;
  process.console_size.reset();
  if (!request.working_dir.empty()) process.cwd = request.working_dir;
  if (!request.user.empty()) TRY(set_user(engine, container, request.user, process));
  if (request.terminal) put_variable(process.env, "TERM", "xterm");
  for (const auto &[name, value] : request.environment) put_variable(process.env, name, value);
  if (request.privileged) set_privileged(process);
  return process;
}

Result<ExecCommand> make_exec_command(const Engine &engine, const Container &container, const ExecRequest &request,
                                      bool detach) {
  using Phase = ContainerState::Phase;
  if (container.state.phase != Phase::running) {
    return fail(fmt::format("{} is {}", container.record.name, phase_name(container.state.phase)),
                container.state.phase == Phase::paused ? "unpause it first" : "start it first");
  }
  ExecCommand command;
  const spec::Process process = TRY(make_exec_process(engine, container, request));
  command.process = TRY(kernel::memfd_create("process", 0));
  TRY(kernel::write_all(command.process, spec::print_process(process)));
  command.log = TRY(kernel::memfd_create("log", 0));
  const auto path = [](const kernel::Fd &fd) { return fmt::format("/proc/{}/fd/{}", kernel::getpid(), fd.get()); };
  command.words = engine.run_runtime({"--log", path(command.log), "exec", "--process", path(command.process)});
  if (detach) command.words.emplace_back("--detach");
  command.words.push_back(container.id());
  return command;
}

int exec_exit_code(const ExecCommand &command, int code) {
  if (code != runtime_failed) return code;
  std::string said(longest_account_file, '\0');
  said.resize(kernel::pread_some(command.log, said, 0).value_or(0));
  // Its program ended with this code.
  if (said.empty()) return code;
  const bool missing = said.find("no such file or directory") != std::string::npos ||
                       said.find("not found in $PATH") != std::string::npos;
  return missing ? 127 : 126;
}

Result<ProgramOutput> run_in_container(const Engine &engine, const Container &container, const ExecRequest &request) {
  const ExecCommand command = TRY(make_exec_command(engine, container, request, false));
  ProgramOutput output = TRY(run_program(command.words));
  output.code = exec_exit_code(command, output.code);
  return output;
}

}  // namespace skiff::compose
