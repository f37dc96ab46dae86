// Tries, as root of a container, each known way to the host, and prints a line each: "NAME OPEN", or "NAME ERRNO" with
// what it was denied by. Nothing is changed where a way is open: files are opened and not written, calls get arguments
// that they refuse once they are let through. Linked statically: the rootfs has no loader.
//
//   ways_out ABSTRACT_SOCKET SHM_KEY HOST_PID
#include <dirent.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <linux/vm_sockets.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

void say(const char *name, int error) { std::printf("%s %s\n", name, error == 0 ? "OPEN" : strerrorname_np(error)); }

// ---- files: open is enough ----

int open_error(const std::string &path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return errno;
  ::close(fd);
  return 0;
}

// What is masked opens as the null device, and is empty.
int read_error(const char *path) {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return errno;
  struct stat found{};
  (void)::fstat(fd, &found);
  char byte = 0;
  const ssize_t got = ::read(fd, &byte, 1);
  const int error = got > 0 ? 0 : got < 0 ? errno : ENODATA;
  ::close(fd);
  return S_ISCHR(found.st_mode) ? ENODATA : error;
}

std::vector<std::string> names_in(const std::string &path) {
  std::vector<std::string> names;
  DIR *directory = ::opendir(path.c_str());
  if (directory == nullptr) return names;
  while (const dirent *entry = ::readdir(directory)) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  ::closedir(directory);
  return names;
}

// The first file of that name in any hierarchy that opens for writing; else the last error.
int cgroup_file_error(const char *name) {
  int error = open_error(std::string("/sys/fs/cgroup/") + name, O_WRONLY);
  for (const std::string &one : names_in("/sys/fs/cgroup")) {
    if (error == 0) return 0;
    const int found = open_error("/sys/fs/cgroup/" + one + "/" + name, O_WRONLY);
    if (found != ENOENT && found != ENOTDIR) error = found;
  }
  return error;
}

int cgroup_directory_error() {
  int error = ENOENT;
  std::vector<std::string> all = {"/sys/fs/cgroup"};
  for (const std::string &one : names_in("/sys/fs/cgroup")) all.push_back("/sys/fs/cgroup/" + one);
  for (const std::string &one : all) {
    if (::mkdir((one + "/ways-out").c_str(), 0700) == 0) {
      ::rmdir((one + "/ways-out").c_str());
      return 0;
    }
    if (errno != ENOTDIR && errno != EEXIST) error = errno;
  }
  return error;
}

// Any file of /sys two levels down that opens for writing.
int sys_write_error() {
  int error = ENOENT;
  for (const char *path : {"/sys/kernel/mm/transparent_hugepage/enabled", "/sys/kernel/profiling", "/sys/power/state",
                           "/sys/kernel/uevent_seqnum", "/sys/bus/workqueue/uevent", "/sys/module/uevent",
                           "/sys/devices/virtual/mem/null/uevent"}) {
    const int found = open_error(path, O_WRONLY);
    if (found == 0) return 0;
    if (found != ENOENT) error = found;
  }
  return error;
}

// A node of that device, made here and opened.
int node_error(mode_t type, unsigned major, unsigned minor) {
  ::unlink("/tmp/node");
  if (::mknod("/tmp/node", type | 0600, makedev(major, minor)) != 0) return errno;
  const int error = open_error("/tmp/node", O_RDONLY);
  ::unlink("/tmp/node");
  // Let through, and nothing of that number is there.
  return error == ENXIO || error == ENODEV || error == ENOMEDIUM || error == EIO ? 0 : error;
}

int block_devices_error() {
  for (const std::string &name : names_in("/dev")) {
    struct stat found{};
    if (::stat(("/dev/" + name).c_str(), &found) == 0 && S_ISBLK(found.st_mode)) return 0;
  }
  return ENOENT;
}

// ---- system calls ----

// EPERM, EACCES and ENOSYS mean that nobody has looked at the arguments.
int call_error(long result) {
  if (result >= 0) return 0;
  return errno == EPERM || errno == EACCES || errno == ENOSYS ? errno : 0;
}

// In a process of its own: what it does to itself is over with it.
template <class Work>
int forked_error(Work work) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(work());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : EFAULT;
}

int mount_error(const char *source, const char *target, const char *type, unsigned long flags, const char *data) {
  return forked_error([=] { return call_error(::mount(source, target, type, flags, data)); });
}

int user_namespace_error() {
  return forked_error([] {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return errno;
    return ::mount("none", "/tmp", "tmpfs", 0, nullptr) == 0 ? 0 : errno;
  });
}

int clone_user_namespace_error() {
  const long pid = ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) ::_exit(0);
  if (pid < 0) return errno;
  ::waitpid(static_cast<pid_t>(pid), nullptr, 0);
  return 0;
}

int socket_error(int family, int type, int protocol) {
  const int fd = ::socket(family, type | SOCK_CLOEXEC, protocol);
  if (fd < 0) return errno == EAFNOSUPPORT || errno == EPROTONOSUPPORT ? EPERM : errno;
  ::close(fd);
  return 0;
}

int abstract_socket_error(const char *name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path + 1, name, sizeof(address.sun_path) - 2);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + std::strlen(name));
  const int error = ::connect(fd, reinterpret_cast<const sockaddr *>(&address), size) == 0 ? 0 : errno;
  ::close(fd);
  return error;
}

int bpf_error() {
  bpf_attr attributes{};
  return call_error(::syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof(attributes)));
}

int perf_error() {
  perf_event_attr attributes{};
  attributes.size = sizeof(attributes);
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.config = PERF_COUNT_SW_CPU_CLOCK;
  return call_error(::syscall(SYS_perf_event_open, &attributes, -1, 0, -1, 0));
}

int io_uring_error() {
  io_uring_params parameters{};
  return call_error(::syscall(SYS_io_uring_setup, 1, &parameters));
}

// Into the terminal of whoever shares it.
int terminal_error(unsigned long request) {
  char byte = 0;
  return forked_error([&] {
    const int tty = ::open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (::ioctl(0, request, &byte) == 0) return 0;
    const int error = errno;
    if (tty >= 0 && ::ioctl(tty, request, &byte) == 0) return 0;
    return error;
  });
}

int handle_error() {
  file_handle handle{};
  handle.handle_bytes = 1;
  return call_error(::open_by_handle_at(AT_FDCWD, &handle, O_RDONLY));
}

// Any descriptor but the three streams, in any process of the container.
int leaked_descriptor_error() {
  for (const std::string &process : names_in("/proc")) {
    if (process[0] < '0' || process[0] > '9') continue;
    const std::string list = "/proc/" + process + "/fd";
    for (const std::string &fd : names_in(list)) {
      std::array<char, 256> target{};
      const ssize_t size = ::readlink((list + "/" + fd).c_str(), target.data(), target.size());
      if (std::atoi(fd.c_str()) < 3 || size < 0) continue;
      const std::string to(target.data(), static_cast<std::size_t>(size));
      // Our own, of the list; and a shell's of its script or history.
      if (!to.starts_with("/proc/")) return 0;
    }
  }
  return ENOENT;
}

// A process whose root or working directory is another than ours.
int other_root_error() {
  struct stat own{};
  (void)::stat("/", &own);
  for (const std::string &process : names_in("/proc")) {
    if (process[0] < '0' || process[0] > '9') continue;
    struct stat found{};
    const bool there = ::stat(("/proc/" + process + "/root").c_str(), &found) == 0;
    if (there && (found.st_dev != own.st_dev || found.st_ino != own.st_ino)) return 0;
  }
  return ENOENT;
}

void try_files() {
  say("core_pattern", open_error("/proc/sys/kernel/core_pattern", O_WRONLY));
  say("modprobe_path", open_error("/proc/sys/kernel/modprobe", O_WRONLY));
  say("sysctl_of_the_host", open_error("/proc/sys/vm/drop_caches", O_WRONLY));
  say("sysrq_trigger", open_error("/proc/sysrq-trigger", O_WRONLY));
  say("irq_affinity", open_error("/proc/irq/default_smp_affinity", O_WRONLY));
  say("uevent_helper", open_error("/sys/kernel/uevent_helper", O_WRONLY));
  say("binfmt_misc", open_error("/proc/sys/fs/binfmt_misc/register", O_WRONLY));
  say("kcore", read_error("/proc/kcore"));
  say("keys", read_error("/proc/keys"));
  say("timer_list", read_error("/proc/timer_list"));
  say("latency_stats", read_error("/proc/latency_stats"));
  say("kmsg_of_proc", open_error("/proc/kmsg", O_RDONLY));
  say("firmware", names_in("/sys/firmware").empty() ? ENOENT : 0);
  say("powercap", names_in("/sys/devices/virtual/powercap").empty() ? ENOENT : 0);
  say("acpi", names_in("/proc/acpi").empty() ? ENOENT : 0);
  say("scsi", names_in("/proc/scsi").empty() ? ENOENT : 0);
  say("sys_files", sys_write_error());
  say("memory_device", open_error("/dev/mem", O_RDONLY));
  say("kmsg_device", open_error("/dev/kmsg", O_RDONLY));
  say("tun_device", open_error("/dev/net/tun", O_RDWR));
  say("fuse_device", open_error("/dev/fuse", O_RDWR));
  say("disks", block_devices_error());
  say("node_of_a_disk", node_error(S_IFBLK, 8, 0));
  say("node_of_a_loop", node_error(S_IFBLK, 7, 0));
  say("node_of_memory", node_error(S_IFCHR, 1, 1));
  say("node_of_kmsg", node_error(S_IFCHR, 1, 11));
}

void try_cgroups() {
  say("release_agent", cgroup_file_error("release_agent"));
  say("notify_on_release", cgroup_file_error("notify_on_release"));
  say("cgroup_processes", cgroup_file_error("cgroup.procs"));
  say("cgroup_devices", cgroup_file_error("devices.allow"));
  say("cgroup_memory", cgroup_file_error("memory.limit_in_bytes"));
  say("cgroup_directory", cgroup_directory_error());
  say("mount_cgroup_v1", mount_error("cgroup", "/tmp", "cgroup", 0, "memory"));
  say("mount_cgroup_v2", mount_error("cgroup2", "/tmp", "cgroup2", 0, nullptr));
}

void try_mounts() {
  say("mount", mount_error("none", "/tmp", "tmpfs", 0, nullptr));
  say("mount_proc", mount_error("proc", "/tmp", "proc", 0, nullptr));
  say("mount_binfmt_misc", mount_error("none", "/tmp", "binfmt_misc", 0, nullptr));
  say("mount_debugfs", mount_error("none", "/tmp", "debugfs", 0, nullptr));
  say("remount_proc_sys", mount_error("", "/proc/sys", "", MS_REMOUNT | MS_BIND, nullptr));
  say("remount_sys", mount_error("", "/sys", "", MS_REMOUNT | MS_BIND, nullptr));
  say("unmount_a_mask", forked_error([] { return call_error(::umount2("/proc/none-of-this", 0)); }));
  say("fsopen", call_error(::syscall(SYS_fsopen, "tmpfs", 0x1000)));
  say("open_tree", call_error(::syscall(SYS_open_tree, AT_FDCWD, "/none", 1)));
  say("move_mount", call_error(::syscall(SYS_move_mount, -1, "", -1, "", 0)));
  say("mount_setattr", call_error(::syscall(SYS_mount_setattr, -1, "", 0, nullptr, 0)));
  say("fspick", call_error(::syscall(SYS_fspick, -1, "", 0)));
  say("fsconfig", call_error(::syscall(SYS_fsconfig, -1, 0, nullptr, nullptr, 0)));
  say("fsmount", call_error(::syscall(SYS_fsmount, -1, 0, 0)));
  say("pivot_root", call_error(::syscall(SYS_pivot_root, "/none", "/none")));
  say("open_by_handle_at", handle_error());
}

void try_namespaces() {
  say("user_namespace", user_namespace_error());
  say("clone_user_namespace", clone_user_namespace_error());
  say("clone3", call_error(::syscall(SYS_clone3, nullptr, 0)));
  say("mount_namespace", forked_error([] { return call_error(::unshare(CLONE_NEWNS)); }));
  say("setns", call_error(::setns(-1, CLONE_NEWNS)));
  say("root_of_others", other_root_error());
  say("leaked_descriptor", leaked_descriptor_error());
}

void try_kernel() {
  say("bpf", bpf_error());
  say("perf_event_open", perf_error());
  say("io_uring", io_uring_error());
  say("userfaultfd", call_error(::syscall(SYS_userfaultfd, -1)));
  say("kexec_load", call_error(::syscall(SYS_kexec_load, 0, 0, nullptr, ~0UL)));
  say("kexec_file_load", call_error(::syscall(SYS_kexec_file_load, -1, -1, 0, nullptr, ~0UL)));
  say("init_module", call_error(::syscall(SYS_init_module, nullptr, 0, "")));
  say("finit_module", call_error(::syscall(SYS_finit_module, -1, "", 0)));
  say("delete_module", call_error(::syscall(SYS_delete_module, "none-of-this", O_NONBLOCK)));
  say("swapon", call_error(::syscall(SYS_swapon, "/none", 0)));
  say("swapoff", call_error(::syscall(SYS_swapoff, "/none")));
  say("acct", call_error(::syscall(SYS_acct, "/none")));
  say("reboot", call_error(::syscall(SYS_reboot, 0, 0, 0, nullptr)));
  say("syslog", call_error(::syscall(SYS_syslog, 2, nullptr, -1)));
  say("iopl", call_error(::syscall(SYS_iopl, 4)));
  say("ioperm", call_error(::syscall(SYS_ioperm, ~0UL, 1, 1)));
  say("settimeofday",
      call_error(::syscall(SYS_settimeofday, nullptr, nullptr)));  // to nothing, where it is let through
  say("sethostname", call_error(::sethostname(nullptr, static_cast<std::size_t>(-1) >> 1)));
  say("add_key", call_error(::syscall(SYS_add_key, nullptr, nullptr, nullptr, 0, 0)));
  say("keyctl", call_error(::syscall(SYS_keyctl, 99)));
  say("request_key", call_error(::syscall(SYS_request_key, nullptr, nullptr, nullptr, 0)));
  say("quotactl", call_error(::syscall(SYS_quotactl, 0, nullptr, 0, nullptr)));
  say("move_pages", call_error(::syscall(SYS_move_pages, 0, 1, nullptr, nullptr, nullptr, 0)));
}

void try_sockets() {
  say("vsock", socket_error(AF_VSOCK, SOCK_STREAM, 0));
  say("packet_socket", socket_error(AF_PACKET, SOCK_RAW, 0));
  say("raw_socket", socket_error(AF_INET, SOCK_RAW, 1));
  say("alg_socket", socket_error(AF_ALG, SOCK_SEQPACKET, 0));
  say("key_socket", socket_error(AF_KEY, SOCK_RAW, 2));
  say("tiocsti", terminal_error(TIOCSTI));
  say("tioclinux", terminal_error(TIOCLINUX));
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  try_files();
  try_cgroups();
  try_mounts();
  try_namespaces();
  try_kernel();
  try_sockets();
  say("abstract_socket_of_the_host", abstract_socket_error(argv[1]));
  say("shared_memory_of_the_host", ::shmget(std::atoi(argv[2]), 0, 0) < 0 ? errno : 0);
  say("signal_to_the_host", ::kill(std::atoi(argv[3]), 0) != 0 ? errno : 0);
  return 0;
}
