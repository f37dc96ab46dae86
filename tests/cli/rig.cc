#include "tests/cli/rig.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "runtime/kernel/process.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

constexpr const char *busybox = "/bin/busybox";

void make_rootfs(const std::string &path) {
  for (const char *name : {"bin", "dev", "etc", "proc", "sys", "tmp", "root", "work"}) {
    fs::create_directories(path + "/" + name);
  }
  fs::copy_file(busybox, path + "/bin/busybox");
  for (const char *name :
       {"sh",       "cat",        "echo",     "ls",   "id",    "sleep", "true",   "false", "stat",   "mount",
        "hostname", "env",        "tty",      "ps",   "kill",  "touch", "mkdir",  "rm",    "test",   "readlink",
        "grep",     "wc",         "dd",       "head", "tail",  "stty",  "umask",  "chmod", "ln",     "mknod",
        "ip",       "nproc",      "nice",     "date", "tr",    "sed",   "cut",    "od",    "find",   "sysctl",
        "unshare",  "mountpoint", "realpath", "seq",  "sort",  "cmp",   "printf", "uname", "setsid", "trap",
        "awk",      "chown",      "cp",       "mv",   "dmesg", "ionice"}) {
    fs::create_symlink("busybox", path + "/bin/" + name);
  }
  write_file(path + "/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n");
  write_file(path + "/etc/group", "root:x:0:\nuser:x:1000:\n");
}

Json make_config(const std::string &cgroup) {
  Json config = Json::parse(R"({
    "ociVersion": "1.3.0",
    "process": {
      "user": {"uid": 0, "gid": 0},
      "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
      "cwd": "/",
      "capabilities": {},
      "noNewPrivileges": true
    },
    "root": {"path": "rootfs"},
    "hostname": "rig",
    "mounts": [
      {"destination": "/proc", "type": "proc", "source": "proc"},
      {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
       "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
      {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
       "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
      {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
       "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
      {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]}
    ],
    "linux": {
      "resources": {"devices": [{"allow": false, "access": "rwm"}]},
      "namespaces": [{"type": "pid"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"},
                     {"type": "cgroup"}],
      "maskedPaths": ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"],
      "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
    }
  })");
  const Json capabilities = {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"};
  for (const char *set : {"bounding", "effective", "permitted"}) config["process"]["capabilities"][set] = capabilities;
  config["linux"]["cgroupsPath"] = cgroup;
  return config;
}

std::string make_cgroup_name() {
  static int count = 0;
  return "/skiff-test-" + std::to_string(::getpid()) + "-" + std::to_string(count++);
}

}  // namespace

Rig::Rig() : cgroup_(make_cgroup_name()) {
  make_rootfs(rootfs());
  config = make_config(cgroup_);
  script("true");
}

Rig::~Rig() {
  std::error_code ignored;
  for (const auto &entry : fs::directory_iterator(root(), ignored)) {
    (void)run_program({program(), "--root", root(), "delete", "--force", entry.path().filename()});
  }
}

void Rig::become(unsigned uid, std::vector<std::string> words) {
  as_ = std::move(words);
  if (::geteuid() == uid) return;
  const auto give = [uid](const fs::path &path) {
    if (::lchown(path.c_str(), uid, uid) != 0) throw std::runtime_error("lchown " + path.string());
  };
  give(directory_.path());
  for (const auto &entry : fs::recursive_directory_iterator(directory_.path())) give(entry.path());
}

void Rig::script(const std::string &text) { config["process"]["args"] = {"sh", "-c", text}; }

Outcome Rig::skiff(const std::vector<std::string> &words, const std::string &input) {
  write_file(bundle() + "/config.json", config.dump(2));
  std::vector<std::string> all = {"/usr/bin/env", "-C", bundle()};
  all.insert(all.end(), as_.begin(), as_.end());
  all.insert(all.end(), {program(), "--root", root()});
  all.insert(all.end(), words.begin(), words.end());
  return run_program(all, input);
}

Outcome Rig::run(const std::string &text) {
  script(text);
  return skiff({"run", id()});
}

int Rig::start_waiting() {
  // The trap makes SIGTERM end pid 1, which the kernel would otherwise shield from it.
  script("trap 'exit 0' TERM; touch /tmp/waiting; while true; do sleep 1000 & wait $!; done");
  const Outcome created = skiff({"create", "--pid-file", path("pid"), id()});
  if (created.code != 0) throw std::runtime_error("create: " + created.err);
  const Outcome started = skiff({"start", id()});
  if (started.code != 0) throw std::runtime_error("start: " + started.err);
  if (!wait_for_file(rootfs() + "/tmp/waiting")) throw std::runtime_error("the container does not run");
  return std::stoi(read_file(path("pid")));
}

Json Rig::state() {
  const Outcome outcome = skiff({"state", id()});
  if (outcome.code != 0) throw std::runtime_error("state: " + outcome.err);
  return Json::parse(outcome.out);
}

std::vector<std::string> Rig::leftovers() const {
  std::vector<std::string> found;
  std::error_code ignored;
  for (const auto &entry : fs::directory_iterator(root(), ignored)) {
    if (entry.path().filename() != "@seccomp") found.push_back(entry.path());
  }
  // At any depth: a relative cgroupsPath starts at our own cgroup. Others' come and go meanwhile.
  for (auto entry = fs::recursive_directory_iterator("/sys/fs/cgroup", ignored); entry != fs::end(entry);
       entry.increment(ignored)) {
    if (entry->path().filename() == cgroup_.substr(1)) found.push_back(entry->path());
  }
  std::istringstream mounts(read_file("/proc/self/mountinfo"));
  for (std::string line; std::getline(mounts, line);) {
    if (line.find(directory_.path()) != std::string::npos) found.push_back(line);
  }
  return found;
}

std::string program() {
  const char *chosen = std::getenv("SKIFF");
  return chosen != nullptr ? chosen : SKIFF_PROGRAM;
}

Outcome run_program(const std::vector<std::string> &words, const std::string &input) {
  kernel::Pipe in = kernel::pipe2().value();
  kernel::Pipe out = kernel::pipe2().value();
  kernel::Pipe err = kernel::pipe2().value();
  kernel::Child child = kernel::clone3({}).value();
  if (child.is_this_process()) {
    std::vector<const char *> argv;
    for (const std::string &word : words) argv.push_back(word.c_str());
    argv.push_back(nullptr);
    if (!kernel::dup_onto(in.read, 0) || !kernel::dup_onto(out.write, 1) || !kernel::dup_onto(err.write, 2)) _exit(126);
    (void)kernel::execveat(kernel::cwd, words.front(), argv.data(), environ, 0);
    _exit(127);
  }
  in.read.reset();
  out.write.reset();
  err.write.reset();
  (void)kernel::ignore_signal(SIGPIPE);
  (void)kernel::write_all(in.write, input);
  in.write.reset();
  Outcome outcome;
  while (out.read.valid() || err.read.valid()) {
    std::array<pollfd, 3> fds = {
        {{out.read.get(), POLLIN, 0}, {err.read.get(), POLLIN, 0}, {child.pidfd().get(), POLLIN, 0}}};
    (void)kernel::poll(fds, kernel::forever);
    if (fds[0].revents == 0 && fds[1].revents == 0) break;  // it has ended and all it wrote is here
    for (auto [fd, text, ready] :
         {std::tuple{&out.read, &outcome.out, fds[0].revents}, std::tuple{&err.read, &outcome.err, fds[1].revents}}) {
      if (ready == 0) continue;
      std::array<char, 65536> buffer{};
      const Result<std::size_t> got = kernel::read_some(*fd, buffer);
      if (!got || *got == 0) {
        fd->reset();
      } else {
        text->append(buffer.data(), *got);
      }
    }
  }
  outcome.code = child.wait().value().shell_code();
  return outcome;
}

std::string read_file(const std::string &path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_file(const std::string &path, const std::string &text) {
  std::ofstream file(path);
  file << text;
}

bool wait_for_file(const std::string &path, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  const kernel::Fd watch(::inotify_init1(IN_CLOEXEC));
  const std::string directory = fs::path(path).parent_path();
  if (::inotify_add_watch(watch.get(), directory.c_str(), IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE) < 0) return false;
  while (!fs::exists(path)) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    const Result<bool> ready = kernel::wait_readable(watch, left);
    if (!ready || !*ready) return fs::exists(path);
    std::array<char, 4096> events{};
    (void)kernel::read_some(watch, events);
  }
  return true;
}

bool wait_for_end(int pid, std::chrono::milliseconds patience) {
  const Result<kernel::Fd> pidfd = kernel::pidfd_open(pid);
  if (!pidfd) return true;
  const Result<bool> ended = kernel::wait_readable(*pidfd, patience);
  return ended && *ended;
}

}  // namespace skiff::rig
