#include "compose/signal_name.h"

#include <fmt/format.h>
#include <signal.h>
#include <string.h>

#include <algorithm>

#include "runtime/cli/value.h"

namespace skiff::compose {
namespace {

constexpr int last_signal = 64;

int realtime_number(std::string_view name) {
  if (!name.starts_with("RTMIN") && !name.starts_with("RTMAX")) return 0;
  std::string_view rest = name.substr(5);
  if (rest.starts_with('+')) rest.remove_prefix(1);
  const std::optional<int> distance = rest.empty() ? 0 : cli::parse_number<int>(rest);
  if (!distance) return 0;
  const int number = (name.starts_with("RTMIN") ? SIGRTMIN : SIGRTMAX) + *distance;
  return number >= SIGRTMIN && number <= SIGRTMAX ? number : 0;
}

int named(std::string name) {
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  if (name.starts_with("SIG")) name.erase(0, 3);
  for (int number = 1; number < 32; ++number) {
    const char *known = sigabbrev_np(number);
    if (known != nullptr && name == known) return number;
  }
  return realtime_number(name);
}

}  // namespace

Result<int> parse_signal(std::string_view text) {
  const int number = cli::parse_number<int>(text).value_or(0);
  if (number >= 1 && number <= last_signal) return number;
  if (const int found = named(std::string(text)); found != 0) return found;
  return fail(fmt::format("\"{}\" is no signal", text), "a number from 1 to 64, or a name such as TERM or SIGTERM");
}

}  // namespace skiff::compose
