#include "runtime/kernel/environment.h"

#include <cstdlib>

namespace skiff::kernel {

std::string environment_variable(CString name) {
  const char *value = std::getenv(name.c_str());
  return value == nullptr ? std::string() : std::string(value);
}

std::string user_directory(CString name, std::string_view below) {
  std::string own = environment_variable(name);
  if (own.starts_with('/')) return own;
  std::string home = environment_variable("HOME");
  return home.empty() ? home : home.append(below);
}

}  // namespace skiff::kernel
