#include "conformance/faults/registry.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "conformance/stage.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/prctl.h"

namespace skiff::conformance {
namespace {

constexpr const char *program = "/usr/bin/docker-registry";

Result<kernel::Child> start_program(const std::string &config, const kernel::Fd &log) {
  kernel::Child child = TRY(kernel::clone3({}));
  if (!child.is_this_process()) return child;
  const std::array<const char *, 4> argv = {program, "serve", config.c_str(), nullptr};
  if (kernel::set_pdeathsig(SIGKILL) && kernel::dup_onto(log, 1) && kernel::dup_onto(log, 2)) {
    (void)kernel::execveat(kernel::cwd, program, argv.data(), environ, 0);
  }
  ::_exit(127);
}

// The port is the kernel's choice; its log tells which.
Result<std::string> hear_address(const kernel::Fd &log) {
  constexpr std::string_view words = "listening on ";
  const Clock::time_point deadline = Clock::now() + std::chrono::seconds(30);
  for (std::string buffer;;) {
    const std::string line = TRY(read_line(log, buffer, deadline));
    const std::size_t at = line.find(words);
    if (at == std::string::npos) continue;
    const std::string rest = line.substr(at + words.size());
    return rest.substr(0, rest.find_first_of("\", "));
  }
}

Result<kernel::Child> read_on(const kernel::Fd &log) {
  kernel::Child child = TRY(kernel::clone3({}));
  if (!child.is_this_process()) return child;
  (void)kernel::set_pdeathsig(SIGKILL);
  std::array<char, 4096> buffer{};
  while (kernel::read_some(log, buffer).value_or(0) > 0) continue;
  ::_exit(0);
}

}  // namespace

Result<Registry> Registry::start(const std::string &directory) {
  Registry registry;
  if (!kernel::faccessat(kernel::cwd, program, X_OK)) return registry;
  TRY(make_directory(directory));
  const std::string config = directory + "/config.yml";
  TRY(write_file(config, fmt::format("version: 0.1\n"
                                     "log: {{level: info, accesslog: {{disabled: true}}}}\n"
                                     "storage: {{filesystem: {{rootdirectory: {}/data}}}}\n"
                                     "http: {{addr: '127.0.0.1:0', secret: none}}\n",
                                     directory)));
  kernel::Pipe log = TRY(kernel::pipe2());
  registry.process_ = TRY(start_program(config, log.write));
  log.write.reset();
  registry.address_ = TRY(in("docker-registry", hear_address(log.read)));
  registry.reader_ = TRY(read_on(log.read));
  return registry;
}

}  // namespace skiff::conformance
