#include "runtime/kernel/call.h"

#include <fmt/format.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <iterator>

namespace skiff::kernel {
namespace {

// Longer arguments (the layers of an overlay) are cut: the rest of the message must stay readable.
constexpr size_t shown_bytes = 512;
constexpr size_t shown_data_bytes = 64;

constexpr FlagName open_names[] = {
    {O_PATH, "O_PATH"},     {O_DIRECTORY, "O_DIRECTORY"}, {O_NOFOLLOW, "O_NOFOLLOW"},
    {O_CREAT, "O_CREAT"},   {O_EXCL, "O_EXCL"},           {O_TRUNC, "O_TRUNC"},
    {O_APPEND, "O_APPEND"}, {O_NOCTTY, "O_NOCTTY"},       {O_NONBLOCK, "O_NONBLOCK"},
};
constexpr FlagName clone_names[] = {
    {CLONE_NEWUSER, "CLONE_NEWUSER"}, {CLONE_NEWNS, "CLONE_NEWNS"},
    {CLONE_NEWPID, "CLONE_NEWPID"},   {CLONE_NEWNET, "CLONE_NEWNET"},
    {CLONE_NEWIPC, "CLONE_NEWIPC"},   {CLONE_NEWUTS, "CLONE_NEWUTS"},
    {CLONE_NEWTIME, "CLONE_NEWTIME"}, {CLONE_NEWCGROUP, "CLONE_NEWCGROUP"},
    {CLONE_PARENT, "CLONE_PARENT"},   {CLONE_FILES, "CLONE_FILES"},
    {CLONE_FS, "CLONE_FS"},           {CLONE_INTO_CGROUP, "CLONE_INTO_CGROUP"},
};
constexpr FlagName attribute_names[] = {
    {MOUNT_ATTR_RDONLY, "MOUNT_ATTR_RDONLY"},
    {MOUNT_ATTR_NOSUID, "MOUNT_ATTR_NOSUID"},
    {MOUNT_ATTR_NODEV, "MOUNT_ATTR_NODEV"},
    {MOUNT_ATTR_NOEXEC, "MOUNT_ATTR_NOEXEC"},
    {MOUNT_ATTR_NOATIME, "MOUNT_ATTR_NOATIME"},
    {MOUNT_ATTR_STRICTATIME, "MOUNT_ATTR_STRICTATIME"},
    {MOUNT_ATTR_NODIRATIME, "MOUNT_ATTR_NODIRATIME"},
    {MOUNT_ATTR_IDMAP, "MOUNT_ATTR_IDMAP"},
    {MOUNT_ATTR_NOSYMFOLLOW, "MOUNT_ATTR_NOSYMFOLLOW"},
};
constexpr FlagName mount_names[] = {
    {MS_REMOUNT, "MS_REMOUNT"},
    {MS_BIND, "MS_BIND"},
    {MS_MOVE, "MS_MOVE"},
    {MS_REC, "MS_REC"},
    {MS_RDONLY, "MS_RDONLY"},
    {MS_NOSUID, "MS_NOSUID"},
    {MS_NODEV, "MS_NODEV"},
    {MS_NOEXEC, "MS_NOEXEC"},
    {MS_SYNCHRONOUS, "MS_SYNCHRONOUS"},
    {MS_MANDLOCK, "MS_MANDLOCK"},
    {MS_DIRSYNC, "MS_DIRSYNC"},
    {MS_NOATIME, "MS_NOATIME"},
    {MS_NODIRATIME, "MS_NODIRATIME"},
    {MS_RELATIME, "MS_RELATIME"},
    {MS_STRICTATIME, "MS_STRICTATIME"},
    {MS_LAZYTIME, "MS_LAZYTIME"},
    {MS_SILENT, "MS_SILENT"},
    {MS_PRIVATE, "MS_PRIVATE"},
    {MS_SLAVE, "MS_SLAVE"},
    {MS_SHARED, "MS_SHARED"},
    {MS_UNBINDABLE, "MS_UNBINDABLE"},
};
constexpr FlagName open_tree_names[] = {
    {OPEN_TREE_CLONE, "OPEN_TREE_CLONE"},
    {AT_RECURSIVE, "AT_RECURSIVE"},
    {AT_EMPTY_PATH, "AT_EMPTY_PATH"},
    {AT_SYMLINK_NOFOLLOW, "AT_SYMLINK_NOFOLLOW"},
};
constexpr FlagName resolve_names[] = {
    {RESOLVE_IN_ROOT, "RESOLVE_IN_ROOT"},         {RESOLVE_BENEATH, "RESOLVE_BENEATH"},
    {RESOLVE_NO_SYMLINKS, "RESOLVE_NO_SYMLINKS"}, {RESOLVE_NO_MAGICLINKS, "RESOLVE_NO_MAGICLINKS"},
    {RESOLVE_NO_XDEV, "RESOLVE_NO_XDEV"},
};

// The first kernel that has a call, for the calls that Linux 5.0 lacks.
struct Since {
  std::string_view call;
  std::string_view kernel;
};
constexpr Since first_kernels[] = {
    {"openat2", "5.6"},
    {"clone3", "5.3"},
    {"fsopen", "5.2"},
    {"fsconfig", "5.2"},
    {"fsmount", "5.2"},
    {"fspick", "5.2"},
    {"open_tree", "5.2"},
    {"move_mount", "5.2"},
    {"mount_setattr", "5.12"},
    {"pidfd_open", "5.3"},
    {"pidfd_send_signal", "5.1"},
    {"pidfd_getfd", "5.6"},
};

void append_quoted(std::string &out, std::string_view text, size_t shown = shown_bytes) {
  out += '"';
  for (const char c : text.substr(0, shown)) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      // A file name from a container must not send control codes to the terminal that shows the error.
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  out += text.size() > shown ? "\"..." : "\"";
}

// 7<"/srv/data">. What /proc says is only shown to the reader, never used, so an untrusted one does no harm.
void append_fd(std::string &out, int fd) {
  if (fd == AT_FDCWD) {
    out += "AT_FDCWD";
    return;
  }
  fmt::format_to(std::back_inserter(out), "{}", fd);
  std::array<char, 32> link{};
  std::array<char, PATH_MAX> target{};
  *fmt::format_to_n(link.data(), link.size() - 1, "/proc/self/fd/{}", fd).out = '\0';
  const ssize_t size = fd < 0 ? -1 : ::readlink(link.data(), target.data(), target.size());
  if (size <= 0 || target[0] != '/') return;
  out += '<';
  append_quoted(out, {target.data(), static_cast<size_t>(size)});
  out += '>';
}

void append_flags(std::string &out, uint64_t bits, std::span<const FlagName> names) {
  const size_t start = out.size();
  for (const FlagName &name : names) {
    if (name.bits == 0 || (bits & name.bits) != name.bits) continue;
    if (out.size() > start) out += '|';
    out += name.name;
    bits &= ~name.bits;
  }
  if (bits == 0 && out.size() > start) return;
  if (out.size() > start) out += '|';
  if (bits == 0) out += '0';
  if (bits != 0) fmt::format_to(std::back_inserter(out), "{:#x}", bits);
}

std::string_view access_mode(uint64_t flags) {
  switch (flags & O_ACCMODE) {
    case O_WRONLY:
      return "O_WRONLY";
    case O_RDWR:
      return "O_RDWR";
    default:
      return "O_RDONLY";
  }
}

void append_open_flags(std::string &out, uint64_t flags) {
  const uint64_t rest = flags & ~uint64_t{O_ACCMODE | O_CLOEXEC | O_LARGEFILE};
  if ((flags & O_PATH) == 0) {
    out += access_mode(flags);
    if (rest == 0) return;
    out += '|';
  }
  append_flags(out, rest, open_names);
}

Error make_error(int number, std::string_view call, std::initializer_list<Argument> arguments) {
  Error error{.number = number, .text = std::string(call), .remedy = {}};
  error.text += '(';
  for (const Argument &argument : arguments) {
    if (error.text.back() != '(') error.text += ", ";
    argument.append_to(error.text);
  }
  error.text += ')';
  if (number != ENOSYS) return error;
  for (const Since &since : first_kernels) {
    if (since.call != call) continue;
    error.remedy = fmt::format("the call needs Linux {} or later, and no seccomp filter that hides it", since.kernel);
  }
  return error;
}

}  // namespace

constinit const std::span<const FlagName> clone_flag_names = clone_names;
constinit const std::span<const FlagName> mount_attribute_names = attribute_names;
constinit const std::span<const FlagName> mount_flag_names = mount_names;
constinit const std::span<const FlagName> open_tree_flag_names = open_tree_names;
constinit const std::span<const FlagName> resolve_flag_names = resolve_names;

void Argument::append_to(std::string &out) const {
  switch (kind_) {
    case Kind::fd:
      return append_fd(out, static_cast<int>(number_));
    case Kind::quoted:
      return append_quoted(out, text_);
    case Kind::data:
      return append_quoted(out, text_, shown_data_bytes);
    case Kind::number:
      fmt::format_to(std::back_inserter(out), "{}", static_cast<int64_t>(number_));
      return;
    case Kind::octal:
      fmt::format_to(std::back_inserter(out), "{:#o}", number_);
      return;
    case Kind::word:
      out += text_;
      return;
    case Kind::open_flags:
      return append_open_flags(out, number_);
    case Kind::flags:
      return append_flags(out, number_, names_);
  }
}

Error call_error(std::string_view call, std::initializer_list<Argument> arguments) {
  const int number = errno;
  return make_error(number, call, arguments);
}

std::unexpected<Error> call_failed(std::string_view call, std::initializer_list<Argument> arguments) {
  const int number = errno;
  return std::unexpected(make_error(number, call, arguments));
}

std::unexpected<Error> call_failed(int number, std::string_view call, std::initializer_list<Argument> arguments) {
  return std::unexpected(make_error(number, call, arguments));
}

}  // namespace skiff::kernel
