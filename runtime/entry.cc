// Where the static program begins, before the C library does: seals itself for the commands that enter a container.
//
// seal_self (seal.h) executes the program again, so all that the first of the two did is thrown away: the C library's
// start alone asks the processor what it is some sixty times, and a hypervisor answers each in microseconds. Here
// nothing of a library has been set up yet: no thread-local storage, no errno, no indirect functions such as memcpy.
// What cannot be done here is left to seal_self, which says why.
#include <linux/fcntl.h>
#include <linux/mount.h>
#include <stddef.h>
#include <sys/syscall.h>

extern "C" {
void skiff_entry();
[[gnu::used]] void seal_at_entry(const long *stack);
}

namespace {

constexpr long may_write = 2;  // W_OK of access(2)

#if defined(__x86_64__)
// System V ABI: the stack begins with argc; rdx is for _start.
asm(R"(
  .globl skiff_entry
  .type skiff_entry, @function
skiff_entry:
  endbr64
  xor %ebp, %ebp
  mov %rdx, %rbx
  mov %rsp, %rdi
  call seal_at_entry
  mov %rbx, %rdx
  jmp _start
  .size skiff_entry, . - skiff_entry
)");

long call(long number, long a, long b = 0, long c = 0, long d = 0, long e = 0) {
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  long result = number;
  asm volatile("syscall" : "+a"(result) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
// x0 is for _start.
asm(R"(
  .globl skiff_entry
  .type skiff_entry, %function
skiff_entry:
  mov x29, #0
  mov x19, x0
  mov x0, sp
  bl seal_at_entry
  mov x0, x19
  b _start
  .size skiff_entry, . - skiff_entry
)");

long call(long number, long a, long b = 0, long c = 0, long d = 0, long e = 0) {
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  return x0;
}
#endif

template <class T>
long address(T *of) {
  return reinterpret_cast<long>(of);
}

bool is(const char *word, const char *other) {
  for (; *word != '\0' && *word == *other; ++word) ++other;
  return *word == *other;
}

// main knows better; a container that has such a name costs one exec too many.
bool may_enter_a_container(const char *const *words) {
  for (++words; *words != nullptr; ++words) {
    if (is(*words, "create") || is(*words, "run") || is(*words, "exec")) return true;
  }
  return false;
}

}  // namespace

// `stack` is as execve(2) leaves it: argc, the arguments, a null pointer, the environment, a null pointer.
void seal_at_entry(const long *stack) {
  const auto *const words = reinterpret_cast<const char *const *>(stack + 1);
  const auto *const environment = words + *stack + 1;
  if (*stack < 2 || !may_enter_a_container(words)) return;
  constexpr const char *self = "/proc/self/exe";
  // EROFS: it is sealed. Another refusal, as an ordinary user gets it, says nothing of the mount.
  if (call(SYS_faccessat, AT_FDCWD, address(self), may_write) != 0) return;
  // Stays open in what is executed: take_image (seal.h).
  const long tree = call(SYS_open_tree, AT_FDCWD, address(self), OPEN_TREE_CLONE);
  if (tree < 0) return;
  const mount_attr readonly = {
      .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, .attr_clr = 0, .propagation = 0, .userns_fd = 0};
  if (call(SYS_mount_setattr, tree, address(""), AT_EMPTY_PATH, address(&readonly), sizeof readonly) == 0) {
    call(SYS_execveat, tree, address(""), address(words), address(environment), AT_EMPTY_PATH);
  }
  call(SYS_close, tree);
}
