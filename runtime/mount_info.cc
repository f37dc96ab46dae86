#include "runtime/mount_info.h"

#include <cstddef>
#include <utility>

namespace skiff {
namespace {

constexpr std::size_t max_mount_info = std::size_t{64} << 20;  // 100,000 mounts of long paths, and more

bool is_octal(char digit) { return digit >= '0' && digit <= '7'; }

std::string decode(std::string_view field) {
  std::string out;
  for (std::size_t i = 0; i < field.size(); ++i) {
    if (field[i] == '\\' && i + 3 < field.size() && is_octal(field[i + 1]) && is_octal(field[i + 2]) &&
        is_octal(field[i + 3])) {
      out += static_cast<char>((field[i + 1] - '0') * 64 + (field[i + 2] - '0') * 8 + (field[i + 3] - '0'));
      i += 3;
    } else {
      out += field[i];
    }
  }
  return out;
}

std::string_view take(std::string_view &text, char separator) {
  const auto end = text.find(separator);
  const auto field = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return field;
}

}  // namespace

std::vector<MountInfo> parse_mount_info(std::string_view text) {
  std::vector<MountInfo> out;
  while (!text.empty()) {
    std::string_view line = take(text, '\n');
    // The optional fields, none or several, end at a hyphen of its own.
    const auto hyphen = line.find(" - ");
    if (hyphen == std::string_view::npos) continue;
    std::string_view tail = line.substr(hyphen + 3);
    for (int skipped = 0; skipped < 3; ++skipped) take(line, ' ');  // mount, parent, device
    const auto root = take(line, ' ');
    const auto mount_point = take(line, ' ');
    const auto type = take(tail, ' ');
    take(tail, ' ');  // source
    out.push_back({decode(root), decode(mount_point), decode(type), decode(tail)});
  }
  return out;
}

Result<std::vector<MountInfo>> read_mount_info(const kernel::Procfs &proc) {
  return parse_mount_info(TRY(proc.read_file("self/mountinfo", max_mount_info)));
}

}  // namespace skiff
