#include "runtime/sysctl.h"

#include "runtime/rootfs.h"

namespace skiff {
namespace {

bool is_name(std::string_view part) { return !part.empty() && part != "." && part != ".."; }

bool has_only_names(std::string_view path) {
  for (;;) {
    const auto slash = path.find('/');
    if (!is_name(path.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

std::string_view sysctl_remedy(int number) {
  switch (number) {
    case ENOENT:
      return "the kernel has no such parameter here: check the name, and that the module it belongs to is loaded";
    case EACCES:
    case EPERM:
    case EROFS:
      return "it may be set only in a namespace of the container's own (net.* network, kernel.sem, kernel.shm*, "
             "kernel.msg* and fs.mqueue.* ipc, user.* user)";
    case EINVAL:
    case ERANGE:
      return "the kernel does not take this value";
    default:
      return {};
  }
}

}  // namespace

Result<std::string> sysctl_file(std::string_view key) {
  std::string path(key);
  const auto first = key.find_first_of("./");
  if (first != std::string_view::npos && key[first] == '.') {
    for (char &letter : path) {
      if (letter == '.') {
        letter = '/';
      } else if (letter == '/') {
        letter = '.';
      }
    }
  }
  if (!has_only_names(path)) return fail(EINVAL, "\"" + std::string(key) + "\" is no name of a kernel parameter");
  return "sys/" + path;
}

Status apply(const SetSysctl &step, Rootfs &rootfs) {
  const std::string file = TRY(sysctl_file(step.key));
  auto written = rootfs.proc.write_file(file, step.value);
  if (written) return written;
  const auto words = sysctl_remedy(written.error().number);
  return in(step.key + " = " + step.value, words.empty() ? std::move(written) : remedy(words, std::move(written)));
}

}  // namespace skiff
