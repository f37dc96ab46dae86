#include "compose/long_sleep.h"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/kernel/fd.h"

namespace skiff::compose {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds short_while(1000);

// What is written to would be lost; all else is as in the file.
int let_go_of_segments(dl_phdr_info *program, std::size_t, void *) {
  for (const ElfW(Phdr) & segment : std::span(program->dlpi_phdr, program->dlpi_phnum)) {
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const std::size_t skipped = segment.p_vaddr % static_cast<std::size_t>(::getpagesize());
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel tells addresses as numbers
    auto *const start = reinterpret_cast<char *>(program->dlpi_addr + segment.p_vaddr - skipped);
    // It is for memory's sake alone.
    (void)::madvise(start, segment.p_memsz + skipped, MADV_DONTNEED);
  }
  return 1;  // the program itself comes first
}

}  // namespace

Result<int> LongSleep::poll(std::span<pollfd> fds, milliseconds timeout) {
  const bool is_short = timeout >= milliseconds(0) && timeout <= short_while;
  if (!light_ && !is_short) {
    const int ready = TRY(kernel::poll(fds, short_while));
    if (ready != 0) return ready;
    ::dl_iterate_phdr(let_go_of_segments, nullptr);
    light_ = true;
    if (timeout > short_while) timeout -= short_while;
  }
  const int ready = TRY(kernel::poll(fds, timeout));
  if (ready != 0) light_ = false;
  return ready;
}

}  // namespace skiff::compose
