#include "compose/cmd/run_service.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "compose/attachment.h"
#include "compose/contains.h"
#include "compose/output.h"
#include "compose/project_lock.h"
#include "compose/run_flag_table.h"
#include "compose/run_flags.h"
#include "compose/up.h"
#include "runtime/kernel/tty.h"

namespace skiff::compose {
namespace {

// What counts over a service; the rest of `run`'s flags is for images, and a file has it all.
constexpr std::array<std::string_view, 31> flags_of_services = {
    "build",         "cap-add",     "cap-drop",    "detach", "detach-keys", "entrypoint",     "env",
    "env-file",      "interactive", "label",       "mount",  "name",        "no-deps",        "no-tty",
    "publish",       "publish-all", "pull",        "quiet",  "quiet-pull",  "remove-orphans", "rm",
    "service-ports", "sig-proxy",   "tmpfs",       "tty",    "use-aliases", "user",           "volume",
    "workdir",       "label-file",  "volumes-from"};

Status refuse_other_flags(const cli::Flags &flags, const Service &service) {
  for (const cli::FlagSpec &flag : run_flags) {
    if (!flags.given(flag.name) || std::ranges::find(flags_of_services, flag.name) != flags_of_services.end()) continue;
    return fail(finding_number, fmt::format("run: {} is a service, and --{} is for images", service.name, flag.name),
                "write it into the project's file, or run its image with --no-project");
  }
  return {};
}

void replace_mounts(std::vector<Mount> &mounts, std::vector<Mount> &&said) {
  std::erase_if(mounts, [&](const Mount &one) { return contains(said, one.target, &Mount::target); });
  std::ranges::move(said, std::back_inserter(mounts));
}

// Each word of the one is taken off the other: `--cap-drop NET_RAW` counts over `cap_add: [NET_RAW]`.
void change_capabilities(const Service &said, Service &made) {
  const auto add = [](const std::vector<std::string> &words, std::vector<std::string> &to,
                      std::vector<std::string> &from) {
    for (const std::string &word : words) {
      std::erase(from, word);
      to.push_back(word);
    }
  };
  add(said.cap_add, made.cap_add, made.cap_drop);
  add(said.cap_drop, made.cap_drop, made.cap_add);
}

void change_streams(const cli::Flags &flags, Service &made) {
  const bool stays = !flags.boolean("detach");
  const bool terminal = kernel::is_terminal(kernel::FdView(0)) && kernel::is_terminal(kernel::FdView(1));
  made.tty = !flags.boolean("no-tty") && (flags.given("tty") ? flags.boolean("tty") : stays && terminal);
  made.stdin_open = flags.given("interactive") ? flags.boolean("interactive") : stays;
}

// What the command line says over the service; its ports and its policy are for its lasting containers.
Result<Service> changed_service(const Context &context, const Service &service) {
  const cli::Flags &flags = context.flags();
  TRY(refuse_other_flags(flags, service));
  const std::span<const std::string_view> words = context.invocation.positionals;
  Service said = TRY(service_of_flags(flags, words.front(), words.subspan(1)));
  Service made = service;
  made.container_name.clear();
  made.restart = {};
  if (!flags.boolean("service-ports") && !flags.boolean("publish-all")) made.ports.clear();
  std::ranges::move(said.ports, std::back_inserter(made.ports));
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
  replace_mounts(made.mounts, std::move(said.mounts));
  std::ranges::move(said.volumes_from, std::back_inserter(made.volumes_from));
  change_capabilities(said, made);
  change_streams(flags, made);
  return made;
}

Result<OneOff> one_off_of(const Context &context, const Service &service) {
  const cli::Flags &flags = context.flags();
  OneOff one_off{.service = TRY(changed_service(context, service)),
                 .name = context.flag("name"),
                 .use_aliases = flags.boolean("use-aliases"),
                 .no_deps = flags.boolean("no-deps"),
                 .remove_orphans = flags.boolean("remove-orphans"),
                 .images = {.pull = context.flag("pull"), .build = flags.boolean("build")},
                 .auto_remove = flags.boolean("rm"),
                 .stdin_once = !flags.boolean("detach")};
  return one_off;
}

Progress progress_of(const Context &context) {
  return context.flags().boolean("quiet-pull") || context.flags().boolean("quiet") ? Progress(ProgressStyle::quiet)
                                                                                   : make_progress(context);
}

}  // namespace

Result<int> run_service(const Context &context, const Project &project, const Service &service) {
  const bool stays = !context.flags().boolean("detach");
  const OneOff one_off = TRY(one_off_of(context, service));
  const Engine engine = TRY(open_engine(context.global(), context.log));
  Progress progress = progress_of(context);
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
                                          {.input = one_off.service.stdin_open,
                                           .output = true,
                                           .proxy = context.flags().boolean("sig-proxy"),
                                           .detach_keys = context.flag("detach-keys")}));
  return end.detached ? 0 : end.code;
}

}  // namespace skiff::compose
