#include "spec/path.h"

#include <algorithm>

namespace skiff::spec {
namespace {

// Each part with a '/' in front.
std::string clean(std::string_view path) {
  std::string out;
  out.reserve(path.size() + 1);
  while (!path.empty()) {
    const std::string_view part = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(part.size() + 1, path.size()));
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      out.resize(out.empty() ? 0 : out.rfind('/'));
      continue;
    }
    out += '/';
    out += part;
  }
  return out;
}

}  // namespace

std::string clean_path(std::string_view path) {
  std::string out = clean(path);
  return out.empty() ? "/" : out;
}

std::string clean_relative_path(std::string_view path) {
  std::string out = clean(path);
  if (!out.empty()) out.erase(0, 1);
  return out;
}

}  // namespace skiff::spec
