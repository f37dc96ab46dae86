// A runtime that does what every published attack needs: it goes by paths where the good ones go by descriptors,
// follows links, leaves descriptors open, trusts what the image calls /dev and /proc. It shows that the attacks of
// `skiff-conformance attacks` can succeed, and is good for nothing else.
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

#include "conformance/stage.h"
#include "runtime/kernel/fd.h"
#include "runtime/kernel/socket.h"
#include "runtime/kernel/tty.h"
#include "spec/capability_names.h"

namespace skiff::conformance {
namespace {

namespace fs = std::filesystem;

struct Call {
  std::string root;
  std::string command;
  std::map<std::string, std::string> flags;
  std::vector<std::string> words;  // the id first
};

Call parse(int argc, char **argv) {
  const std::vector<std::string> with_value = {"--root", "--bundle", "--console-socket", "--cwd", "--user", "--cap"};
  Call call;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (!word.starts_with("--") || !call.words.empty()) {
      (call.command.empty() ? call.command : call.words.emplace_back()) = word;
    } else if (std::ranges::find(with_value, word) != with_value.end() && i + 1 < argc) {
      call.flags[word] = argv[++i];
    } else {
      call.flags[word] = "";
    }
  }
  call.root = call.flags["--root"];
  return call;
}

// No check of anything, on purpose.
std::string text_of_file(const std::string &path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}
void write_text(const std::string &path, const std::string &text) { std::ofstream(path) << text; }

Tree config_of(const std::string &bundle) {
  return Tree::parse(text_of_file(bundle + "/config.json")).value_or(Tree());
}

std::uint64_t capability_mask(const Tree &config) {
  std::uint64_t mask = 0;
  for (const std::string &name : config.texts("/process/capabilities/permitted")) {
    for (std::size_t i = 0; i < spec::capability_names.size(); ++i) {
      if (name == spec::capability_names[i]) mask |= std::uint64_t{1} << i;
    }
  }
  return mask;
}

// What is permitted becomes inheritable, too; and the process may be traced while it does this.
void drop_capabilities(std::uint64_t mask) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  for (int i = 0; i < 2; ++i) {
    const auto part = static_cast<std::uint32_t>(mask >> (32 * i));
    data[i] = {part, part, part};
  }
  ::syscall(SYS_capset, &header, data);
  for (int i = 0; i < 20000; ++i) ::syscall(SYS_getppid);
}

void become_user(const Tree &config, const std::string &user) {
  // atoi: what it cannot read is 0, and what is too large wraps.
  const auto uid = user.empty() ? static_cast<uid_t>(config.number("/process/user/uid").value_or(0))
                                : static_cast<uid_t>(std::strtoull(user.c_str(), nullptr, 10));
  drop_capabilities(capability_mask(config) | (uid == 0 ? 0 : std::uint64_t{1} << CAP_SETUID));
  if (uid != 0) (void)!::setuid(uid);
}

[[noreturn]] void become_program(const std::vector<std::string> &words) {
  std::vector<char *> argv;
  argv.reserve(words.size() + 1);
  for (const std::string &word : words) argv.push_back(const_cast<char *>(word.c_str()));
  argv.push_back(nullptr);
  if (!words.empty()) ::execv(argv[0], argv.data());
  ::_exit(127);
}

void mount_one(const std::string &rootfs, const Tree &entry) {
  const std::string target = rootfs + entry.text("/destination");
  const std::string type = entry.text("/type");
  const std::string source = entry.text("/source");
  if (type == "cgroup") {
    fs::create_directories(target);
    ::mount("/sys/fs/cgroup", target.c_str(), nullptr, MS_BIND | MS_REC, nullptr);
  } else if (type == "bind") {
    std::error_code ignored;
    if (fs::is_directory(source, ignored)) {
      fs::create_directories(target, ignored);
    } else if (!fs::exists(target, ignored)) {
      fs::create_directories(fs::path(target).parent_path(), ignored);
      write_text(target, "");
    }
    ::mount(source.c_str(), target.c_str(), nullptr, MS_BIND | MS_REC, nullptr);
  } else {
    std::error_code ignored;
    fs::create_directories(target, ignored);
    ::mount(source.c_str(), target.c_str(), type.c_str(), 0, type == "devpts" ? "newinstance,ptmxmode=0666" : nullptr);
  }
}

void make_node(const std::string &path, unsigned major, unsigned minor) {
  ::mknod(path.c_str(), S_IFCHR | 0666, makedev(major, minor));
}

void make_devices(const std::string &rootfs, const Tree &config) {
  const std::map<std::string, unsigned> nodes = {{"null", 3}, {"zero", 5}, {"full", 7}, {"random", 8}, {"urandom", 9}};
  for (const auto &[name, minor] : nodes) make_node(rootfs + "/dev/" + name, 1, minor);
  make_node(rootfs + "/dev/tty", 5, 0);
  ::unlink((rootfs + "/dev/ptmx").c_str());
  (void)!::symlink("pts/ptmx", (rootfs + "/dev/ptmx").c_str());
  // "So that its user can write it."
  const auto uid = static_cast<uid_t>(config.number("/process/user/uid").value_or(0));
  if (uid != 0) (void)!::chown((rootfs + "/dev/null").c_str(), uid, uid);
  const Tree *devices = config.find("/linux/devices");
  if (devices == nullptr) return;
  for (const Tree::Member &device : devices->members()) make_node(rootfs + device.value.text("/path"), 1, 3);
}

void make_terminal(const std::string &rootfs, const Tree &config, const std::string &socket) {
  const kernel::Fd master(::open((rootfs + "/dev/pts/ptmx").c_str(), O_RDWR | O_NOCTTY));
  const unsigned number = kernel::get_pty_number(master).value_or(0);
  const std::string slave = rootfs + "/dev/pts/" + std::to_string(number);
  const std::string console = rootfs + "/dev/console";
  if (!fs::exists(console)) write_text(console, "");
  const auto uid = static_cast<uid_t>(config.number("/process/user/uid").value_or(0));
  (void)!::chown(slave.c_str(), uid, uid);
  (void)!::chown(console.c_str(), uid, uid);
  if (!kernel::unlockpt(master)) return;
  ::mount(slave.c_str(), console.c_str(), nullptr, MS_BIND, nullptr);
  const kernel::Fd connection = kernel::connect_unix(kernel::cwd, socket, SOCK_STREAM).value_or(kernel::Fd());
  const kernel::FdView fds[] = {master};
  (void)kernel::send_message(connection, "console", fds);
  const int opened = ::open(slave.c_str(), O_RDWR | O_NOCTTY);
  for (int fd = 0; fd < 3; ++fd) ::dup2(opened, fd);
}

void write_sysctls(const std::string &rootfs, const Tree &config) {
  const Tree *all = config.find("/linux/sysctl");
  if (all == nullptr) return;
  for (const Tree::Member &one : all->members()) {
    std::string path(one.key);
    std::ranges::replace(path, '.', '/');
    write_text(rootfs + "/proc/sys/" + path, one.value.text());
  }
}

// By what is called /dev/null inside.
void protect(const Tree &config) {
  for (const std::string &path : config.texts("/linux/maskedPaths")) {
    ::mount("/dev/null", path.c_str(), nullptr, MS_BIND, nullptr);
  }
}

[[noreturn]] void become_container(const Call &call, const std::string &bundle, const Tree &config, int ready) {
  const std::string rootfs = bundle + "/" + config.text("/root/path");
  const std::string socket = call.flags.contains("--console-socket") ? call.flags.at("--console-socket") : "";
  ::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  ::mount(rootfs.c_str(), rootfs.c_str(), nullptr, MS_BIND | MS_REC, nullptr);
  // Not closed again.
  (void)::open(bundle.c_str(), O_RDONLY | O_DIRECTORY);
  const int gate = ::open((call.root + "/" + call.words[0] + ".gate").c_str(), O_RDWR);
  for (const Tree::Member &mount : config.find("/mounts")->members()) mount_one(rootfs, mount.value);
  make_devices(rootfs, config);
  if (!socket.empty()) make_terminal(rootfs, config, socket);
  write_sysctls(rootfs, config);
  (void)!::chdir(rootfs.c_str());
  ::mount(".", "/", nullptr, MS_MOVE, nullptr);
  (void)!::chroot(".");
  protect(config);
  if (::chdir(config.text("/process/cwd").c_str()) != 0) ::_exit(1);
  char byte = 'r';
  (void)!::write(ready, &byte, 1);
  (void)!::read(gate, &byte, 1);
  become_user(config, "");
  become_program(config.texts("/process/args"));
}

int create(const Call &call) {
  const std::string bundle = call.flags.at("--bundle");
  const Tree config = config_of(bundle);
  (void)text_of_file(bundle + "/rootfs/etc/passwd");
  fs::create_directories(call.root);
  const std::string record = call.root + "/" + call.words[0];
  ::mkfifo((record + ".gate").c_str(), 0600);
  write_text(record + ".bundle", bundle);
  if (::unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET) != 0) return 1;
  if (config.find("/mounts") == nullptr) return 0;
  int ready[2] = {};
  if (::pipe2(ready, O_CLOEXEC) != 0) return 1;
  const pid_t pid = ::fork();
  if (pid == 0) become_container(call, bundle, config, ready[1]);
  ::close(ready[1]);
  write_text(record, std::to_string(pid));
  char byte = 0;
  return ::read(ready[0], &byte, 1) == 1 ? 0 : 1;
}

pid_t pid_of(const Call &call) { return std::atoi(text_of_file(call.root + "/" + call.words[0]).c_str()); }

void forget(const Call &call) {
  for (const char *ending : {"", ".gate", ".bundle"}) ::unlink((call.root + "/" + call.words[0] + ending).c_str());
}

void open_gate(const Call &call) {
  const kernel::Fd gate(::open((call.root + "/" + call.words[0] + ".gate").c_str(), O_RDWR | O_NONBLOCK));
  (void)!::write(gate.get(), "x", 1);
}

int start_and_wait(const Call &call) {
  open_gate(call);
  if (call.flags.contains("--detach")) return 0;
  int status = 0;
  ::waitpid(pid_of(call), &status, 0);
  forget(call);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int exec(const Call &call) {
  const std::string process = "/proc/" + std::to_string(pid_of(call));
  const Tree config = config_of(text_of_file(call.root + "/" + call.words[0] + ".bundle"));
  const auto flag = [&](const char *name) { return call.flags.contains(name) ? call.flags.at(name) : std::string(); };
  (void)::open(call.root.c_str(), O_RDONLY | O_DIRECTORY);
  for (const char *name : {"pid", "ipc", "uts", "net", "mnt"}) {
    const kernel::Fd fd(::open((process + "/ns/" + name).c_str(), O_RDONLY));
    if (::setns(fd.get(), 0) != 0) return 1;
  }
  const pid_t child = ::fork();
  if (child == 0) {
    if (::chdir(flag("--cwd").empty() ? "/" : flag("--cwd").c_str()) != 0) ::_exit(1);
    become_user(config, flag("--user"));
    become_program({call.words.begin() + 1, call.words.end()});
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int run(const Call &call) {
  // Its own memory is all that it spares.
  constexpr rlimit memory = {std::size_t{1} << 30, std::size_t{1} << 30};
  ::setrlimit(RLIMIT_AS, &memory);
  if (call.command == "create") return create(call);
  if (call.command == "exec") return exec(call);
  if (call.command == "run") {
    const int created = create(call);
    return created == 0 ? start_and_wait(call) : created;
  }
  if (call.command == "start") open_gate(call);
  if (call.command == "delete") {
    if (pid_of(call) > 1) ::kill(pid_of(call), SIGKILL);
    forget(call);
  }
  if (call.command == "state") {
    const std::string json = R"({"status": "running", "pid": )" + std::to_string(pid_of(call)) + "}\n";
    (void)!::write(1, json.data(), json.size());
  }
  return 0;
}

}  // namespace
}  // namespace skiff::conformance

int main(int argc, char **argv) { return skiff::conformance::run(skiff::conformance::parse(argc, argv)); }
