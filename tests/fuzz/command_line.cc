// Words as `skiff-compose run` takes them, one a line, to the Service that they say.
#include <string>
#include <vector>

#include "compose/run_flag_table.h"
#include "compose/run_flags.h"
#include "tests/fuzz/target.h"

namespace {

namespace cli = skiff::cli;

constexpr cli::Command run_command = {.name = "run",
                                      .usage = "IMAGE [WORD...]",
                                      .summary = "",
                                      .flags = skiff::compose::run_flags,
                                      .min_positionals = 1,
                                      .max_positionals = cli::kUnlimited,
                                      .stop_at_first_positional = true,
                                      .joined_values = true};
constexpr std::array<const cli::Command *, 1> commands = {&run_command};
constexpr auto global_flags = std::to_array<cli::FlagSpec>({
    {.name = "file", .letter = 'f', .kind = cli::Kind::Strings, .value = "FILE", .text = ""},
    {.name = "debug", .kind = cli::Kind::Bool, .text = ""},
    {.name = "parallel", .kind = cli::Kind::Integer, .value = "N", .text = ""},
});
constexpr cli::Program program = {.name = "fuzz", .flags = global_flags, .commands = commands};

// Names of files would make it read this machine's.
bool names_a_file(const cli::Flags &flags) {
  for (const char *name : {"env-file", "label-file", "seccomp", "security-opt"}) {
    if (flags.find(name) != nullptr && flags.given(name)) return true;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  std::string text(skiff::fuzz::text_of(data, size));
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.emplace_back(text, at, end - at);
    at = end + 1;
  }
  std::vector<const char *> words;
  for (const std::string &line : lines) words.push_back(line.c_str());
  const auto invocation = cli::parse(program, words);
  if (!invocation || invocation->help || invocation->version || invocation->positionals.empty()) return 0;
  if (names_a_file(invocation->flags)) return 0;
  (void)skiff::compose::service_of_flags(invocation->flags, invocation->positionals.front(),
                                         std::span(invocation->positionals).subspan(1));
  return 0;
}
