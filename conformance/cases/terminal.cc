// config.md, Process: terminal and consoleSize; config-linux.md, Default Devices: the console.
#include "conformance/cases/tables.h"
#include "conformance/stage.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/socket.h"
#include "runtime/kernel/tty.h"

namespace skiff::conformance {
namespace {

constexpr std::size_t longest = 65536;

// create and start with a console socket, and what the program prints on its terminal.
Result<Tree> observed_on_terminal(Stage &stage) {
  stage.config.set("/process/terminal", true);
  const std::string path = stage.path("console");
  const kernel::Fd listener = TRY(kernel::listen_unix(kernel::cwd, path, SOCK_STREAM, 1));
  TRY(stage.created({"--console-socket", path}));
  if (!TRY(kernel::wait_readable(listener, left(stage.deadline()))))
    return fail("no terminal came over --console-socket");
  const kernel::Fd connection = TRY(kernel::accept4(listener));
  const std::optional<kernel::Message> message = TRY(kernel::recv_message(connection, longest, 4));
  if (!message || message->fds.size() != 1) return fail("--console-socket brought no descriptor, or several");
  TRY(stage.succeed({"start", stage.id()}));
  std::string buffer;
  return Tree::parse(TRY(read_line(message->fds.front(), buffer, stage.deadline())));
}

Verdict terminal(Stage &stage) {
  const Tree seen = TRY(observed_on_terminal(stage));
  for (const char *stream : {"/terminal/0", "/terminal/1", "/terminal/2"}) {
    TRY(expect_same(stream, seen.text(stream), "true"));
  }
  return {};
}

Verdict console(Stage &stage) {
  return expect_same("/dev/console is the terminal of stdin",
                     TRY(observed_on_terminal(stage)).text("/terminal/console"), "true");
}

Verdict size(Stage &stage) {
  stage.config.set("/process/consoleSize", R"({"height": 31, "width": 97})"_json);
  const Tree seen = TRY(observed_on_terminal(stage));
  TRY(expect_number("the terminal's height", seen.number("/terminal/height"), 31));
  return expect_number("the terminal's width", seen.number("/terminal/width"), 97);
}

Verdict size_without_terminal(Stage &stage) {
  stage.config.set("/process/consoleSize", R"({"height": 31, "width": 97})"_json);
  const Tree seen = TRY(stage.observed());
  return expect_same("stdin is a terminal", seen.text("/terminal/0"), "false");
}

Verdict no_console(Stage &stage) {
  stage.inside("observe", {"stat:/dev/console"});
  const Tree seen = TRY(stage.observed());
  const Tree *found = probe_value(seen, 0);
  // A file by that name is no clause's matter, a terminal by that name would be somebody else's.
  return expect(found->number("/major").value_or(0) != 136, "/dev/console without terminal", "no terminal",
                found->dump());
}

constexpr Case table[] = {
    {"terminal/is-on-the-three-streams", "runtime.start.runs", terminal},
    {"terminal/is-the-console", "linux.devices.default.console", console},
    {"terminal/has-its-size", "runtime.start.runs", size},
    {"terminal/size-without-terminal-is-ignored", "config.process.consoleSize.ignored", size_without_terminal},
    {"terminal/no-console-without-it", "linux.devices.default.console", no_console},
};

}  // namespace

std::span<const Case> terminal_cases() { return table; }

}  // namespace skiff::conformance
