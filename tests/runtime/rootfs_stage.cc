#include "tests/runtime/rootfs_stage.h"

#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstddef>

#include "runtime/kernel/seccomp.h"
#include "runtime/mount_info.h"

namespace skiff::testing {

Stage::Stage(std::string directory) : directory_(std::move(directory)) {}

Verdict Stage::attach_rootfs(const std::vector<Step> &steps) {
  auto proc = kernel::Procfs::open_host();
  if (!proc) return proc.error().message();
  plan.rootfs = rootfs_path();
  plan.steps = steps;
  std::vector<kernel::Fd> sources = rootfs ? std::move(rootfs->sources) : std::vector<kernel::Fd>();
  rootfs.emplace(make_rootfs(plan, std::move(*proc), std::move(sources)));
  const auto attached = skiff::apply(AttachRootfs{.path = plan.rootfs, .parent_propagation = MS_PRIVATE}, *rootfs);
  return attached ? Verdict() : attached.error().message();
}

Verdict before_attach(int flags, const std::function<Verdict(Stage &)> &body) {
  const kernel::testing::TemporaryDirectory directory;
  return run_isolated(flags | CLONE_NEWNS, [&]() -> Verdict {
    ::umask(0);
    if (::mount("tmpfs", directory.path().c_str(), "tmpfs", 0, "mode=755") != 0) return "skip: no tmpfs to play on";
    Stage stage(directory.path());
    ::mkdir(stage.host("").c_str(), 0755);
    ::mkdir(stage.rootfs_path().c_str(), 0755);
    return body(stage);
  });
}

Verdict on_stage(int flags, const std::function<Verdict(Stage &)> &body) {
  return before_attach(flags, [&](Stage &stage) {
    Verdict verdict = stage.attach_rootfs();
    return verdict.empty() ? body(stage) : verdict;
  });
}

long filesystem_of(const std::string &path) {
  struct statfs status{};
  return ::statfs(path.c_str(), &status) == 0 ? static_cast<long>(status.f_type) : -1;
}

unsigned long flags_of(const std::string &path) {
  struct statvfs status{};
  return ::statvfs(path.c_str(), &status) == 0 ? status.f_flag : 0;
}

bool exists(const std::string &path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0;
}

bool is_mounted(const std::string &path) {
  const auto text = kernel::testing::read_whole("/proc/self/mountinfo");
  for (const MountInfo &mount : parse_mount_info(text)) {
    if (mount.mount_point == path) return true;
  }
  return false;
}

bool forget_mount_setattr() {
  const std::array<sock_filter, 4> program{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mount_setattr, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && kernel::seccomp_set_mode_filter(0, program).has_value();
}

}  // namespace skiff::testing
