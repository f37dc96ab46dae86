#include <fmt/format.h>

#include <algorithm>

#include "compose/attachment.h"
#include "compose/cmd/run_service.h"
#include "compose/creation.h"
#include "compose/detach_keys.h"
#include "compose/finding.h"
#include "compose/lifecycle.h"
#include "compose/output.h"
#include "compose/run_flag_table.h"
#include "compose/run_flags.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"

namespace skiff::compose {
namespace {

constexpr int engine_failed = 125;

Result<CreateRequest> create_request(const Context &context) {
  const cli::Flags &flags = context.flags();
  const std::span<const std::string_view> words = context.invocation.positionals;
  CreateRequest request;
  request.service = TRY(service_of_flags(flags, words.front(), words.subspan(1)));
  request.name = request.service.container_name;
  request.auto_remove = flags.boolean("rm");
  request.quiet = flags.boolean("quiet");
  request.publish_all = flags.boolean("publish-all");
  return request;
}

// Before anything is made: docker refuses a file that is there.
Status check_cidfile(const std::string &path) {
  if (path.empty() || !kernel::faccessat(kernel::cwd, path, F_OK)) return {};
  return fail(EEXIST, fmt::format("--cidfile {}", path), "remove it, or name another file");
}

Status write_cidfile(const std::string &path, const std::string &id) {
  if (path.empty()) return {};
  const kernel::Fd file = TRY(in("--cidfile", kernel::open(path, O_WRONLY | O_CREAT | O_EXCL, 0644)));
  return kernel::write_all(file, id);
}

struct Attaching {
  bool input = false;
  bool output = false;
  [[nodiscard]] bool any() const { return input || output; }
};

Result<Attaching> attaching(const cli::Flags &flags) {
  const std::vector<std::string_view> named = flags.strings("attach");
  if (flags.boolean("detach")) {
    if (!named.empty()) return fail("run: -d and -a contradict each other");
    return Attaching();
  }
  if (named.empty()) return Attaching{.input = flags.boolean("interactive"), .output = true};
  const bool input = std::ranges::find(named, "stdin") != named.end();
  return Attaching{.input = input, .output = named.size() > (input ? 1U : 0U)};
}

Result<int> stay(const Context &context, const Engine &engine, const ContainerRecord &record, kernel::Fd monitor,
                 const SignalProxy *signals, const Attaching &attach) {
  const AttachEnd end = TRY(stay_attached(engine, record, std::move(monitor), signals,
                                          {.input = attach.input,
                                           .output = attach.output,
                                           .proxy = context.flags().boolean("sig-proxy"),
                                           .detach_keys = context.flag("detach-keys")}));
  return end.detached ? 0 : end.code;
}

Status refuse_service_flags(const Context &context) {
  for (const cli::FlagSpec &flag : service_flags) {
    if (!context.flags().given(flag.name)) continue;
    return fail(finding_number, fmt::format("run: --{}: {} is no service", flag.name, context.argument(0)),
                "name the project's file with -f, before the command");
  }
  return {};
}

// Nothing: the word is an image's.
Result<std::optional<int>> run_of_project(const Context &context) {
  if (context.flags().boolean("rootfs")) return std::nullopt;
  const std::optional<Scope> scope = TRY(find_scope(context, {context.argument(0)}, SecretValues::needed));
  const Service *service = scope && scope->loaded ? scope->project()->find(context.argument(0)) : nullptr;
  if (service == nullptr) {
    TRY(refuse_service_flags(context));
    return std::nullopt;
  }
  return TRY(run_service(context, *scope->project(), *service));
}

Result<int> run_container(const Context &context) {
  if (const std::optional<int> code = TRY(run_of_project(context))) return *code;
  const Attaching attach = TRY(attaching(context.flags()));
  CreateRequest request = TRY(create_request(context));
  TRY(parse_detach_keys(context.flag("detach-keys")));
  TRY(check_cidfile(context.flag("cidfile")));
  request.starts_now = true;
  request.stdin_once = attach.input;
  const Engine engine = TRY(open_engine(context.global(), context.log));
  std::optional<SignalProxy> signals;
  const ContainerRecord record = TRY(create_container(engine, request));
  TRY(write_cidfile(context.flag("cidfile"), record.id));
  if (attach.any() && context.flags().boolean("sig-proxy")) signals = TRY(SignalProxy::start());
  Result<Started> started = start_container(engine, record.id, {.attach = attach.any()});
  if (!started) {
    cli::report(context.log, context.program.name, started.error());
    return start_failure_code(started.error());
  }
  if (!attach.any()) return print(record.id + "\n");
  return stay(context, engine, record, std::move(started->attached), signals ? &*signals : nullptr, attach);
}

Result<int> run(const Context &context) {
  Result<int> code = run_container(context);
  if (code) return code;
  // docker's own code for what failed before the program could run.
  if (code.error().number == finding_number) return code;
  cli::report(context.log, context.program.name, code.error());
  return engine_failed;
}

Result<int> create(const Context &context) {
  CreateRequest request = TRY(create_request(context));
  TRY(check_cidfile(context.flag("cidfile")));
  request.stdin_once = context.flags().boolean("interactive");
  const Engine engine = TRY(open_engine(context.global(), context.log));
  const ContainerRecord record = TRY(create_container(engine, request));
  TRY(write_cidfile(context.flag("cidfile"), record.id));
  return print(record.id + "\n");
}

}  // namespace

const CommandEntry run_command = {
    .command = {.name = "run",
                .usage = "IMAGE|SERVICE [COMMAND [ARGUMENT...]]",
                .summary = "create a container and start it",
                .description = "Without -d it stays until the container has ended, hands signals on to it and ends "
                               "with its exit code; with 125 where the container could not be made, with 126 where "
                               "its program cannot be run, with 127 where it is not there. Of a project's SERVICE it "
                               "makes one more container, without its ports and its restart policy.",
                .flags = run_flags,
                .min_positionals = 1,
                .max_positionals = cli::kUnlimited,
                .stop_at_first_positional = true,
                .joined_values = true},
    .run = run};

const CommandEntry create_command = {.command = {.name = "create",
                                                 .usage = "IMAGE [COMMAND [ARGUMENT...]]",
                                                 .summary = "create a container without starting it",
                                                 .flags = create_flags,
                                                 .min_positionals = 1,
                                                 .max_positionals = cli::kUnlimited,
                                                 .stop_at_first_positional = true,
                                                 .joined_values = true},
                                     .run = create};

}  // namespace skiff::compose
