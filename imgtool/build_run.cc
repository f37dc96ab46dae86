#include "imgtool/build_run.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <array>

#include "imgtool/runtime_config.h"
#include "imgtool/tree_path.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/prctl.h"
#include "runtime/kernel/process.h"

namespace skiff::image {
namespace {

constexpr std::array<const char *, 3> directories = {"/proc", "/dev", "/sys"};
constexpr std::array<const char *, 2> host_files = {"/etc/resolv.conf", "/etc/hosts"};
constexpr off_t shown_output = 4096;

struct Words {
  explicit Words(std::vector<std::string> all) : texts(std::move(all)) {
    for (const std::string &text : texts) pointers.push_back(text.c_str());
    pointers.push_back(nullptr);
  }
  std::vector<std::string> texts;
  std::vector<const char *> pointers;
};

// ---- between clone3(2) and exec: other threads may hold the heap's lock, so nothing here allocates ----

[[noreturn]] void become(const Words &words) {
  (void)kernel::execveat(kernel::cwd, words.pointers.front(), words.pointers.data(), environ, 0);
  _exit(127);
}

bool take_streams(const kernel::Fd &in, kernel::FdView out) {
  return kernel::dup_onto(in, 0) && kernel::dup_onto(out, 1) && kernel::dup_onto(out, 2);
}

// Waits for the runtime, and deletes its container when this program goes before it: a container's first process would
// survive the signal that the runtime passes on.
[[noreturn]] void guard(const Words &run, const Words &remove, pid_t parent) {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&signals, signal);
  if (!kernel::block_signals(signals) || !kernel::set_pdeathsig(SIGTERM)) _exit(126);
  if (kernel::getppid() != parent) _exit(126);
  Result<kernel::Fd> ending = kernel::signalfd(signals);
  Result<kernel::Child> runtime = kernel::clone3({});
  if (!ending || !runtime) _exit(126);
  if (runtime->is_this_process()) {
    (void)kernel::reset_signals();
    become(run);
  }
  std::array<pollfd, 2> events = {{{runtime->pidfd().get(), POLLIN, 0}, {ending->get(), POLLIN, 0}}};
  (void)kernel::poll(events, kernel::forever);
  // With the signals blocked, as the one that has come is still pending and would end it.
  if (events[0].revents == 0) become(remove);
  const Result<kernel::ExitStatus> status = runtime->wait();
  _exit(status ? status->shell_code() : 126);
}

// ---- the container ----

void add_bind(spec::Config &config, const std::string &source, const std::string &destination) {
  spec::Mount mount;
  mount.destination = destination;
  mount.type = "bind";
  mount.source = source;
  mount.options = {"bind", "ro", "nosuid", "nodev"};
  config.mounts.push_back(std::move(mount));
}

Result<spec::Config> make_config(const RunRequest &request, const std::string &script) {
  spec::ImageConfig image = request.config;
  image.config.entrypoint.reset();
  image.config.cmd = request.words;
  image.config.env = request.env;
  image.config.labels.clear();
  RuntimeOptions options;
  options.volumes = VolumeStyle::none;
  options.root_path = request.rootfs;
  options.host_network = request.host_network;
  options.new_privileges = true;
  const kernel::Fd root = TRY(kernel::open(request.rootfs, O_RDONLY | O_DIRECTORY));
  RuntimeConfig made = TRY(make_runtime_config(image, root, options));
  for (const char *file : host_files) {
    if (request.host_network && kernel::faccessat(kernel::cwd, file, R_OK)) add_bind(made.config, file, file);
  }
  if (!script.empty()) add_bind(made.config, script, script_path);
  return std::move(made.config);
}

Status write_file(const std::string &path, std::string_view text, mode_t mode) {
  const kernel::Fd file = TRY(kernel::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode));
  return kernel::write_all(file, text);
}

Result<std::string> end_of(const kernel::Fd &output) {
  const off_t size = TRY(kernel::lseek(output, 0, SEEK_END));
  std::string text(static_cast<std::size_t>(std::min(size, shown_output)), '\0');
  text.resize(TRY(kernel::pread_some(output, text, static_cast<std::uint64_t>(size) - text.size())));
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace

Result<MountTargets> MountTargets::make(const std::string &rootfs) {
  MountTargets targets;
  targets.root_ = TRY(kernel::open(rootfs, O_RDONLY | O_DIRECTORY));
  std::vector<std::string> missing;
  for (const char *path : directories) {
    (void)TRY(real_path(targets.root_, path, &missing));
    (void)TRY(kernel::make_directory_in_root(targets.root_, path, 0755));
  }
  for (const char *path : host_files) {
    (void)TRY(real_path(targets.root_, path, &missing));
    (void)TRY(kernel::make_file_in_root(targets.root_, path, 0644));
  }
  for (const std::string &path : missing) targets.made_.insert(path.substr(1));
  return targets;
}

MountTargets::~MountTargets() {
  if (!root_.valid()) return;
  // The innermost first. What the command has put there stays.
  for (auto path = made_.rbegin(); path != made_.rend(); ++path) {
    const std::size_t slash = path->rfind('/');
    const std::string parent = slash == std::string::npos ? "/" : path->substr(0, slash);
    const Result<kernel::Fd> directory = kernel::find_in_root(root_, parent, O_PATH | O_DIRECTORY);
    if (!directory || !directory->valid()) continue;
    const std::string name = slash == std::string::npos ? *path : path->substr(slash + 1);
    if (!kernel::unlinkat(*directory, name, AT_REMOVEDIR)) (void)kernel::unlinkat(*directory, name);
  }
}

Status run_command(Workshop &workshop, const RunRequest &request) {
  const std::string bundle = TRY(workshop.make_directory("bundle"));
  std::string script;
  if (!request.script.empty()) {
    script = bundle + "/script";
    TRY(write_file(script, request.script, 0755));
  }
  TRY(write_file(bundle + "/config.json", spec::print_config(TRY(make_config(request, script)), false), 0600));
  const std::string id = fmt::format("skiff-build-{}", workshop.path().substr(workshop.path().rfind('/') + 1));
  const Words run({workshop.runtime(), "--root", workshop.runtime_root(), "run", "--bundle", bundle, id});
  const Words remove({workshop.runtime(), "--root", workshop.runtime_root(), "delete", "--force", id});
  const kernel::Fd input = TRY(kernel::open("/dev/null", O_RDONLY));
  kernel::Fd output;
  if (request.quiet) output = TRY(kernel::memfd_create("output", 0));
  const kernel::FdView shown = request.quiet ? kernel::FdView(output) : kernel::FdView(STDERR_FILENO);
  const pid_t parent = kernel::getpid();
  kernel::Child child = TRY(kernel::clone3({}));
  if (child.is_this_process()) {
    if (!take_streams(input, shown)) _exit(126);
    guard(run, remove, parent);
  }
  const kernel::ExitStatus status = TRY(child.wait());
  if (status.shell_code() == 0) return {};
  std::string text = fmt::format("exit status {}", status.shell_code());
  if (request.quiet) text += "\n" + TRY(end_of(output)) + "\n";
  return fail(std::move(text));
}

void delete_container(const std::string &runtime, const std::string &root, const std::string &id) {
  const Words remove({runtime, "--root", root, "delete", "--force", id});
  const Result<kernel::Fd> nothing = kernel::open("/dev/null", O_RDWR);
  if (!nothing) return;
  Result<kernel::Child> child = kernel::clone3({});
  if (!child) return;
  if (child->is_this_process()) {
    if (!take_streams(*nothing, *nothing)) _exit(126);
    (void)kernel::reset_signals();
    become(remove);
  }
  (void)child->wait();
}

}  // namespace skiff::image
