#include "conformance/stage.h"

#include <fmt/format.h>

#include <algorithm>

#include "conformance/leavings.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"

namespace skiff::conformance {
namespace {

Tree make_config(const std::string &cgroup) {
  // The oldest version that has all of the fields below: an older runtime may refuse what it does not know.
  Tree config = R"({
    "ociVersion": "1.0.2",
    "process": {
      "user": {"uid": 0, "gid": 0},
      "env": ["PATH=/"],
      "cwd": "/",
      "capabilities": {
        "bounding": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"],
        "effective": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"],
        "permitted": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
      }
    },
    "root": {"path": "rootfs"},
    "mounts": [
      {"destination": "/proc", "type": "proc", "source": "proc"},
      {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=65536k"]},
      {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
       "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]},
      {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "noexec", "nodev"]}
    ],
    "linux": {
      "namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}, {"type": "network"},
                     {"type": "cgroup"}]
    }
  })"_json;
  config.set("/linux/cgroupsPath", cgroup);
  return config;
}

Status make_bundle(const Stage &stage) {
  for (const std::string &directory : {stage.path(""), stage.bundle(), stage.rootfs()}) TRY(make_directory(directory));
  for (const char *name : {"/dev", "/proc", "/sys", "/tmp", "/work"}) TRY(make_directory(stage.rootfs() + name));
  TRY(kernel::fchmodat(kernel::cwd, stage.rootfs() + "/tmp", 01777));
  return kernel::linkat(kernel::cwd, stage.program(), kernel::cwd, stage.rootfs() + "/inside");
}

}  // namespace

Result<Stage> Stage::make(const Runtime &runtime, Place place) {
  Stage stage(runtime, std::move(place));
  TRY(make_bundle(stage));
  stage.config = make_config(stage.cgroup());
  stage.inside("observe");
  return stage;
}

void Stage::inside(std::string_view mode, const std::vector<std::string> &words) {
  Tree arguments = R"(["/inside"])"_json;
  arguments.set("/-", std::string(mode));
  for (const std::string &word : words) arguments.set("/-", word);
  config.set("/process/args", std::move(arguments));
}

Status Stage::save() const { return write_file(bundle() + "/config.json", config.dump()); }

Result<Outcome> Stage::call(const std::vector<std::string> &words, kernel::FdView input, Clock::time_point until) {
  std::vector<std::string> all = runtime_.words;
  all.insert(all.end(), {"--root", path("root")});
  all.insert(all.end(), words.begin(), words.end());
  Running running = TRY(spawn(all, {.directory = bundle(), .input = input}));
  Outcome outcome = TRY(in(words.empty() ? "" : words.front(), finish(running, std::min(until, place_.deadline))));
  if (!words.empty() && words.front() == "create") {
    out_ = std::move(running.out);
    err_ = std::move(running.err);
    lines_ = outcome.out;
  }
  return outcome;
}

Result<Outcome> Stage::call_alone(const std::vector<std::string> &words, const std::string &directory) const {
  std::vector<std::string> all = runtime_.words;
  all.insert(all.end(), words.begin(), words.end());
  Running running = TRY(spawn(all, {.directory = directory}));
  return in(words.empty() ? "" : words.front(), finish(running, place_.deadline));
}

Result<std::string> Stage::binary_bytes() const {
  constexpr std::size_t longest = std::size_t{1} << 28;
  return kernel::read_all(TRY(kernel::open(runtime_.words.front(), O_RDONLY)), longest);
}

Status Stage::copy_binary() {
  const std::string copy = path("binary");
  TRY(write_file(copy, TRY(binary_bytes()), 0755));
  runtime_.words.front() = copy;
  return {};
}

Result<Outcome> Stage::create(const std::vector<std::string> &words) {
  TRY(save());
  std::vector<std::string> all = {"create", "--bundle", bundle()};
  all.insert(all.end(), words.begin(), words.end());
  all.push_back(id());
  return call(all);
}

Status Stage::created(const std::vector<std::string> &words) {
  const Outcome outcome = TRY(create(words));
  if (outcome.code != 0) return fail("create: " + outcome.summary());
  pidfd_ = TRY(in("the container after create", kernel::pidfd_open(TRY(pid()))));
  return {};
}

Status Stage::succeed(const std::vector<std::string> &words) {
  const Outcome outcome = TRY(call(words));
  if (outcome.code != 0) return fail(fmt::format("{}: {}", words.front(), outcome.summary()));
  return {};
}

Status Stage::started() {
  TRY(created());
  return succeed({"start", id()});
}

Result<Tree> Stage::state() {
  const Outcome outcome = TRY(call({"state", id()}));
  if (outcome.code != 0) return fail("state: " + outcome.summary());
  return in("state's output", Tree::parse(outcome.out));
}

Result<int> Stage::pid() {
  const Tree tree = TRY(state());
  const std::optional<std::int64_t> number = tree.number("/pid");
  if (!number || *number <= 0) return fail("state: a created container has a pid, this one shows " + tree.dump());
  return static_cast<int>(*number);
}

Result<Tree> Stage::line() {
  Result<std::string> text = read_line(out_, lines_, place_.deadline);
  if (!text) {
    Error error = std::move(text).error();
    // What the runtime wrote to stderr while it started the program is there by now.
    std::string said;
    if (kernel::set_nonblocking(err_, true)) said = kernel::read_all(err_, 65536).value_or("");
    if (!said.empty()) error.text += "; on stderr: " + said;
    return std::unexpected(std::move(error));
  }
  return in("the container's output", Tree::parse(*text));
}

Result<Tree> Stage::observed() {
  TRY(started());
  return line();
}

Result<Ending> Stage::ended() {
  if (!TRY(kernel::wait_readable(pidfd_, left(place_.deadline)))) return fail("the container's process did not end");
  Result<std::optional<kernel::ExitStatus>> status = kernel::waitid(pidfd_);
  if (!status && status.error().number == ECHILD) return Ending();
  return status;
}

Status Stage::clear() {
  place_.deadline = Clock::now() + std::chrono::seconds(10);
  const Result<kernel::Fd> root = kernel::open(path("root"), O_PATH | O_DIRECTORY);
  if (root) {
    for (const std::string &name : TRY(kernel::list_directory(*root))) {
      // Hidden names and skiff's @seccomp are no containers.
      if (!name.starts_with('.') && !name.starts_with('@')) (void)call({"delete", "--force", name});
    }
  }
  kill_children();
  return remove_leavings(place_.directory, place_.cgroup);
}

Verdict expect_refused(Stage &stage, std::string_view what) {
  const Outcome created = TRY(stage.create());
  if (created.code != 0) return {};
  const Outcome started = TRY(stage.call({"start", stage.id()}));
  return expect(started.code != 0, what, "an error of create or start", "both succeed");
}

Verdict expect_failure(Stage &stage, const std::vector<std::string> &words) {
  const Outcome outcome = TRY(stage.call(words));
  return expect(outcome.code != 0, fmt::format("{}", words.empty() ? "no operation" : words.front()), "an error",
                "success");
}

Verdict expect_status(Stage &stage, std::string_view status) {
  const Tree state = TRY(stage.state());
  return expect_same("the state's status", state.text("/status"), std::string(status));
}

std::int64_t probe_errno(const Tree &seen, std::size_t index) {
  return seen.number(fmt::format("/probes/{}/errno", index)).value_or(-1);
}

const Tree *probe_value(const Tree &seen, std::size_t index) {
  return seen.find(fmt::format("/probes/{}/value", index));
}

const Tree *mount_at(const Tree &seen, std::string_view destination) {
  const Tree *found = nullptr;
  const Tree *mounts = seen.find("/mounts");
  if (mounts == nullptr) return nullptr;
  for (const Tree::Member &mount : mounts->members()) {
    if (mount.value.text("/destination") == destination) found = &mount.value;
  }
  return found;
}

Status write_file(const std::string &path, std::string_view text, mode_t mode) {
  const kernel::Fd file = TRY(kernel::open(path, O_WRONLY | O_CREAT | O_TRUNC, mode));
  return kernel::write_all(file, text);
}

Result<std::string> read_file(const std::string &path) {
  constexpr std::size_t longest = std::size_t{1} << 20;
  return kernel::read_all(TRY(kernel::open(path, O_RDONLY)), longest);
}

Status make_directory(const std::string &path) { return kernel::mkdirat(kernel::cwd, path, 0755); }

bool exists(const std::string &path) { return kernel::fstatat(kernel::cwd, path, AT_SYMLINK_NOFOLLOW).has_value(); }

Result<std::string> namespace_of(std::string_view pid, std::string_view name) {
  return kernel::readlinkat(kernel::cwd, fmt::format("/proc/{}/ns/{}", pid, name));
}

}  // namespace skiff::conformance
