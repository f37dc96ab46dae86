#include "compose/answer.h"

#include <fmt/format.h>

#include "compose/split.h"
#include "runtime/cli/value.h"

namespace skiff::compose {

// "+ANSWER", or "-ERRNO\0TEXT\0REMEDY".
std::string print_answer(const Result<std::string> &result) {
  if (result) return "+" + result->substr(0, longest_answer - 1);
  const Error &error = result.error();
  std::string text = fmt::format("-{}", error.number);
  text.append(1, '\0').append(error.text).append(1, '\0').append(error.remedy);
  return text.substr(0, longest_answer);
}

Result<std::string> read_answer(const std::string &text) {
  if (text.starts_with('+')) return text.substr(1);
  const auto parts = split_at(std::string_view(text).substr(text.empty() ? 0 : 1), '\0');
  Error error{.number = cli::parse_number<int>(parts[0]).value_or(0), .text = {}, .remedy = {}};
  if (parts.size() > 1) error.text = parts[1];
  if (parts.size() > 2) error.remedy = parts[2];
  return std::unexpected(std::move(error));
}

}  // namespace skiff::compose
