#include "compose/cmd/project_scope.h"
#include "compose/env_file.h"
#include "compose/exec_streams.h"
#include "compose/execution.h"
#include "runtime/kernel/tty.h"

namespace skiff::compose {
namespace {

constexpr auto flags = std::to_array<cli::FlagSpec>({
    {.name = "detach", .letter = 'd', .kind = cli::Kind::Bool, .text = "return as soon as it runs"},
    {.name = "interactive", .letter = 'i', .kind = cli::Kind::Bool, .text = "with our standard input"},
    {.name = "tty", .letter = 't', .kind = cli::Kind::Bool, .text = "give it a terminal"},
    {.name = "env",
     .letter = 'e',
     .kind = cli::Kind::Strings,
     .value = "NAME[=VALUE]",
     .text = "an environment variable; without a value our own"},
    {.name = "env-file", .kind = cli::Kind::Strings, .value = "FILE", .text = "environment variables, a line each"},
    {.name = "user", .letter = 'u', .value = "USER[:GROUP]", .text = "who runs it, by name or id"},
    {.name = "workdir", .letter = 'w', .value = "DIR", .text = "where it starts"},
    {.name = "privileged", .kind = cli::Kind::Bool, .text = "with every capability"},
    {.name = "index",
     .kind = cli::Kind::Uint32,
     .value = "N",
     .text = "of a service with several containers, which one"},
    {.name = "no-tty", .letter = 'T', .kind = cli::Kind::Bool, .text = "of a service: no terminal, though we have one"},
    {.name = "detach-keys", .value = "KEYS", .text = "accepted for docker's callers", .hidden = true},
});

Result<ExecRequest> exec_request(const Context &context) {
  ExecRequest request;
  for (std::size_t i = 1; i < context.invocation.positionals.size(); ++i) request.args.push_back(context.argument(i));
  for (const std::string_view file : context.flags().strings("env-file")) {
    for (auto &variable : TRY(load_env_file(std::string(file)))) set_variable(request.environment, std::move(variable));
  }
  for (const std::string_view word : context.flags().strings("env")) {
    set_variable(request.environment, TRY(in("--env", parse_variable(word))));
  }
  request.user = context.flag("user");
  request.working_dir = context.flag("workdir");
  request.privileged = context.flags().boolean("privileged");
  return request;
}

Result<int> run_detached(const ExecCommand &command) {
  const int code = TRY(TRY(start_program(command.words, {})).wait()).shell_code();
  if (code == 0) return 0;
  std::string said(65536, '\0');
  said.resize(TRY(kernel::pread_some(command.log, said, 0)));
  while (said.ends_with('\n')) said.pop_back();
  (void)kernel::write_all(kernel::FdView(2), said + "\n");
  return exec_exit_code(command, code);
}

// docker exec gives a program neither our input nor a terminal without a word; docker compose exec gives both, the
// terminal where we have one ourselves.
struct Streamed {
  bool input = false;
  bool terminal = false;
};
Streamed streams_of(const cli::Flags &given, bool of_service) {
  if (given.boolean("detach")) return {.input = false, .terminal = given.boolean("tty")};
  const auto either = [&](std::string_view name, bool otherwise) {
    return given.given(name) ? given.boolean(name) : otherwise;
  };
  const bool ours = kernel::is_terminal(kernel::FdView(0)) && kernel::is_terminal(kernel::FdView(1));
  return {.input = either("interactive", of_service),
          .terminal = !given.boolean("no-tty") && either("tty", of_service && ours)};
}

Result<int> run(const Context &context) {
  const cli::Flags &given = context.flags();
  ExecRequest request = TRY(exec_request(context));
  const Engine engine = TRY(open_engine(context.global(), context.log));
  const std::string name = context.argument(0);
  const std::optional<Scope> scope = TRY(find_scope_of_names(context, engine, {name}));
  const Container container =
      TRY(scope ? find_of_service(engine.places, *scope, name, given.uint32("index").value_or(0))
                : find_container(engine.places, name));
  const Streamed streams = streams_of(given, scope.has_value());
  request.terminal = streams.terminal;
  const ExecCommand command = TRY(make_exec_command(engine, container, request, given.boolean("detach")));
  if (given.boolean("detach")) return run_detached(command);
  const SignalProxy signals = TRY(SignalProxy::start());
  ExecStreams ours = TRY(ExecStreams::open(streams.input, streams.terminal));
  kernel::Child child = TRY(start_program(command.words, ours.of_program()));
  return exec_exit_code(command, TRY(ours.attend(child, signals)));
}

}  // namespace

const CommandEntry exec_command = {
    .command = {.name = "exec",
                .usage = "CONTAINER|SERVICE COMMAND [ARGUMENT...]",
                .summary = "run one more program in a running container",
                .description =
                    "The exit code is the program's; 126 where it cannot be run, 127 where it is not there. In a "
                    "service's container it has our standard input, and a terminal where we have one; in "
                    "another with -i and -t.",
                .flags = flags,
                .min_positionals = 2,
                .max_positionals = cli::kUnlimited,
                .stop_at_first_positional = true,
                .joined_values = true},
    .run = run};

}  // namespace skiff::compose
