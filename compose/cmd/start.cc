#include <fmt/format.h>

#include "compose/attachment.h"
#include "compose/cmd/containers.h"
#include "compose/cmd/project_life.h"
#include "compose/cmd/start_at_boot.h"
#include "compose/detach_keys.h"

namespace skiff::compose {
namespace {

constexpr auto start_flags = std::to_array<cli::FlagSpec>({
    {.name = "attach", .letter = 'a', .kind = cli::Kind::Bool, .text = "stay, with its output and its signals"},
    {.name = "interactive", .letter = 'i', .kind = cli::Kind::Bool, .text = "stay, with our standard input as its own"},
    {.name = "detach-keys", .value = "KEYS", .text = "what leaves it running: ctrl-p,ctrl-q"},
    {.name = "sig-proxy", .kind = cli::Kind::Bool, .text = "hand signals on to it", .initial = "true"},
    {.name = "restart-policies",
     .kind = cli::Kind::Bool,
     .text = "after a boot: all whose policy is always, or unless-stopped where nobody stopped them"},
});

constexpr auto attach_flags = std::to_array<cli::FlagSpec>({
    {.name = "no-stdin", .kind = cli::Kind::Bool, .text = "its output alone"},
    {.name = "detach-keys", .value = "KEYS", .text = "what leaves it running: ctrl-p,ctrl-q"},
    {.name = "sig-proxy", .kind = cli::Kind::Bool, .text = "hand signals on to it", .initial = "true"},
});

Result<int> stay(const Context &context, const Engine &engine, const ContainerRecord &record, kernel::Fd monitor,
                 const SignalProxy &signals, bool input) {
  const AttachEnd end = TRY(stay_attached(engine, record, std::move(monitor), &signals,
                                          {.input = input,
                                           .output = true,
                                           .proxy = context.flags().boolean("sig-proxy"),
                                           .detach_keys = context.flag("detach-keys")}));
  return end.detached ? 0 : end.code;
}

Result<int> start_attached(const Context &context) {
  if (context.invocation.positionals.size() > 1) return fail("start: only one container can be attached to");
  const Engine engine = TRY(open_engine(context.global(), context.log));
  TRY(need_name(context));
  const Container container = TRY(find_named(context, engine, context.argument(0)));
  const SignalProxy signals = TRY(SignalProxy::start());
  Started started = TRY(start_container(engine, container.id(), {.attach = true}));
  const bool input = context.flags().boolean("interactive") && container.record.stdin_open;
  return stay(context, engine, container.record, std::move(started.attached), signals, input);
}

Result<int> start(const Context &context) {
  TRY(parse_detach_keys(context.flag("detach-keys")));
  if (context.flags().boolean("restart-policies")) return start_at_boot(context);
  const bool dry = is_dry_run(context);
  if (!dry && (context.flags().boolean("attach") || context.flags().boolean("interactive")))
    return start_attached(context);
  const Engine here = TRY(open_engine(context.global(), context.log));
  const std::optional<Scope> scope = TRY(find_scope_of_names(context, here, names_of(context)));
  if (scope) return start_project(context, *scope, names_of(context));
  return for_each_container(context, [](const Engine &engine, const std::string &id) -> Status {
    TRY(start_container(engine, id, {}));
    return {};
  });
}

Result<int> attach(const Context &context) {
  TRY(parse_detach_keys(context.flag("detach-keys")));
  const Engine engine = TRY(open_engine(context.global(), context.log));
  const Container container = TRY(find_named(context, engine, context.argument(0)));
  if (container.state.phase != ContainerState::Phase::running) {
    return fail(fmt::format("{} is {}: there is nothing to attach to", container.record.name,
                            phase_name(container.state.phase)),
                "start -a starts and attaches");
  }
  const SignalProxy signals = TRY(SignalProxy::start());
  kernel::Fd monitor = TRY(connect_to_monitor(engine, container.id()));
  const bool input = container.record.stdin_open && !context.flags().boolean("no-stdin");
  return stay(context, engine, container.record, std::move(monitor), signals, input);
}

}  // namespace

const CommandEntry start_command = {.command = {.name = "start",
                                                .usage = "[CONTAINER|SERVICE...]",
                                                .summary = "start containers that do not run",
                                                .flags = start_flags,
                                                .max_positionals = cli::kUnlimited},
                                    .run = start,
                                    .dry_run = DryRun::shown};

const CommandEntry attach_command = {
    .command = {.name = "attach",
                .usage = "CONTAINER",
                .summary = "connect this terminal with a running container",
                .description = "It ends with the container's exit code, or with 0 when the keys leave it running.",
                .flags = attach_flags,
                .min_positionals = 1,
                .max_positionals = 1},
    .run = attach};

}  // namespace skiff::compose
