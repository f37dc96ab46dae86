#include "runtime/kernel/seccomp.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstddef>

#include "runtime/kernel/bpf.h"
#include "runtime/kernel/prctl.h"
#include "tests/runtime/kernel/isolated.h"

namespace skiff::kernel {
namespace {

// getppid fails with `action`, everything else is allowed.
std::array<sock_filter, 4> make_filter(uint32_t action) {
  return {{{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
           {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_getppid},
           {BPF_RET | BPF_K, 0, 0, action},
           {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}}};
}

TEST(Seccomp, AFilterIsInstalled) {
  EXPECT_ISOLATED(0, []() -> std::string {
    NEED_OK(set_no_new_privs());
    const Result<Fd> none = seccomp_set_mode_filter(0, make_filter(SECCOMP_RET_ERRNO | EXDEV));
    NEED_OK(none);
    NEED(!none->valid());
    NEED(::syscall(SYS_getppid) == -1 && errno == EXDEV);
    return {};
  });
}

TEST(Seccomp, AListenerComesBackAsADescriptor) {
  EXPECT_ISOLATED(0, []() -> std::string {
    NEED_OK(set_no_new_privs());
    const auto filter = make_filter(SECCOMP_RET_USER_NOTIF);
    const unsigned both = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_TSYNC;
    const Result<Fd> listener = seccomp_set_mode_filter(both, filter);
    NEED_OK(listener);
    NEED(listener->valid());
    NEED((::fcntl(listener->get(), F_GETFD) & FD_CLOEXEC) != 0);
    return {};
  });
}

TEST(Seccomp, AProgramThatTheLengthCannotHoldIsRefused) {
  EXPECT_ERRNO(seccomp_set_mode_filter(0, std::vector<sock_filter>(65540)), EINVAL);
  EXPECT_ERRNO(seccomp_set_mode_filter(0, {}), EINVAL);
}

TEST(Seccomp, TheKernelIsAskedWhatItKnows) {
  EXPECT_TRUE(*seccomp_get_action_avail(SECCOMP_RET_ERRNO));
  EXPECT_FALSE(*seccomp_get_action_avail(0x12340000));
  EXPECT_GE(seccomp_get_notif_sizes()->seccomp_notif, sizeof(seccomp_notif));
  EXPECT_TRUE(seccomp_has_flags(SECCOMP_FILTER_FLAG_LOG));
  EXPECT_FALSE(seccomp_has_flags(1U << 30U));
}

TEST(Bpf, AProgramOfDeviceRulesLoads) {
  const std::array<bpf_insn, 2> allow_all{
      {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 1},
       {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}}};
  const Result<Fd> program = load_device_program(allow_all);
  if (!program && program.error().number == EPERM) GTEST_SKIP() << program.error().message();
  ASSERT_OK(program);
  EXPECT_ERRNO(attach_device_program(*open("/", O_RDONLY), *program, BPF_F_ALLOW_MULTI), EBADF);
  EXPECT_FALSE(query_device_programs(*open("/", O_RDONLY)));
}

TEST(Bpf, AProgramAttachesToACgroupAndIsListed) {
  const std::array<bpf_insn, 2> allow_all{
      {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 1},
       {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}}};
  EXPECT_ISOLATED(CLONE_NEWNS, [&]() -> std::string {
    const testing::TemporaryDirectory directory;
    if (::mount("cgroup2", directory.path().c_str(), "cgroup2", 0, nullptr) != 0)
      return "skip: cgroup2 cannot be mounted";
    const std::string path = directory.path() + "/skiff-bpf-test-" + std::to_string(::getpid());
    if (::mkdir(path.c_str(), 0755) != 0) return "skip: no cgroup can be made";
    const testing::Verdict verdict = [&]() -> std::string {
      const Result<Fd> cgroup = open(path, O_RDONLY | O_DIRECTORY);
      NEED_OK(cgroup);
      const Result<Fd> first = load_device_program(allow_all);
      const Result<Fd> second = load_device_program(allow_all);
      NEED_OK(first);
      NEED_OK(second);
      NEED_OK(attach_device_program(*cgroup, *first, BPF_F_ALLOW_MULTI));
      NEED(query_device_programs(*cgroup)->size() == 1);
      NEED_OK(attach_device_program(*cgroup, *second, BPF_F_ALLOW_MULTI, *first));
      const Result<std::vector<uint32_t>> ids = query_device_programs(*cgroup);
      NEED_OK(ids);
      NEED(ids->size() == 1);
      NEED_OK(open_bpf_program(ids->front()));
      NEED_OK(detach_device_program(*cgroup, *second));
      NEED(query_device_programs(*cgroup)->empty());
      return {};
    }();
    ::rmdir(path.c_str());
    ::umount2(directory.path().c_str(), MNT_DETACH);
    return verdict;
  });
}

TEST(Bpf, TheVerifiersWordsAreInTheError) {
  const std::array<bpf_insn, 1> no_exit{
      {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 1}}};
  const Result<Fd> program = load_device_program(no_exit);
  ASSERT_FALSE(program);
  if (program.error().number == EPERM) GTEST_SKIP() << program.error().message();
  EXPECT_NE(program.error().text.find("): "), std::string::npos) << program.error().text;
}

}  // namespace
}  // namespace skiff::kernel
