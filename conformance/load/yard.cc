#include "conformance/load/yard.h"

#include <fmt/format.h>

#include "conformance/leavings.h"
#include "runtime/cli/value.h"
#include "runtime/kernel/path.h"

namespace skiff::conformance {

Result<Yard> Yard::make(YardPlace place) {
  Stage stage = TRY(Stage::make(*place.runtime, {.directory = place.directory + "/" + place.name,
                                                 .program = place.program,
                                                 .cgroup = place.cgroup,
                                                 .deadline = {},
                                                 .variant = {}}));
  return Yard(std::move(stage), std::move(place));
}

Result<Outcome> Yard::run(const std::vector<std::string> &words, kernel::FdView output) {
  std::vector<std::string> all = place_.runtime->words;
  all.insert(all.end(), {"--root", place_.directory + "/root"});
  all.insert(all.end(), words.begin(), words.end());
  Running running = TRY(spawn(all, {.directory = stage_.bundle(), .output = output}));
  return in(words.front(), finish(running, Clock::now() + place_.patience));
}

Result<Outcome> Yard::call(const std::vector<std::string> &words) { return run(words, kernel::no_fd); }

Status Yard::succeed(const std::vector<std::string> &words) {
  const Outcome outcome = TRY(call(words));
  if (outcome.code != 0) return fail(fmt::format("{}: {}", words.front(), outcome.summary()));
  return {};
}

Result<Outcome> Yard::create(const std::string &id, const std::vector<std::string> &program) {
  stage_.config.set("/linux/cgroupsPath", place_.cgroup + "/" + id);
  stage_.inside(program.front(), {program.begin() + 1, program.end()});
  TRY(stage_.save());
  Init init{.pid = 0, .pidfd = {}, .out = TRY(kernel::pipe2()), .text = {}};
  const std::string pid_file = stage_.path("pid");
  Outcome outcome = TRY(run({"create", "--bundle", stage_.bundle(), "--pid-file", pid_file, id}, init.out.write));
  if (outcome.code != 0) return outcome;
  init.pid = cli::parse_number<int>(TRY(read_file(pid_file))).value_or(0);
  init.pidfd = TRY(in("the pid file after create", kernel::pidfd_open(init.pid)));
  inits_[id] = std::move(init);
  return outcome;
}

Status Yard::created(const std::string &id, const std::vector<std::string> &program) {
  const Outcome outcome = TRY(create(id, program));
  if (outcome.code != 0) return fail(fmt::format("create: {}", outcome.summary()));
  return {};
}

int Yard::pid(const std::string &id) const {
  const auto found = inits_.find(id);
  return found == inits_.end() ? 0 : found->second.pid;
}

Status Yard::wait_for_end(const std::string &id) {
  const kernel::Fd &pidfd = inits_[id].pidfd;
  if (!TRY(kernel::wait_readable(pidfd, place_.patience))) return fail(id + ": its process does not end");
  (void)kernel::waitid(pidfd);  // ECHILD: it has another parent, or was reaped before
  return {};
}

Status Yard::wait_for_line(const std::string &id) {
  Init &init = inits_[id];
  (void)TRY(in(id, read_line(init.out.read, init.text, Clock::now() + place_.patience)));
  return {};
}

Result<std::string> Yard::status(const std::string &id) {
  const Outcome outcome = TRY(call({"state", id}));
  if (outcome.code != 0) return std::string();
  return TRY(in("state's output", Tree::parse(outcome.out))).text("/status");
}

Status Yard::removed(const std::string &id) {
  TRY(succeed({"delete", id}));
  inits_.erase(id);
  return {};
}

std::vector<std::string> find_leavings(const std::string &directory, const std::string &cgroup) {
  std::vector<std::string> left;
  const Result<kernel::Fd> root = kernel::open(directory + "/root", O_RDONLY | O_DIRECTORY);
  if (root) left = kernel::list_directory(*root).value_or(std::vector<std::string>());
  // Hidden names and skiff's @seccomp are no containers.
  std::erase_if(left, [](const std::string &name) { return name.starts_with('.') || name.starts_with('@'); });
  for (std::string &name : left) name.insert(0, "container ");
  for (const std::string &path : find_cgroups(cgroup)) {
    // The group that the containers' own are in belongs to nobody.
    if (!path.ends_with(cgroup)) left.push_back("cgroup " + path);
  }
  return left;
}

}  // namespace skiff::conformance
