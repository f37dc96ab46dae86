#include <fmt/format.h>

#include "runtime/cmd/command.h"
#include "runtime/host_check.h"
#include "runtime/host_probe.h"
#include "runtime/output.h"

namespace skiff {
namespace {

constexpr std::array<cli::FlagSpec, 1> flags = {{
    {.name = "bundle",
     .letter = 'b',
     .value = "DIR",
     .text = "the bundle's directory, as an alternative to the argument"},
}};

// A path with a line feed in it must not make up a line of its own.
std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + "\n";
}

std::string summary(std::size_t problems) {
  if (problems == 0) return "config.json: no problem found on this host\n";
  return fmt::format("config.json: {} problem{}\n", problems, problems == 1 ? "" : "s");
}

Result<int> run(const Context &context) {
  const auto &words = context.invocation.positionals;
  const Host host = TRY(read_host());
  const BundleReport report =
      TRY(check_bundle(words.empty() ? context.flag("bundle") : std::string(words.front()), host));
  std::string text;
  for (const spec::Finding &finding : report.findings) text += one_line(finding.message());
  for (const std::string &note : report.notes) text += one_line("note: " + note);
  TRY(print(text + summary(report.findings.size())));
  return report.findings.empty() ? 0 : 1;
}

}  // namespace

const CommandEntry check_command = {
    .command = {.name = "check",
                .usage = "[BUNDLE]",
                .summary = "look for everything that keeps a bundle from running on this host",
                .description = "Reads config.json, applies the rules of the specification, and compares it with this "
                               "host: missing files, features that the kernel lacks, ids that do not map, limits that "
                               "are not the runtime's to give. One line a problem, with its place as a JSON pointer "
                               "and what to do; exit status 1 where there is one.\n\n"
                               "Nothing is created or changed, and no privileges are needed: what only root could see "
                               "is left out or becomes a line that begins with \"note:\".",
                .flags = flags,
                .min_positionals = 0,
                .max_positionals = 1},
    .run = run};

}  // namespace skiff
