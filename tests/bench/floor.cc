// The floor: what the kernel itself needs for the default config (`skiff spec`), with none of what makes a runtime: no
// JSON, no state, no check, no sealing, no synchronisation.
//
//   floor [OPTION]... ROOTFS PROGRAM [ARG]...  a container, from the mkdir of its cgroup to the rmdir
//     --devices       with the config's rules for devices, a BPF program at the cgroup (v2)
//     --seccomp FILE  with the filter that FILE holds, compiled
//     --user          in a user namespace of its own: 65536 ids, the devices are bind mounts
//     --binds DIR     with DIR/0 to DIR/39 below /mnt, read-only
//     --join PID      in the network, IPC and UTS namespace of PID
//   floor --exec PID PROGRAM [ARG]...          one more process in the container of PID
//   floor                                      nothing: what a static process costs
//
// Is it fair? Of what the config says, it does: every namespace, the cgroup, every mount with its flags and data, the
// default devices and links, masked and read-only paths (the masks of directories are one tmpfs), hostname, the
// read-only root, RLIMIT_NOFILE, the groups, the capability sets, noNewPrivileges and the environment. Its container
// sees the mounts, the status, the devices and the limits that a runtime's sees. Left out, and so counted as the
// runtime's time, are
//   - linux.resources.devices, which the config demands, unless --devices asks for it: so both floors are shown;
//   - what the specification wants besides: a state that survives, an exit code handed on, errors before the start;
//   - what runtimes add: the loopback's "up", a session keyring, setsid(2), descriptors that are closed, and the copy
//     or the mount that keeps the runtime's binary from the container.
// It trusts the rootfs: a path is a string to mount(2) and no descriptor, one call for what takes a safe runtime three
// to five. Nothing gets below it that does all the config says.
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
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
constexpr std::uint64_t joined = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
constexpr int bind_mounts = 40;
constexpr unsigned long nosuid_noexec_nodev = MS_NOSUID | MS_NOEXEC | MS_NODEV;

struct Wish {
  bool devices = false;
  bool user = false;
  const char *filter = nullptr;
  const char *binds = nullptr;
  const char *join = nullptr;
};
Wish wish;

char cgroups[most_hierarchies][512];  // the container's directories: one, or one a v1 hierarchy
sock_fprog filter{};
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
  char name[64];
  const char *prefix = getenv("FLOOR_CGROUP");  // of the run, which removes what a killed one leaves
  snprintf(name, sizeof name, "/%sfloor-%d", prefix == nullptr ? "" : prefix, getpid());
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

// The host's, as a user namespace may make none.
void bind_device(const char *path) {
  char source[64];
  snprintf(source, sizeof source, "/%s", path);
  close(static_cast<int>(need(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666), path)));
  need(mount(source, path, nullptr, MS_BIND, nullptr), path);
}

void make_devices() {
  struct Device {
    const char *path;
    unsigned major, minor;
  };
  for (const auto &[path, major, minor] :
       {Device{"dev/null", 1, 3}, Device{"dev/zero", 1, 5}, Device{"dev/full", 1, 7}, Device{"dev/random", 1, 8},
        Device{"dev/urandom", 1, 9}, Device{"dev/tty", 5, 0}}) {
    if (wish.user) {
      bind_device(path);
    } else {
      need(mknod(path, S_IFCHR | 0666, makedev(major, minor)), path);
    }
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

void mount_binds() {
  for (int i = 0; wish.binds != nullptr && i < bind_mounts; ++i) {
    char source[300];
    char target[32];
    snprintf(source, sizeof source, "%s/%d", wish.binds, i);
    snprintf(target, sizeof target, "mnt/%d", i);
    need(mount(source, target, nullptr, MS_BIND | MS_REC, nullptr), source);
    need(mount(nullptr, target, nullptr, MS_PRIVATE | MS_REC, nullptr), target);
    need(mount(nullptr, target, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr), target);
  }
}

// Not every kernel has all of them: ENOENT is fine.
void hide_paths() {
  const char *mask = nullptr;  // a directory that has been hidden
  for (const char *path : {"proc/acpi", "proc/asound", "proc/kcore", "proc/keys", "proc/latency_stats",
                           "proc/timer_list", "proc/timer_stats", "proc/sched_debug", "sys/firmware", "proc/scsi"}) {
    if (mount("dev/null", path, nullptr, MS_BIND, nullptr) == 0 || errno == ENOENT) continue;
    need(errno != ENOTDIR  ? -1
         : mask == nullptr ? mount("tmpfs", path, "tmpfs", MS_RDONLY, nullptr)
                           : mount(mask, path, nullptr, MS_BIND, nullptr),
         path);
    mask = path;
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
  if (wish.join == nullptr) need(sethostname("skiff", 5), "sethostname");
  need(mount(nullptr, "/", nullptr, MS_SLAVE | MS_REC, nullptr), "mount /");
  need(mount(rootfs, rootfs, nullptr, MS_BIND | MS_REC, nullptr), rootfs);
  need(chdir(rootfs), rootfs);
  mount_filesystems();
  make_devices();
  mount_binds();
  hide_paths();
  need(syscall(SYS_pivot_root, ".", "."), "pivot_root");
  need(umount2(".", MNT_DETACH), "umount2");
  need(mount(nullptr, "/", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr), "remount /");
  need(chdir("/"), "chdir");
  umask(022);
}

void load_filter() {
  static sock_filter instructions[BPF_MAXINSNS];
  const int fd = static_cast<int>(need(open(wish.filter, O_RDONLY | O_CLOEXEC), wish.filter));
  const long size = need(read(fd, instructions, sizeof instructions), wish.filter);
  close(fd);
  filter = {static_cast<unsigned short>(static_cast<size_t>(size) / sizeof instructions[0]), instructions};
}

[[noreturn]] void become(char **program) {
  constexpr std::uint32_t kept = 1U << CAP_AUDIT_WRITE | 1U << CAP_KILL | 1U << CAP_NET_BIND_SERVICE;
  const rlimit files = {1024, 1024};
  need(setrlimit(RLIMIT_NOFILE, &files), "setrlimit");
  if (!wish.user) need(setgroups(0, nullptr), "setgroups");
  for (unsigned i = 0; i < 64; ++i) {
    if ((i >= 32 || (kept >> i & 1U) == 0) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0) break;  // EINVAL: past the last
  }
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct sets[2] = {{kept, kept, 0}, {0, 0, 0}};
  need(syscall(SYS_capset, &header, sets), "capset");
  need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl");
  if (filter.len > 0) {
    need(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &filter), "seccomp");
  }
  const char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm", nullptr};
  need(execve(program[0], program, const_cast<char *const *>(environment)), program[0]);
  _exit(125);
}

int wait_for(long pid) {
  siginfo_t end{};
  need(waitid(P_PID, static_cast<id_t>(pid), &end, WEXITED), "waitid");
  return end.si_code == CLD_EXITED ? end.si_status : 128 + end.si_status;
}

bpf_insn instruction(int code, int to, int from, int offset, int value) {
  bpf_insn one{};
  one.code = static_cast<std::uint8_t>(code);
  one.dst_reg = static_cast<std::uint8_t>(to) & 0xfU;
  one.src_reg = static_cast<std::uint8_t>(from) & 0xfU;
  one.off = static_cast<std::int16_t>(offset);
  one.imm = value;
  return one;
}

// All that config-linux.md lets in by default, and mknod of the rest: nothing else. `bpf_cgroup_dev_ctx` is the access
// and the type in one word, the major and the minor number.
void restrict_devices(std::uint64_t cgroup) {
  constexpr int load = BPF_LDX | BPF_MEM | BPF_W;
  constexpr int equal = BPF_JMP | BPF_JEQ | BPF_K;
  constexpr int different = BPF_JMP | BPF_JNE | BPF_K;
  constexpr int allow = 20;
  constexpr int deny = 22;
  const bpf_insn program[] = {
      instruction(load, 2, 1, 0, 0),
      instruction(load, 3, 1, 4, 0),
      instruction(load, 4, 1, 8, 0),
      instruction(BPF_ALU64 | BPF_MOV | BPF_X, 5, 2, 0, 0),
      instruction(BPF_ALU64 | BPF_RSH | BPF_K, 5, 0, 0, 16),
      instruction(equal, 5, 0, allow - 6, BPF_DEVCG_ACC_MKNOD),
      instruction(BPF_ALU64 | BPF_AND | BPF_K, 2, 0, 0, 0xffff),
      instruction(different, 2, 0, deny - 8, BPF_DEVCG_DEV_CHAR),
      instruction(equal, 3, 0, allow - 9, 136),  // pts
      instruction(different, 3, 0, 14 - 10, 5),
      instruction(equal, 4, 0, allow - 11, 0),  // tty
      instruction(equal, 4, 0, allow - 12, 1),  // console
      instruction(equal, 4, 0, allow - 13, 2),  // ptmx
      instruction(BPF_JMP | BPF_JA, 0, 0, deny - 14, 0),
      instruction(different, 3, 0, deny - 15, 1),
      instruction(equal, 4, 0, allow - 16, 3),     // null
      instruction(equal, 4, 0, allow - 17, 5),     // zero
      instruction(equal, 4, 0, allow - 18, 7),     // full
      instruction(equal, 4, 0, allow - 19, 8),     // random
      instruction(different, 4, 0, deny - 20, 9),  // urandom
      instruction(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1),
      instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
      instruction(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0),
      instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
  };
  bpf_attr request{};
  request.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  request.insns = reinterpret_cast<std::uint64_t>(program);
  request.insn_cnt = sizeof program / sizeof program[0];
  request.license = reinterpret_cast<std::uint64_t>("GPL");
  const long loaded = need(syscall(SYS_bpf, BPF_PROG_LOAD, &request, sizeof request), "bpf(BPF_PROG_LOAD)");
  request = {};
  request.target_fd = static_cast<std::uint32_t>(cgroup);
  request.attach_bpf_fd = static_cast<std::uint32_t>(loaded);
  request.attach_type = BPF_CGROUP_DEVICE;
  request.attach_flags = BPF_F_ALLOW_MULTI;
  need(syscall(SYS_bpf, BPF_PROG_ATTACH, &request, sizeof request), "bpf(BPF_PROG_ATTACH)");
  close(static_cast<int>(loaded));
}

// The child of a new user namespace is nobody before its ids are mapped.
void map_ids(long pid, int go_on) {
  char directory[32];
  snprintf(directory, sizeof directory, "/proc/%ld", pid);
  for (const char *name : {"uid_map", "gid_map"}) write_file(directory, name, "0 100000 65536", 14);
  need(write(go_on, "", 1), "write");
}

void become_mapped(int go_on) {
  char byte = 0;
  need(read(go_on, &byte, 1) == 1 ? 0 : -1, "read");
  need(setgroups(0, nullptr), "setgroups");
  need(setresgid(0, 0, 0), "setresgid");
  need(setresuid(0, 0, 0), "setresuid");
}

void join(const char *pid, std::uint64_t what) {
  const long process = need(syscall(SYS_pidfd_open, strtol(pid, nullptr, 10), 0), "pidfd_open");
  need(setns(static_cast<int>(process), static_cast<int>(what)), "setns");
  close(static_cast<int>(process));
}

// Returns the words that are left.
char **parse_options(char **words) {
  for (; *words != nullptr && strncmp(*words, "--", 2) == 0; ++words) {
    if (strcmp(*words, "--devices") == 0) wish.devices = true;
    if (strcmp(*words, "--user") == 0) wish.user = true;
    if (strcmp(*words, "--seccomp") == 0) wish.filter = *++words;
    if (strcmp(*words, "--binds") == 0) wish.binds = *++words;
    if (strcmp(*words, "--join") == 0) wish.join = *++words;
  }
  return words;
}

std::uint64_t new_namespaces() {
  return (wish.join == nullptr ? namespaces : namespaces & ~joined) | (wish.user ? CLONE_NEWUSER : 0);
}

int run(char **words) {
  int go_on[2] = {-1, -1};
  make_cgroups();
  clone_args request{};
  request.exit_signal = SIGCHLD;
  request.flags = new_namespaces();
  if (unified) {
    request.flags |= CLONE_INTO_CGROUP;
    const int flags = wish.devices ? O_RDONLY | O_DIRECTORY : O_PATH;
    request.cgroup = static_cast<std::uint64_t>(need(open(cgroups[0], flags | O_CLOEXEC), cgroups[0]));
    if (wish.devices) restrict_devices(request.cgroup);
  }
  if (wish.filter != nullptr) load_filter();
  if (wish.join != nullptr) join(wish.join, joined);
  if (wish.user) need(pipe2(go_on, O_CLOEXEC), "pipe2");
  const long pid = need(syscall(SYS_clone3, &request, sizeof request), "clone3");
  if (pid == 0) {
    if (wish.user) become_mapped(go_on[0]);
    build_container(words[0]);
    become(words + 1);
  }
  if (wish.user) map_ids(pid, go_on[1]);
  const int code = wait_for(pid);
  for (int i = 0; i < cgroup_count; ++i) need(rmdir(cgroups[i]), cgroups[i]);
  return code;
}

int exec(char **words) {
  find_cgroups(words[0]);
  clone_args request{};
  request.exit_signal = SIGCHLD;
  if (unified) {
    request.flags = CLONE_INTO_CGROUP;
    request.cgroup = static_cast<std::uint64_t>(need(open(cgroups[0], O_PATH | O_CLOEXEC), cgroups[0]));
  }
  enter_cgroups();
  join(words[0], namespaces | CLONE_NEWCGROUP);
  const long pid = need(syscall(SYS_clone3, &request, sizeof request), "clone3");
  if (pid == 0) become(words + 1);
  return wait_for(pid);
}

}  // namespace

int main(int argc, char **argv) {
  if (argc < 3) return 0;
  struct statfs mounted{};
  need(statfs(cgroup_root, &mounted), cgroup_root);
  unified = mounted.f_type == CGROUP2_SUPER_MAGIC;
  if (strcmp(argv[1], "--exec") == 0) return exec(argv + 2);
  return run(parse_options(argv + 1));
}
