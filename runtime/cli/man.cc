#include "runtime/cli/man.h"

#include <fmt/format.h>

#include <string_view>

#include "runtime/cli/usage.h"

namespace skiff::cli {
namespace {

// Text that roff prints as it is: no escape, no request at the start of a line, dashes that can be copied as dashes.
std::string plain(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    line_start = c == '\n';
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

// Paragraphs: an empty line in the text becomes .PP.
std::string paragraphs(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = text.find("\n\n");
    out += fmt::format("{}{}\n", out.empty() ? "" : ".PP\n", plain(text.substr(0, end)));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 2);
  }
  return out;
}

std::string flag_entry(const FlagSpec &flag) {
  std::string out = ".TP\n";
  if (flag.letter != 0) out += fmt::format("\\fB\\-{}\\fR, ", flag.letter);
  out += fmt::format("\\fB\\-\\-{}\\fR", plain(flag.name));
  if (const std::string_view value = value_name(flag); !value.empty()) {
    const bool may_lack = !flag.alone.empty();
    out += fmt::format("{}\\fI{}\\fR{}", may_lack ? "[=" : " ", plain(value), may_lack ? "]" : "");
  }
  out += fmt::format("\n{}", plain(flag.text));
  if (flag.kind == Kind::Strings || flag.kind == Kind::Integers) out += " (may be given more than once)";
  if (!flag.initial.empty()) out += fmt::format(" (default: {})", plain(flag.initial));
  return out + ".\n";
}

std::string flag_entries(std::span<const FlagSpec> flags) {
  std::string out;
  for (const FlagSpec &flag : flags) {
    if (!flag.hidden) out += flag_entry(flag);
  }
  return out;
}

std::string command_entry(const Program &program, const Command &command) {
  std::string out = fmt::format(".SS {}\n\\fB{} {}\\fR", plain(command.name), plain(program.name), plain(command.name));
  if (!command.flags.empty()) out += " [\\fIflags\\fR]";
  if (!command.usage.empty()) out += fmt::format(" \\fI{}\\fR", plain(command.usage));
  out += fmt::format("\n.PP\n{}.\n", plain(command.summary));
  if (!command.description.empty()) out += ".PP\n" + paragraphs(command.description);
  return out + flag_entries(command.flags);
}

}  // namespace

std::string man_page(const Program &program) {
  std::string out = fmt::format(".TH {0} 8 \"\" \"{0} {1}\" \"System Administration\"\n", plain(program.name),
                                plain(program.version));
  out += fmt::format(".SH NAME\n{} \\- {}\n", plain(program.name), plain(program.summary));
  out += fmt::format(
      ".SH SYNOPSIS\n\\fB{}\\fR [\\fIglobal flags\\fR] \\fICOMMAND\\fR [\\fIflags\\fR] [\\fIarguments\\fR]\n",
      plain(program.name));
  if (!program.description.empty()) out += ".SH DESCRIPTION\n" + paragraphs(program.description);
  out += ".SH GLOBAL FLAGS\n" + flag_entries(program.flags);
  constexpr FlagSpec kHelp{.name = "help", .letter = 'h', .kind = Kind::Bool, .text = "show the help text"};
  constexpr FlagSpec kVersion{.name = "version", .letter = 'v', .kind = Kind::Bool, .text = "show the version"};
  out += flag_entry(kHelp) + flag_entry(kVersion) + ".SH COMMANDS\n";
  for (const Command *command : program.commands) {
    if (!command->hidden) out += command_entry(program, *command);
  }
  return out;
}

}  // namespace skiff::cli
