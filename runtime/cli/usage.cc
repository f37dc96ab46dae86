#include "runtime/cli/usage.h"

#include <fmt/format.h>

#include <algorithm>

namespace skiff::cli {
namespace {

// Beyond this width the text of a row starts on a line of its own.
constexpr std::size_t kLeftColumns = 34;

struct Row {
  std::string left;
  std::string right;
};

// "-b, --bundle DIR": letters and names each in a column of their own.
Row row_of(const FlagSpec &flag) {
  Row row;
  row.left = flag.letter != 0 ? fmt::format("-{}, --{}", flag.letter, flag.name) : fmt::format("    --{}", flag.name);
  if (const std::string_view value = value_name(flag); !value.empty()) {
    row.left += flag.alone.empty() ? fmt::format(" {}", value) : fmt::format("[={}]", value);
  }
  row.right = flag.text;
  if (flag.kind == Kind::Strings || flag.kind == Kind::Integers) row.right += " (may be given more than once)";
  if (!flag.initial.empty()) row.right += fmt::format(" (default: {})", flag.initial);
  return row;
}

std::string print(const std::vector<Row> &rows) {
  std::size_t widest = 0;
  for (const Row &row : rows) {
    if (row.left.size() <= kLeftColumns) widest = std::max(widest, row.left.size());
  }
  const int indent = static_cast<int>(widest) + 4;
  std::string out;
  for (const Row &row : rows) {
    const std::string text = wrap(row.right, kHelpColumns - indent, indent);
    if (row.left.size() <= widest) {
      out += fmt::format("  {:<{}}  {}\n", row.left, widest, text);
    } else {
      out += fmt::format("  {}\n{:{}}{}\n", row.left, "", indent, text);
    }
  }
  return out;
}

std::string flag_section(std::string_view title, std::span<const FlagSpec> flags, std::span<const Row> more) {
  std::vector<Row> rows;
  for (const FlagSpec &flag : flags) {
    if (!flag.hidden) rows.push_back(row_of(flag));
  }
  rows.insert(rows.end(), more.begin(), more.end());
  return fmt::format("\n{}:\n{}", title, print(rows));
}

}  // namespace

std::string_view value_name(const FlagSpec &flag) {
  if (!flag.choices.empty()) return flag.choices;
  if (!flag.value.empty()) return flag.value;
  switch (flag.kind) {
    case Kind::Bool:
      return "";
    case Kind::String:
    case Kind::Strings:
      return "VALUE";
    case Kind::Size:
      return "BYTES";
    case Kind::Duration:
      return "TIME";
    case Kind::Integer:
    case Kind::Integers:
    case Kind::Unsigned:
    case Kind::Uint32:
      return "N";
  }
  return "";
}

std::string usage_line(const Program &program, const Command &command) {
  return fmt::format("{}{}{}{}{}{}", program.name, command.name.empty() ? "" : " ", command.name,
                     command.flags.empty() ? "" : " [flags]", command.usage.empty() ? "" : " ", command.usage);
}

std::string wrap(std::string_view text, int columns, int indent) {
  std::string out;
  int column = 0;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find_first_of(" \n"));
    const int width = static_cast<int>(word.size());
    if (column > 0 && !word.empty() && column + 1 + width > columns) {
      out += fmt::format("\n{:{}}", "", indent);
      column = 0;
    }
    if (column > 0 && !word.empty()) out += ' ';
    column += width + (column > 0 ? 1 : 0);
    out += word;
    text.remove_prefix(word.size());
    if (text.empty()) break;
    if (text.front() == '\n') {
      // An empty line gets no blanks at its end.
      out += text.starts_with("\n\n") ? "\n" : fmt::format("\n{:{}}", "", indent);
      column = 0;
    }
    text.remove_prefix(1);
  }
  return out;
}

std::string program_help(const Program &program) {
  std::vector<Row> commands;
  for (const Command *command : program.commands) {
    if (!command->hidden) commands.push_back({std::string(command->name), std::string(command->summary)});
  }
  std::string out = fmt::format("NAME:\n   {} - {}\n\nusage: {} [global flags] COMMAND [flags] [arguments]\n",
                                program.name, program.summary, program.name);
  if (!program.description.empty()) out += fmt::format("\n{}\n", wrap(program.description, kHelpColumns, 0));
  out += fmt::format("\ncommands:\n{}", print(commands));
  const Row own[] = {{"-h, --help", "show this text, or that of the command"}, {"-v, --version", "show the version"}};
  out += flag_section("global flags", program.flags, own);
  return out + fmt::format("\n{} COMMAND --help shows the flags of a command.\n", program.name);
}

std::string command_help(const Program &program, const Command &command) {
  std::string out = fmt::format("NAME:\n   {}{}{} - {}\n\nusage: {}\n", program.name, command.name.empty() ? "" : " ",
                                command.name, wrap(command.summary, kHelpColumns, 2), usage_line(program, command));
  if (!command.description.empty()) out += fmt::format("\n{}\n", wrap(command.description, kHelpColumns, 0));
  const Row own[] = {{"-h, --help", "show this text"}};
  return out + flag_section("flags", command.flags, own);
}

}  // namespace skiff::cli
