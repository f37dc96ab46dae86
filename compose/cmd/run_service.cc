#include "compose/cmd/run_service.h"

#include <unistd.h>

#include "compose/attachment.h"
#include "compose/output.h"
#include "compose/project_lock.h"
#include "compose/run_flags.h"
#include "compose/up.h"
#include "runtime/kernel/tty.h"

namespace skiff::compose {
namespace {

// What the command line says over the service; its ports and its policy are for its lasting containers.
Result<Service> changed_service(const Context &context, const Service &service) {
  const cli::Flags &flags = context.flags();
  const std::span<const std::string_view> words = context.invocation.positionals;
  Service said = TRY(service_of_flags(flags, words.front(), words.subspan(1)));
  Service made = service;
  made.container_name.clear();
  made.restart = {};
  made.ports = said.ports;
  if (words.size() > 1) made.command = said.command;
  if (flags.given("entrypoint")) made.entrypoint = said.entrypoint;
  if (flags.given("entrypoint") && words.size() == 1) made.command.emplace();
  if (flags.given("user")) made.user = said.user;
  if (flags.given("workdir")) made.working_dir = said.working_dir;
  for (auto &variable : said.environment) {
    std::erase_if(made.environment, [&](const auto &one) { return one.first == variable.first; });
    made.environment.push_back(std::move(variable));
  }
  for (const auto &[name, value] : said.labels) made.labels[name] = value;
  made.mounts.insert(made.mounts.end(), said.mounts.begin(), said.mounts.end());
  const bool stays = !flags.boolean("detach");
  const bool terminal = kernel::is_terminal(kernel::FdView(0)) && kernel::is_terminal(kernel::FdView(1));
  made.tty = flags.boolean("tty") || (stays && terminal);
  made.stdin_open = stays || flags.boolean("interactive");
  return made;
}

}  // namespace

Result<int> run_service(const Context &context, const Project &project, const Service &service) {
  const bool stays = !context.flags().boolean("detach");
  OneOff one_off{.service = TRY(changed_service(context, service)),
                 .name = context.flag("name"),
                 .auto_remove = context.flags().boolean("rm"),
                 .stdin_once = stays};
  const Engine engine = TRY(open_engine(context.global(), context.log));
  Progress progress = make_progress(context);
  std::optional<kernel::Fd> lock = TRY(lock_project(engine.places, project.name, "run"));
  const ContainerRecord record = TRY(create_one_off(engine, project, one_off, progress));
  lock.reset();
  const SignalProxy signals = TRY(SignalProxy::start());
  Result<Started> started = start_container(engine, record.id, {.attach = stays});
  if (!started) {
    cli::report(context.log, context.program.name, started.error());
    return start_failure_code(started.error());
  }
  if (!stays) return print(record.name + "\n");
  const AttachEnd end = TRY(stay_attached(engine, record, std::move(started->attached), &signals,
                                          {.input = true, .output = true, .proxy = true, .detach_keys = {}}));
  return end.detached ? 0 : end.code;
}

}  // namespace skiff::compose
