#include "runtime/user_name.h"

#include <fcntl.h>

#include <string_view>

#include "runtime/kernel/fd.h"

namespace skiff {

std::string user_name(std::uint32_t uid) {
  std::string unknown = "#" + std::to_string(uid);
  const Result<kernel::Fd> file = kernel::open("/etc/passwd", O_RDONLY);
  if (!file) return unknown;
  const Result<std::string> text = kernel::read_all(*file, 1 << 20);
  if (!text) return unknown;
  const std::string wanted = std::to_string(uid);
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const std::size_t name = line.find(':');
    const std::size_t password = name == std::string_view::npos ? name : line.find(':', name + 1);
    if (password == std::string_view::npos) continue;
    if (line.substr(password + 1, line.find(':', password + 1) - password - 1) == wanted) {
      return std::string(line.substr(0, name));
    }
  }
  return unknown;
}

}  // namespace skiff
