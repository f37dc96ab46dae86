// The floor: what the kernel itself needs for the default config (`skiff spec`), with none of what makes a runtime: no
// JSON, no state, no check, no sealing, no synchronisation.
//
//   floor ROOTFS PROGRAM [ARG]...      a container, from the mkdir of its cgroup to the rmdir
//   floor --exec PID PROGRAM [ARG]...  one more process in the container of PID
//   floor                              nothing: what a static process costs
//
// What runtimes add of their own stays out (the loopback's "up", the session keyring), and so does the filter of device
// nodes: all of it counts as the runtime's time. mount(2) is used, not the mount API: one call a mount is less.
#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <initializer_list>

namespace {

constexpr const char *cgroup_root = "/sys/fs/cgroup";
constexpr int most_hierarchies = 20;
constexpr std::uint64_t namespaces = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS;
constexpr unsigned long nosuid_noexec_nodev = MS_NOSUID | MS_NOEXEC | MS_NODEV;

char cgroups[most_hierarchies][512];  // the container's directories: one, or one a v1 hierarchy
int cgroup_count = 0;
bool unified = false;

long need(long result, const char *call) {
  if (result >= 0) return result;
  perror(call);
  _exit(125);
}

void write_file(const char *directory, const char *name, const char *text, size_t size) {
  char path[600];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  const int fd = static_cast<int>(need(open(path, O_WRONLY | O_CLOEXEC), path));
  need(write(fd, text, size), path);
  close(fd);
}

void add_cgroup(const char *hierarchy, const char *path) {
  if (cgroup_count == most_hierarchies) return;
  snprintf(cgroups[cgroup_count++], sizeof cgroups[0], "%s%s%s%s", cgroup_root, *hierarchy == '\0' ? "" : "/",
           hierarchy, path);
}

// A v1 cpuset takes no process before these two are written: cpuset(7).
void copy_cpuset(const char *directory) {
  for (const char *name : {"cpuset.cpus", "cpuset.mems"}) {
    char path[64];
    char text[4096];
    snprintf(path, sizeof path, "%s/cpuset/%s", cgroup_root, name);
    const int fd = static_cast<int>(need(open(path, O_RDONLY | O_CLOEXEC), path));
    const long size = need(read(fd, text, sizeof text), path);
    close(fd);
    write_file(directory, name, text, static_cast<size_t>(size));
  }
}

void make_cgroups() {
  char name[32];
  snprintf(name, sizeof name, "/floor-%d", getpid());
  if (unified) {
    add_cgroup("", name);
  } else if (DIR *hierarchies = opendir(cgroup_root); hierarchies != nullptr) {
    while (const dirent *entry = readdir(hierarchies)) {
      if (entry->d_type == DT_DIR && entry->d_name[0] != '.') add_cgroup(entry->d_name, name);
    }
    closedir(hierarchies);
  }
  for (int i = 0; i < cgroup_count; ++i) {
    need(mkdir(cgroups[i], 0755), cgroups[i]);
    if (strstr(cgroups[i], "/cpuset/") != nullptr) copy_cpuset(cgroups[i]);
  }
}

// The lines of PID/cgroup: "4:memory:/path", "1:name=systemd:/path", "0::/path"; cgroups(7).
void find_cgroups(const char *pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/cgroup", pid);
  FILE *file = fopen(path, "re");
  char line[512];
  while (file != nullptr && fgets(line, sizeof line, file) != nullptr) {
    char *controllers = strchr(line, ':');
    char *below = controllers == nullptr ? nullptr : strchr(controllers + 1, ':');
    if (below == nullptr) continue;
    *below++ = '\0';
    below[strcspn(below, "\n")] = '\0';
    ++controllers;
    if (unified ? *controllers != '\0' : strcmp(below, "/") == 0) continue;
    if (strncmp(controllers, "name=", 5) == 0) controllers += 5;
    add_cgroup(unified || *controllers != '\0' ? controllers : "unified", below);
  }
  if (file != nullptr) fclose(file);
}

void enter_cgroups() {
  for (int i = 0; !unified && i < cgroup_count; ++i) write_file(cgroups[i], "cgroup.procs", "0", 1);
}

void mount_cgroups() {
  constexpr unsigned long flags = nosuid_noexec_nodev | MS_RELATIME | MS_RDONLY;
  if (unified) {
    need(mount("cgroup", "sys/fs/cgroup", "cgroup2", flags, nullptr), "mount cgroup2");
    return;
  }
  need(mount("tmpfs", "sys/fs/cgroup", "tmpfs", nosuid_noexec_nodev, "mode=755"), "mount sys/fs/cgroup");
  for (int i = 0; i < cgroup_count; ++i) {
    char target[600];
    char options[300];
    const char *begin = cgroups[i] + strlen(cgroup_root) + 1;
    const int length = static_cast<int>(strcspn(begin, "/"));
    const bool systemd = strncmp(begin, "systemd/", 8) == 0;
    snprintf(target, sizeof target, "sys/fs/cgroup/%.*s", length, begin);
    snprintf(options, sizeof options, "%s%.*s", systemd ? "none,name=" : "", length, begin);
    need(mkdir(target, 0755), target);
    const bool second = strncmp(begin, "unified/", 8) == 0;
    need(mount("cgroup", target, second ? "cgroup2" : "cgroup", flags, second ? nullptr : options), target);
  }
  need(mount(nullptr, "sys/fs/cgroup", nullptr, MS_REMOUNT | MS_BIND | flags, nullptr), "remount sys/fs/cgroup");
}

void mount_filesystems() {
  need(mount("proc", "proc", "proc", 0, nullptr), "mount proc");
  need(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k"), "mount dev");
  for (const char *path : {"dev/pts", "dev/shm", "dev/mqueue"}) need(mkdir(path, 0755), path);
  need(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5"),
       "mount dev/pts");
  need(mount("shm", "dev/shm", "tmpfs", nosuid_noexec_nodev, "mode=1777,size=65536k"), "mount dev/shm");
  need(mount("mqueue", "dev/mqueue", "mqueue", nosuid_noexec_nodev, nullptr), "mount dev/mqueue");
  need(mount("sysfs", "sys", "sysfs", nosuid_noexec_nodev | MS_RDONLY, nullptr), "mount sys");
  mount_cgroups();
}

void make_devices() {
  struct Device {
    const char *path;
    unsigned major, minor;
  };
  for (const auto &[path, major, minor] :
       {Device{"dev/null", 1, 3}, Device{"dev/zero", 1, 5}, Device{"dev/full", 1, 7}, Device{"dev/random", 1, 8},
        Device{"dev/urandom", 1, 9}, Device{"dev/tty", 5, 0}}) {
    need(mknod(path, S_IFCHR | 0666, makedev(major, minor)), path);
  }
  struct Link {
    const char *target, *path;
  };
  for (const auto &[target, path] :
       {Link{"pts/ptmx", "dev/ptmx"}, Link{"/proc/self/fd", "dev/fd"}, Link{"/proc/self/fd/0", "dev/stdin"},
        Link{"/proc/self/fd/1", "dev/stdout"}, Link{"/proc/self/fd/2", "dev/stderr"}}) {
    need(symlink(target, path), path);
  }
}

// Not every kernel has all of them: ENOENT is fine.
void hide_paths() {
  for (const char *path : {"proc/acpi", "proc/asound", "proc/kcore", "proc/keys", "proc/latency_stats",
                           "proc/timer_list", "proc/timer_stats", "proc/sched_debug", "sys/firmware", "proc/scsi"}) {
    if (mount("dev/null", path, nullptr, MS_BIND, nullptr) == 0 || errno == ENOENT) continue;
    need(errno == ENOTDIR ? mount("tmpfs", path, "tmpfs", MS_RDONLY, nullptr) : -1, path);
  }
  for (const char *path : {"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"}) {
    if (mount(path, path, nullptr, MS_BIND | MS_REC, nullptr) != 0 && errno == ENOENT) continue;
    need(mount(nullptr, path, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr), path);
  }
}

void build_container(const char *rootfs) {
  umask(0);
  enter_cgroups();
  need(unshare(CLONE_NEWCGROUP), "unshare");
  need(sethostname("skiff", 5), "sethostname");
  need(mount(nullptr, "/", nullptr, MS_SLAVE | MS_REC, nullptr), "mount /");
  need(mount(rootfs, rootfs, nullptr, MS_BIND | MS_REC, nullptr), rootfs);
  need(chdir(rootfs), rootfs);
  mount_filesystems();
  make_devices();
  hide_paths();
  need(syscall(SYS_pivot_root, ".", "."), "pivot_root");
  need(umount2(".", MNT_DETACH), "umount2");
  need(mount(nullptr, "/", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr), "remount /");
  need(chdir("/"), "chdir");
  umask(022);
}

[[noreturn]] void become(char **program) {
  constexpr std::uint32_t kept = 1U << CAP_AUDIT_WRITE | 1U << CAP_KILL | 1U << CAP_NET_BIND_SERVICE;
  const rlimit files = {1024, 1024};
  need(setrlimit(RLIMIT_NOFILE, &files), "setrlimit");
  for (unsigned i = 0; i < 64; ++i) {
    if ((i >= 32 || (kept >> i & 1U) == 0) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0) break;  // EINVAL: past the last
  }
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct sets[2] = {{kept, kept, 0}, {0, 0, 0}};
  need(syscall(SYS_capset, &header, sets), "capset");
  need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl");
  const char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm", nullptr};
  need(execve(program[0], program, const_cast<char *const *>(environment)), program[0]);
  _exit(125);
}

int wait_for(long pid) {
  siginfo_t end{};
  need(waitid(P_PID, static_cast<id_t>(pid), &end, WEXITED), "waitid");
  return end.si_code == CLD_EXITED ? end.si_status : 128 + end.si_status;
}

}  // namespace

int main(int argc, char **argv) {
  if (argc < 2) return 0;
  const bool joins = argc > 3 && strcmp(argv[1], "--exec") == 0;
  struct statfs mounted{};
  need(statfs(cgroup_root, &mounted), cgroup_root);
  unified = mounted.f_type == CGROUP2_SUPER_MAGIC;
  clone_args request{};
  request.exit_signal = SIGCHLD;
  if (joins) {
    find_cgroups(argv[2]);
  } else {
    make_cgroups();
    request.flags = namespaces;
  }
  if (unified) {
    request.flags |= CLONE_INTO_CGROUP;
    request.cgroup = static_cast<std::uint64_t>(need(open(cgroups[0], O_PATH | O_CLOEXEC), cgroups[0]));
  }
  if (joins) {
    enter_cgroups();
    const long init = need(syscall(SYS_pidfd_open, strtol(argv[2], nullptr, 10), 0), "pidfd_open");
    need(setns(static_cast<int>(init), static_cast<int>(namespaces | CLONE_NEWCGROUP)), "setns");
    close(static_cast<int>(init));
  }
  const long pid = need(syscall(SYS_clone3, &request, sizeof request), "clone3");
  if (pid == 0) {
    if (!joins) build_container(argv[1]);
    become(argv + (joins ? 3 : 2));
  }
  const int code = wait_for(pid);
  for (int i = 0; !joins && i < cgroup_count; ++i) need(rmdir(cgroups[i]), cgroups[i]);
  return code;
}
