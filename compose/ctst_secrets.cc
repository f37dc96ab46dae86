#include "compose/ctst_secrets.h"

#include <fmt/format.h>

#include "runtime/kernel/path.h"

namespace skiff::compose::ctst {
namespace {

std::string variable_of(std::string_view name) {
  std::string out(name);
  for (char &letter : out) {
    if (letter == '.' || letter == '-') letter = '_';  // a shell can set no variable with "-" in its name
    if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 32);
  }
  return out;
}

constexpr std::string_view own_prefix = "SKIFF_SECRET_";

}  // namespace

SecretSource default_secret(const std::string &name) {
  return {.environment = std::string(own_prefix) + variable_of(name), .file = ""};
}

Result<SecretSource> find_secret(const std::string &name, const CtstRequest &request) {
  const std::string suffix = variable_of(name);
  for (const std::string_view prefix : {own_prefix, std::string_view("CONTAINUST_SECRET_")}) {
    const std::string variable = std::string(prefix) + suffix;
    if (request.environment.contains(variable)) return SecretSource{.environment = variable, .file = ""};
  }
  const std::string path = request.secrets_directory + "/" + name;
  const Result<struct stat> facts = kernel::fstatat(kernel::cwd, path);
  if (!facts && facts.error().number != ENOENT && facts.error().number != ENOTDIR) {
    return std::unexpected(facts.error());
  }
  if (!facts || !S_ISREG(facts->st_mode)) {
    return fail(fmt::format("there is neither ${}{} nor the file {}", own_prefix, suffix, path),
                "set the one, or write the other with mode 0400");
  }
  const mode_t mode = facts->st_mode & 07777U;
  if (mode != 0400 && mode != 0600) {
    return fail(EACCES, fmt::format("{} has mode {:04o}", path, mode), "chmod it to 0400 or 0600");
  }
  return SecretSource{.environment = "", .file = path};
}

}  // namespace skiff::compose::ctst
