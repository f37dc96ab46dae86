#include "runtime/kernel/inotify.h"

#include <array>

#include "runtime/kernel/call.h"

namespace skiff::kernel {

Result<Fd> inotify_init1(int flags) {
  Fd notices(::inotify_init1(flags | IN_CLOEXEC));
  if (!notices.valid()) return call_failed("inotify_init1", {});
  return notices;
}

Result<int> inotify_add_watch(FdView notices, CString path, std::uint32_t events) {
  const int number = ::inotify_add_watch(notices.get(), path.c_str(), events);
  if (number < 0) return call_failed("inotify_add_watch", {notices, path, events});
  return number;
}

Status read_notices(FdView notices, const std::function<Status(const Notice &)> &take) {
  alignas(inotify_event) std::array<char, 16384> buffer{};
  while (true) {
    const Result<std::size_t> count = read_some(notices, buffer);
    if (!count && count.error().number == EAGAIN) return {};
    if (!count) return std::unexpected(count.error());
    if (*count == 0) return {};
    for (std::size_t at = 0; at < *count;) {
      const auto &event = reinterpret_cast<const inotify_event &>(buffer[at]);
      at += sizeof(event) + event.len;
      // The name is filled up with zeros.
      const std::string_view name = event.len == 0 ? "" : static_cast<const char *>(event.name);
      TRY(take({.watch = event.wd, .events = event.mask, .name = name}));
    }
  }
}

}  // namespace skiff::kernel
