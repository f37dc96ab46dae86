#include "runtime/kernel/xattr.h"

#include <sys/xattr.h>

#include "runtime/kernel/call.h"

namespace skiff::kernel {
namespace {

// The size is asked for first; the attribute may grow until it is read.
template <class Call>
ssize_t read_growing(std::string &into, Call call) {
  for (;;) {
    const ssize_t size = call(nullptr, 0);
    if (size <= 0) return size;
    into.resize(static_cast<size_t>(size));
    const ssize_t count = call(into.data(), into.size());
    if (count >= 0) into.resize(static_cast<size_t>(count));
    if (count >= 0 || errno != ERANGE) return count;
  }
}

std::vector<std::string> split(std::string_view names) {
  std::vector<std::string> out;
  while (!names.empty()) {
    out.emplace_back(names.substr(0, names.find('\0')));
    names.remove_prefix(std::min(out.back().size() + 1, names.size()));
  }
  return out;
}

std::string path_of(FdView dir, CString name) {
  return "/proc/self/fd/" + std::to_string(dir.get()) + "/" + std::string(name.view());
}

}  // namespace

Status fsetxattr(FdView fd, CString name, std::string_view value) {
  if (::fsetxattr(fd.get(), name.c_str(), value.data(), value.size(), 0) == 0) return {};
  return call_failed("fsetxattr", {fd, name, value.size()});
}

Result<std::optional<std::string>> fgetxattr(FdView fd, CString name) {
  std::string value;
  const ssize_t size =
      read_growing(value, [&](char *into, size_t room) { return ::fgetxattr(fd.get(), name.c_str(), into, room); });
  if (size >= 0) return value;
  if (errno == ENODATA || errno == EOPNOTSUPP) return std::nullopt;
  return call_failed("fgetxattr", {fd, name});
}

Status fremovexattr(FdView fd, CString name) {
  if (::fremovexattr(fd.get(), name.c_str()) == 0) return {};
  return call_failed("fremovexattr", {fd, name});
}

Result<std::vector<std::string>> flistxattr(FdView fd) {
  std::string names;
  const ssize_t size = read_growing(names, [&](char *into, size_t room) { return ::flistxattr(fd.get(), into, room); });
  if (size < 0 && errno != EOPNOTSUPP) return call_failed("flistxattr", {fd});
  return split(names);
}

Status lsetxattr_at(FdView dir, CString name, CString attribute, std::string_view value) {
  if (::lsetxattr(path_of(dir, name).c_str(), attribute.c_str(), value.data(), value.size(), 0) == 0) return {};
  return call_failed("lsetxattr", {dir, name, attribute, value.size()});
}

Result<std::optional<std::string>> lgetxattr_at(FdView dir, CString name, CString attribute) {
  const std::string path = path_of(dir, name);
  std::string value;
  const ssize_t size = read_growing(
      value, [&](char *into, size_t room) { return ::lgetxattr(path.c_str(), attribute.c_str(), into, room); });
  if (size >= 0) return value;
  if (errno == ENODATA || errno == EOPNOTSUPP) return std::nullopt;
  return call_failed("lgetxattr", {dir, name, attribute});
}

Result<std::vector<std::string>> llistxattr_at(FdView dir, CString name) {
  const std::string path = path_of(dir, name);
  std::string names;
  const ssize_t size =
      read_growing(names, [&](char *into, size_t room) { return ::llistxattr(path.c_str(), into, room); });
  if (size < 0 && errno != EOPNOTSUPP) return call_failed("llistxattr", {dir, name});
  return split(names);
}

}  // namespace skiff::kernel
