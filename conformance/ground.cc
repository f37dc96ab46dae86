#include "conformance/ground.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "conformance/leavings.h"
#include "conformance/observer.h"
#include "runtime/cli/usage.h"
#include "runtime/kernel/mount.h"
#include "runtime/kernel/namespace.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"

namespace skiff::conformance {
namespace {

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    if (!word.empty()) words.emplace_back(word);
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
  return words;
}

// The absolute path that a shell would run.
Result<std::string> find_program(const std::string &name) {
  if (name.find('/') != std::string::npos) {
    if (name.starts_with('/')) return name;
    return TRY(kernel::getcwd()) + "/" + name;
  }
  if (std::string found = kernel::find_on_path(name); !found.empty()) return found;
  return fail(ENOENT, name, "name a program on $PATH, or give a path");
}

}  // namespace

Result<std::vector<Runtime>> find_runtimes(const std::vector<std::string_view> &names) {
  std::vector<Runtime> all;
  for (const std::string_view name : names) {
    std::vector<std::string> words = split_words(name);
    if (words.empty()) return fail("a RUNTIME is empty");
    words.front() = TRY(find_program(words.front()));
    TRY(kernel::faccessat(kernel::cwd, words.front(), X_OK));
    std::string label = words.front().substr(words.front().rfind('/') + 1);
    const auto same = std::ranges::count_if(
        all, [&](const Runtime &other) { return other.name.substr(0, other.name.find('#')) == label; });
    if (same > 0) label += fmt::format("#{}", same + 1);
    all.push_back({std::move(label), std::move(words)});
  }
  return all;
}

Result<Ground> Ground::make() {
  if (::geteuid() != 0) return fail(EPERM, "what is tried makes cgroups, devices and namespaces", "run it as root");
  const char *temporary = std::getenv("TMPDIR");
  Ground ground;
  ground.directory_ = fmt::format("{}/skiff-conformance.XXXXXX", temporary == nullptr ? "/tmp" : temporary);
  if (::mkdtemp(ground.directory_.data()) == nullptr) return fail(errno, "mkdtemp: " + ground.directory_);
  // A user namespace's root passes through here to the rootfs.
  TRY(kernel::fchmodat(kernel::cwd, ground.directory_, 0711));
  ground.cgroup_ = fmt::format("/skiff-conformance-{}", kernel::getpid());
  TRY(write_file(ground.program(), observer(), 0755));
  return ground;
}

Ground::~Ground() {
  if (!directory_.empty()) (void)remove_leavings(directory_, cgroup_);
}

Status enter_mount_namespace() {
  TRY(kernel::unshare(CLONE_NEWNS));
  TRY(remedy("the root directory must be a mount point: run this in a container or after pivot_root, not in a chroot",
             kernel::mount("", "/", "", MS_REC | MS_SLAVE)));
  return kernel::mount("", "/", "", MS_REC | MS_SHARED);
}

Status show_unified_cgroups() {
  // Covering them would not do: who reads mountinfo still sees the hierarchies of v1.
  TRY(kernel::umount2("/sys/fs/cgroup", MNT_DETACH));
  return kernel::mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0);
}

unsigned jobs_of(const cli::Flags &given) {
  const long processors = ::sysconf(_SC_NPROCESSORS_ONLN);
  return std::max(given.uint32("jobs").value_or(static_cast<std::uint32_t>(processors)), 1U);
}

Status print(std::string_view text) { return kernel::write_all(kernel::FdView(1), text); }

Status append_figures(const cli::Flags &given, std::string_view lines) {
  const std::string path(given.string("figures"));
  if (path.empty()) return {};
  const kernel::Fd file = TRY(kernel::open(path, O_WRONLY | O_APPEND | O_CREAT, 0644));
  return kernel::write_all(file, lines);
}

std::chrono::milliseconds patience_of(const cli::Flags &given) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(*given.duration("timeout"));
}

Result<int> run_or_help(const cli::Program &program, std::span<const char *const> words,
                        Result<int> (*run)(const cli::Invocation &invocation)) {
  const cli::Invocation invocation = TRY(cli::parse(program, words));
  if (!invocation.help) return run(invocation);
  TRY(print(cli::command_help(program, *program.commands.front())));
  return 0;
}

}  // namespace skiff::conformance
