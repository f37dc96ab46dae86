#include "compose/secrets.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "runtime/kernel/fd.h"

namespace skiff::compose {
namespace {

constexpr std::size_t longest_secret = std::size_t{512} << 10U;  // compose's own limit is 500 KB

Result<std::string> read_private_file(const std::string &path) {
  const kernel::Fd file = TRY(kernel::open(path, O_RDONLY));
  const struct stat facts = TRY(kernel::fstat(file));
  const mode_t mode = facts.st_mode & 07777U;
  if (mode != 0400 && mode != 0600) {
    return fail(EACCES, fmt::format("{}: mode {:04o}", path, mode),
                "chmod it to 0400 or 0600: a secret is for its owner alone");
  }
  return kernel::read_all(file, longest_secret);
}

}  // namespace

Result<std::string> variable_of(const Project &project, const FileSource &source) {
  const auto found = project.environment.find(source.environment);
  if (found != project.environment.end()) return found->second;
  return fail(ENOENT, fmt::format("${} is not set", source.environment), "export it, or write it into .env");
}

Result<std::string> read_secret(const Project &project, const FileSource &secret) {
  if (secret.content) return *secret.content;
  const std::string place = fmt::format("secret {}", secret.key);
  if (!secret.environment.empty()) return in(place, variable_of(project, secret));
  std::string text = TRY(in(place, read_private_file(secret.file)));
  // What an editor ends a file with is no part of a password.
  if (text.ends_with('\n')) text.pop_back();
  if (text.find('\0') != std::string::npos) return fail(fmt::format("{}: a NUL byte", place));
  return text;
}

std::string escape_dollars(std::string_view text) {
  std::string out;
  for (const char letter : text) out.append(letter == '$' ? 2 : 1, letter);
  return out;
}

Result<std::string> replace_secrets(std::string_view text,
                                    const std::function<Result<std::string>(std::string_view name)> &value_of) {
  constexpr std::string_view opening = "${secret.";
  std::string out;
  while (!text.empty()) {
    if (text.starts_with("$$")) {
      out += '$';
      text.remove_prefix(2);
    } else if (const std::size_t end = text.find('}'); text.starts_with(opening) && end != std::string_view::npos) {
      out += TRY(value_of(text.substr(opening.size(), end - opening.size())));
      text.remove_prefix(end + 1);
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

Result<Service> with_secrets(Service service, const Project &project) {
  const auto value_of = [&](std::string_view name) -> Result<std::string> {
    const auto found = std::ranges::find_if(project.secrets, [&](const FileSource &one) { return one.key == name; });
    if (found == project.secrets.end()) return fail(ENOENT, fmt::format("secret {}: the project has none", name));
    return read_secret(project, *found);
  };
  const auto replace_words = [&](std::vector<std::string> &words) -> Status {
    for (std::string &word : words) word = TRY(replace_secrets(word, value_of));
    return {};
  };
  constexpr std::string_view variable = "environment.";
  for (const std::string &place : service.secret_references) {
    const std::string where = fmt::format("services.{}.{}", service.name, place);
    if (place == "command" && service.command) TRY(in(where, replace_words(*service.command)));
    if (place == "entrypoint" && service.entrypoint) TRY(in(where, replace_words(*service.entrypoint)));
    if (!place.starts_with(variable)) continue;
    for (auto &[key, value] : service.environment) {
      if (value && key == place.substr(variable.size())) value = TRY(in(where, replace_secrets(*value, value_of)));
    }
  }
  service.secret_references.clear();
  return service;
}

}  // namespace skiff::compose
