#include "compose/env_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "compose/split.h"
#include "runtime/kernel/fd.h"
#include "spec/names.h"

namespace skiff::compose {
namespace {

constexpr std::size_t longest_file = std::size_t{16} << 20U;

std::string_view without_blanks_in_front(std::string_view line) {
  return line.substr(std::min(line.find_first_not_of(" \t\v\f"), line.size()));
}

}  // namespace

Result<Environment::value_type> parse_variable(std::string_view text) {
  const auto [name, value] = split_once(text, '=');
  if (name.empty()) return fail(fmt::format("{} has no name", spec::quote(text)), "write NAME=VALUE");
  if (name.find_first_of(" \t") != std::string_view::npos) {
    return fail(fmt::format("{}: a name has no blank", spec::quote(name)), "write NAME=VALUE");
  }
  if (value) return Environment::value_type(name, *value);
  const char *own = std::getenv(std::string(name).c_str());
  return Environment::value_type(name, own == nullptr ? std::nullopt : std::optional<std::string>(own));
}

void set_variable(Environment &environment, Environment::value_type variable) {
  const auto known = std::ranges::find(environment, variable.first, &Environment::value_type::first);
  if (known == environment.end()) {
    environment.push_back(std::move(variable));
  } else {
    known->second = std::move(variable.second);
  }
}

Result<Environment> parse_env_file(std::string_view text, std::string_view name) {
  Environment out;
  std::size_t number = 0;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  for (std::string_view line : split_at(text, '\n')) {
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = without_blanks_in_front(line);
    if (line.empty() || line.starts_with('#')) continue;
    set_variable(out, TRY(in(fmt::format("{}:{}", name, number), parse_variable(line))));
  }
  return out;
}

Result<Environment> load_env_file(const std::string &path) {
  const kernel::Fd file = TRY(kernel::open(path, O_RDONLY));
  return parse_env_file(TRY(in(path, kernel::read_all(file, longest_file))), path);
}

}  // namespace skiff::compose
