#include "runtime/kernel/proc.h"

#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/mount.h>

#include <array>
#include <charconv>

#include "runtime/kernel/call.h"
#include "runtime/kernel/mount.h"
#include "runtime/kernel/path.h"

namespace skiff::kernel {
namespace {

// PROC_ROOT_INO: the root of every procfs, and of nothing that is bound from inside one.
constexpr ino_t proc_root_inode = 1;

// "self/fd/7" and the like, built without an allocation.
template <size_t size>
CString append_number(std::array<char, size> &buffer, std::string_view before, int number, std::string_view after) {
  char *at = buffer.data();
  at += before.copy(at, before.size());
  at = std::to_chars(at, buffer.data() + buffer.size() - after.size() - 1, number).ptr;
  at += after.copy(at, after.size());
  *at = '\0';
  return buffer.data();
}

std::string_view take_field(std::string_view &rest) {
  const size_t end = std::min(rest.find(' '), rest.size());
  const std::string_view field = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return field;
}

template <class Number>
bool parse_number(std::string_view text, Number &number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

// The same place by hand, for kernels without openat2. Only another filesystem is noticed there, not a bind mount of
// this one.
Result<Fd> open_by_walk(const Fd &root, CString path, int flags) {
  Fd found = TRY(walk_in_root(root, path, flags));
  if (TRY(fstat(found)).st_dev == TRY(fstat(root)).st_dev) return found;
  return call_failed(EXDEV, "openat", {root, path, Argument::open_flags(flags)});
}

}  // namespace

Result<ProcessStat> parse_process_stat(std::string_view text) {
  ProcessStat stat;
  const size_t close = text.rfind(')');
  if (close == text.npos || close + 2 > text.size()) return fail("a process's stat has no name in parentheses");
  std::string_view rest = text.substr(close + 2);
  const std::string_view state = take_field(rest);
  bool good = state.size() == 1 && parse_number(take_field(rest), stat.ppid);
  // Fields 5 to 21 lie between the parent and the start time.
  for (int field = 5; field < 22; ++field) take_field(rest);
  good = good && parse_number(take_field(rest), stat.start_time);
  if (!good) return fail("a process's stat has fewer than 22 fields");
  stat.state = state.front();
  return stat;
}

Result<Procfs> Procfs::open_host() {
  Fd root = TRY(open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW));
  const bool real = TRY(fstatfs(root)).f_type == PROC_SUPER_MAGIC && TRY(fstat(root)).st_ino == proc_root_inode;
  if (!real) return remedy("mount procfs on /proc", Result<Procfs>(call_failed(EXDEV, "open", {CString("/proc")})));
  return Procfs(std::move(root));
}

Result<Procfs> Procfs::duplicate() const { return Procfs(TRY(dup_above(root_, 3))); }

Result<Procfs> Procfs::open_private(Subset subset) {
  const Fd context = TRY(fsopen("proc"));
  if (subset == Subset::pid) TRY(fsconfig_set_string(context, "subset", "pid"));
  TRY(fsconfig_create(context));
  return Procfs(TRY(fsmount(context, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)));
}

Result<Fd> Procfs::open_at(CString path, int flags) const {
  constexpr uint64_t resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  Result<Fd> found = openat2(root_, path, flags, 0, resolve);
  if (found || (found.error().number != ENOSYS && found.error().number != EPERM)) return found;
  return open_by_walk(root_, path, flags);
}

Result<Fd> Procfs::reopen(FdView fd, int flags) const {
  const Fd links = TRY(open_at("self/fd", O_PATH | O_DIRECTORY));
  std::array<char, 16> name{};
  Fd again = TRY(openat(links, append_number(name, "", fd.get(), ""), flags));
  // Somebody may have mounted over the link itself.
  const struct stat before = TRY(fstat(fd));
  const struct stat after = TRY(fstat(again));
  if (before.st_dev == after.st_dev && before.st_ino == after.st_ino) return again;
  return call_failed(EXDEV, "openat", {links, CString(name.data()), Argument::open_flags(flags)});
}

Result<std::string> Procfs::read_file(CString path, size_t max_bytes) const {
  return read_all(TRY(open_at(path, O_RDONLY)), max_bytes);
}

Status Procfs::write_file(CString path, std::string_view value) const {
  const Fd file = TRY(open_at(path, O_WRONLY));
  const size_t put = TRY(write_some(file, value));
  if (put == value.size()) return {};
  return call_failed(EIO, "write", {file, value});
}

Result<ProcessStat> Procfs::read_stat(pid_t pid) const {
  std::array<char, 32> path{};
  Result<Fd> file = open_at(append_number(path, "", pid, "/stat"), O_RDONLY);
  if (!file && file.error().number == ENOENT) file.error().number = ESRCH;
  if (!file) return std::unexpected(std::move(file).error());
  std::array<char, 4096> text;
  const size_t size = TRY(read_some(*file, text));
  return parse_process_stat({text.data(), size});
}

Result<uint64_t> Procfs::read_start_time(pid_t pid) const { return TRY(read_stat(pid)).start_time; }

Result<std::string> read_regular_in_root(FdView root, CString path, size_t max_bytes) {
  const Fd found = TRY(find_in_root(root, path, O_PATH | O_NOFOLLOW));
  if (!found.valid()) return std::string();
  if (!S_ISREG(TRY(fstat(found)).st_mode)) return fail(std::string(path.view()) + ": it is no regular file");
  const Procfs procfs = TRY(Procfs::open_host());
  const Fd file = TRY(procfs.reopen(found, O_RDONLY | O_NONBLOCK));
  return in(path.view(), read_all(file, max_bytes));
}

}  // namespace skiff::kernel
