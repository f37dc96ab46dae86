#include "runtime/cli/completion.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "runtime/cli/usage.h"

namespace skiff::cli {
namespace {

std::vector<const Command *> shown(const Program &program) {
  std::vector<const Command *> commands;
  std::ranges::copy_if(program.commands, std::back_inserter(commands), [](const Command *c) { return !c->hidden; });
  return commands;
}

bool has_two_words(const Command &command) { return command.name.contains(' '); }

// A command of two words counts by its first, once.
struct FirstWord {
  std::string_view name;
  const Command *command = nullptr;  // null where second words follow
};

std::vector<FirstWord> first_words(const Program &program) {
  std::vector<FirstWord> words;
  for (const Command *command : shown(program)) {
    const std::string_view name = command->name.substr(0, command->name.find(' '));
    if (has_two_words(*command) && std::ranges::find(words, name, &FirstWord::name) != words.end()) continue;
    words.push_back({.name = name, .command = has_two_words(*command) ? nullptr : command});
  }
  return words;
}

std::string summary_of(const FirstWord &word, const Program &program) {
  return word.command != nullptr ? std::string(word.command->summary) : second_words(program, word.name);
}

std::vector<FlagSpec> shown(std::span<const FlagSpec> table) {
  std::vector<FlagSpec> flags;
  std::ranges::copy_if(table, std::back_inserter(flags), [](const FlagSpec &flag) { return !flag.hidden; });
  return flags;
}

bool takes_container(const Command &command) { return command.usage.starts_with("CONTAINER"); }

std::string replaced(std::string_view text, char from, std::string_view to) {
  std::string out;
  for (const char c : text) {
    if (c == from) {
      out += to;
    } else {
      out += c;
    }
  }
  return out;
}

// What the first positional is one of ("bash|zsh|fish"), with blanks between; empty where it may be anything.
std::string positional_choices(const Command &command) {
  const std::string_view first = command.usage.substr(0, command.usage.find(' '));
  return first.contains('|') && !first.starts_with('[') ? replaced(first, '|', " ") : "";
}

// "create ls", where first_words has no command.
std::string choices_of(const Program &program, const FirstWord &word) {
  return replaced(second_words(program, word.name), ',', "");
}

// Names a shell function may have: "skiff-image" becomes "skiff_image".
std::string identifier(std::string_view name) { return replaced(name, '-', "_"); }

// Between single quotes in bash and zsh.
std::string single_quoted(std::string_view text) { return "'" + replaced(text, '\'', "'\\''") + "'"; }

// ---- bash ----

// "--bundle|-b", led by the command and a comma where there is one: a pattern for `case "$command,$previous"`.
std::string bash_pattern(std::string_view command, const FlagSpec &flag) {
  const std::string word = replaced(command, ' ', "\\ ");
  std::string out = fmt::format("{},--{}", word, flag.name);
  if (flag.letter != 0) out += fmt::format("|{},-{}", word, flag.letter);
  return out;
}

std::string bash_values(std::string_view command, const FlagSpec &flag) {
  if (!flag.takes_word()) return "";
  const std::string_view value = value_name(flag);
  std::string action = "return";
  if (!flag.choices.empty()) {
    action = fmt::format("mapfile -t COMPREPLY < <(compgen -W {} -- \"$current\"); return",
                         single_quoted(replaced(flag.choices, '|', " ")));
  } else if (value == "DIR" || value == "FILE") {
    action = fmt::format("compopt -o filenames; mapfile -t COMPREPLY < <(compgen -{} -- \"$current\"); return",
                         value == "DIR" ? 'd' : 'f');
  }
  return fmt::format("    {}) {} ;;\n", bash_pattern(command, flag), action);
}

std::string bash_words(std::span<const FlagSpec> table) {
  std::string out = "--help";
  for (const FlagSpec &flag : shown(table)) out += fmt::format(" --{}", flag.name);
  return out;
}

// A case that steps over the values of global flags while the command is looked for.
std::string bash_skips(const Program &program) {
  std::string names;
  for (const FlagSpec &flag : program.flags) {
    if (!flag.takes_word()) continue;
    names += fmt::format("{}--{}", names.empty() ? "" : "|", flag.name);
    if (flag.letter != 0) names += fmt::format("|-{}", flag.letter);
  }
  return names.empty() ? "" : fmt::format("      {}) i=$((i + 1)) ;;\n", names);
}

std::string bash_script(const Program &program) {
  std::string values;
  std::string words;
  std::string names;
  for (const FlagSpec &flag : shown(program.flags)) values += bash_values("*", flag);
  for (const Command *command : shown(program)) {
    for (const FlagSpec &flag : shown(command->flags)) values += bash_values(command->name, flag);
    words += fmt::format("    {}) words={}; containers={} ;;\n", replaced(command->name, ' ', "\\ "),
                         single_quoted(bash_words(command->flags) + " " + positional_choices(*command)),
                         takes_container(*command) ? "yes" : "''");
  }
  std::string two_words;
  for (const FirstWord &word : first_words(program)) {
    names += fmt::format("{}{}", names.empty() ? "" : " ", word.name);
    if (word.command != nullptr) continue;
    words += fmt::format("    {}) words={} ;;\n", word.name, single_quoted(choices_of(program, word)));
    two_words += fmt::format(
        "  [[ $command == {} ]] && ((i + 1 < COMP_CWORD)) && command+=\" ${{COMP_WORDS[i + 1]}}\"\n", word.name);
  }
  return fmt::format(R"(# bash completion for {0}
_{1}() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}}
  local command='' words='' containers='' i
  [[ $current == '=' ]] && current=''
  [[ $previous == '=' ]] && previous=${{COMP_WORDS[COMP_CWORD - 2]}}
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${{COMP_WORDS[i]}} in
{2}      -*) ;;
      *) command=${{COMP_WORDS[i]}}; break ;;
    esac
  done
{6}  case "$command,$previous" in
{3}  esac
  case $command in
    '') words={4} ;;
{5}  esac
  if [[ -n $containers && $current != -* ]]; then
    words=$({0} list --quiet 2>/dev/null)
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}}
complete -F _{1} {0}
)",
                     program.name, identifier(program.name), bash_skips(program), values,
                     single_quoted(names + " " + bash_words(program.flags) + " --version"), words, two_words);
}

// ---- zsh ----

// One argument of _arguments: '(-b --bundle)'{-b,--bundle}'[text]:DIR:_files -/'
std::string zsh_argument(const FlagSpec &flag) {
  std::string text = replaced(flag.text, '\\', "\\\\");
  for (const char c : {'[', ']', ':'}) text = replaced(text, c, std::string("\\") + c);
  const bool repeats = flag.kind == Kind::Strings || flag.kind == Kind::Integers;
  std::string out;
  if (flag.letter != 0) {
    out = fmt::format("{}{{-{},--{}}}", repeats ? "'*'" : fmt::format("'(-{} --{})'", flag.letter, flag.name),
                      flag.letter, flag.name);
  } else {
    out = fmt::format("'{}--{}'", repeats ? "*" : "", flag.name);
  }
  std::string rest = fmt::format("[{}]", text);
  const std::string_view value = value_name(flag);
  if (!flag.choices.empty()) {
    rest += fmt::format(":value:({})", replaced(flag.choices, '|', " "));
  } else if (flag.takes_word()) {
    rest += fmt::format(":{}:{}", replaced(value, ':', "\\:"),
                        value == "DIR" ? "_files -/" : (value == "FILE" ? "_files" : " "));
  }
  return out + single_quoted(rest);
}

std::string zsh_arguments(std::span<const FlagSpec> table, std::string_view indent) {
  std::string out;
  for (const FlagSpec &flag : shown(table)) out += fmt::format(" \\\n{}{}", indent, zsh_argument(flag));
  return out;
}

std::string zsh_positional(const Program &program, const Command &command) {
  constexpr std::string_view kBreak = " \\\n          ";
  if (takes_container(command)) return fmt::format("{}'1:container:_{}_containers'", kBreak, identifier(program.name));
  const std::string words = positional_choices(command);
  return words.empty() ? "" : fmt::format("{}'1:word:({})'", kBreak, words);
}

std::string zsh_script(const Program &program) {
  std::string names;
  std::string cases;
  for (const FirstWord &word : first_words(program)) {
    const Command *command = word.command;
    names +=
        fmt::format("        {}\n",
                    single_quoted(fmt::format("{}:{}", word.name, replaced(summary_of(word, program), ':', "\\:"))));
    if (command == nullptr) {
      cases +=
          fmt::format("        {}) _arguments '1:command:({})' '*: : ' ;;\n", word.name, choices_of(program, word));
      continue;
    }
    cases += fmt::format("        {}) _arguments '(- *)'{{-h,--help}}'[show the help text]'{}{} ;;\n", command->name,
                         zsh_arguments(command->flags, "          "), zsh_positional(program, *command));
  }
  return fmt::format(R"zsh(#compdef {0}
_{1}_containers() {{
  local -a ids
  ids=(${{(f)"$({0} list --quiet 2>/dev/null)"}})
  compadd -a ids
}}
_{1}() {{
  local context state state_descr line
  typeset -A opt_args
  _arguments -C '(- *)'{{-h,--help}}'[show the help text]' '(- *)'{{-v,--version}}'[show the version]'{2} \
    '1:command:->command' '*::argument:->argument'
  case $state in
    command)
      local -a commands
      commands=(
{3}      )
      _describe command commands
      ;;
    argument)
      case $words[1] in
{4}      esac
      ;;
  esac
}}
if [ "$funcstack[1]" = _{1} ]; then
  _{1} "$@"
else
  compdef _{1} {0}
fi
)zsh",
                     program.name, identifier(program.name), zsh_arguments(program.flags, "    "), names, cases);
}

// ---- fish ----

std::string fish_quoted(std::string_view text) {
  return "'" + replaced(replaced(text, '\\', "\\\\"), '\'', "\\'") + "'";
}

std::string fish_flag(std::string_view start, const FlagSpec &flag) {
  std::string out = fmt::format("{} -l {}", start, flag.name);
  if (flag.letter != 0) out += fmt::format(" -s {}", flag.letter);
  const std::string_view value = value_name(flag);
  if (!flag.choices.empty()) {
    out += fmt::format(" -x -a {}", fish_quoted(replaced(flag.choices, '|', " ")));
  } else if (value == "DIR") {
    out += " -x -a '(__fish_complete_directories)'";
  } else if (flag.takes_word()) {
    out += value == "FILE" ? " -r -F" : " -x";
  }
  return out + fmt::format(" -d {}\n", fish_quoted(flag.text));
}

std::string fish_script(const Program &program) {
  const std::string function = "__" + identifier(program.name) + "_containers";
  std::string names;
  for (const FirstWord &word : first_words(program)) names += fmt::format(" {}", word.name);
  const std::string first = fmt::format("complete -c {} -n 'not __fish_seen_subcommand_from{}'", program.name, names);
  std::string out = fmt::format("# fish completion for {0}\nfunction {1}\n    {0} list --quiet 2>/dev/null\nend\n",
                                program.name, function);
  out += fmt::format("complete -c {0} -f\n{1} -l help -s h -d 'show the help text'\n", program.name, first);
  out += fmt::format("{} -l version -s v -d 'show the version'\n", first);
  for (const FlagSpec &flag : shown(program.flags)) out += fish_flag(first, flag);
  for (const FirstWord &word : first_words(program)) {
    out += fmt::format("{} -a {} -d {}\n", first, word.name, fish_quoted(summary_of(word, program)));
  }
  for (const FirstWord &word : first_words(program)) {
    const std::string start =
        fmt::format("complete -c {} -n '__fish_seen_subcommand_from {}'", program.name, word.name);
    if (word.command == nullptr) {
      out += fmt::format("{} -a {}\n", start, fish_quoted(choices_of(program, word)));
      continue;
    }
    const Command *command = word.command;
    out += fmt::format("{} -l help -s h -d 'show the help text'\n", start);
    for (const FlagSpec &flag : shown(command->flags)) out += fish_flag(start, flag);
    if (takes_container(*command)) out += fmt::format("{} -a '({})'\n", start, function);
    if (const std::string words = positional_choices(*command); !words.empty()) {
      out += fmt::format("{} -a {}\n", start, fish_quoted(words));
    }
  }
  return out;
}

}  // namespace

Result<std::string> completion_script(const Program &program, std::string_view shell) {
  if (shell == "bash") return bash_script(program);
  if (shell == "zsh") return zsh_script(program);
  if (shell == "fish") return fish_script(program);
  return fail(fmt::format("no completion for the shell \"{}\"", shell), fmt::format("one of {}", kShells));
}

}  // namespace skiff::cli
