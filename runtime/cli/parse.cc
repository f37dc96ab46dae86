#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "runtime/cli/flags.h"
#include "runtime/cli/nearest.h"
#include "runtime/cli/usage.h"

namespace skiff::cli {
namespace {

constexpr FlagSpec kHelp{.name = "help", .letter = 'h', .kind = Kind::Bool};
constexpr FlagSpec kVersion{.name = "version", .letter = 'v', .kind = Kind::Bool};

// One word that starts with a dash: "--name=value", "-name", "-n=value".
struct Word {
  std::string_view dashes;
  std::string_view name;
  std::optional<std::string_view> value;  // after the "="
};

Word split(std::string_view text) {
  Word word{.dashes = text.substr(0, text.starts_with("--") ? 2 : 1), .name = {}, .value = {}};
  text.remove_prefix(word.dashes.size());
  const std::size_t equals = text.find('=');
  word.name = text.substr(0, equals);
  if (equals != std::string_view::npos) word.value = text.substr(equals + 1);
  return word;
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

class Parser {
 public:
  Parser(const Program &program, std::span<const char *const> arguments) : program_(program), rest_(arguments) {
    invocation_.global = Flags(program.flags);
    if (program.commands.size() == 1 && program.commands.front()->name.empty()) choose(*program.commands.front());
  }

  Result<Invocation> run() {
    while (!rest_.empty() && !done()) {
      const std::string_view text = next();
      const bool flag = text.size() > 1 && text[0] == '-';
      if (text == "--") {
        take_rest();
      } else if (flag && text[1] != '-' && !is_letter(text[1])) {
        // "-9" and "-1" are values of some other program, and so is what follows them.
        if (Status taken = positional(text); !taken) return std::unexpected(std::move(taken).error());
        take_rest();
      } else if (Status taken = flag ? this->flag(text) : positional(text); !taken) {
        return std::unexpected(std::move(taken).error());
      }
    }
    if (Status count = check_count(); !count) return std::unexpected(std::move(count).error());
    return std::move(invocation_);
  }

 private:
  [[nodiscard]] bool done() const { return invocation_.help || invocation_.version; }

  std::string_view next() {
    const std::string_view text = rest_.front();
    rest_ = rest_.subspan(1);
    return text;
  }

  void take_rest() {
    while (!rest_.empty()) invocation_.positionals.emplace_back(next());
  }

  Status positional(std::string_view text) {
    if (invocation_.command == nullptr) return command(text);
    invocation_.positionals.push_back(text);
    if (invocation_.command->stop_at_first_positional) {
      // `exec ID -- sh -c x`: the dashes are ours, what follows is not looked at.
      if (!rest_.empty() && std::string_view(rest_.front()) == "--") next();
      take_rest();
    }
    return {};
  }

  void choose(const Command &command) {
    invocation_.command = &command;
    invocation_.flags = Flags(command.flags);
  }

  // True where a command's name stood on the line.
  [[nodiscard]] bool named() const { return invocation_.command != nullptr && !invocation_.command->name.empty(); }

  Status command(std::string_view name) {
    if (const Command *known = find_command(program_, name); known != nullptr) {
      choose(*known);
      return {};
    }
    if (name == "help" || name == "h") {
      invocation_.help = true;
      return rest_.empty() ? Status{} : command(next());
    }
    if (const std::string words = second_words(program_, name); !words.empty()) return second(name, words);
    Nearest nearest(name);
    for (const Command *known : program_.commands) {
      if (!known->hidden) nearest.offer(known->name.substr(0, known->name.find(' ')));
    }
    // "foo -h" is a question for a text, as "help foo" is.
    const bool asks =
        !rest_.empty() && std::ranges::count(std::array<std::string_view, 2>{"-h", "--help"}, rest_.front()) > 0;
    return fail(asks ? fmt::format("No help topic for '{}'", name) : fmt::format("unknown command \"{}\"", name),
                nearest.found().empty() ? fmt::format("{} --help lists the commands", program_.name)
                                        : fmt::format("did you mean {}?", nearest.found()));
  }

  // "network create": the second word of a command, one of `words`.
  Status second(std::string_view first, const std::string &words) {
    const bool there = !rest_.empty() && !std::string_view(rest_.front()).starts_with('-');
    const std::string name = fmt::format("{} {}", first, there ? next() : "");
    if (const Command *known = find_command(program_, name); known != nullptr) {
      choose(*known);
      return {};
    }
    return fail(there ? fmt::format("unknown command \"{}\"", name) : fmt::format("{}: its command is missing", first),
                fmt::format("one of {}", words));
  }

  // The table that knows the name: the command's own first. The flags every program has come last.
  Status flag(std::string_view text) {
    const Word word = split(text);
    for (Flags *flags : {&invocation_.flags, &invocation_.global}) {
      if (const FlagSpec *known = flags->find(word.name)) return value(*flags, *known, word, text);
    }
    for (const FlagSpec *own : {&kHelp, &kVersion}) {
      if (own == &kVersion && named()) continue;
      if (word.name != own->name && word.name != std::string_view(&own->letter, 1)) continue;
      (own == &kHelp ? invocation_.help : invocation_.version) = true;
      return {};
    }
    if (word.dashes.size() == 1 && invocation_.command != nullptr && invocation_.command->joined_values &&
        invocation_.flags.find(text.substr(1, 1)) != nullptr) {
      return joined(text);
    }
    if (word.dashes.size() == 1 && all_letters(word.name)) return letters(word, text);
    return unknown(word);
  }

  Status value(Flags &flags, const FlagSpec &known, const Word &word, std::string_view text) {
    if (known.kind == Kind::Bool)
      return placed(flags.set(known, word.value.value_or("").empty() ? "true" : *word.value));
    if (word.value) return placed(flags.set(known, *word.value));
    if (!known.alone.empty()) return placed(flags.set(known, known.alone));
    if (rest_.empty()) return placed(fail(fmt::format("flag needs an argument: {}", text)));
    return placed(flags.set(known, next()));
  }

  // True where every letter of "-td" is a flag of the command and all but the last are bools.
  [[nodiscard]] bool all_letters(std::string_view name) const {
    for (std::size_t i = 0; i < name.size(); ++i) {
      const FlagSpec *known = invocation_.flags.find(name.substr(i, 1));
      if (known == nullptr || (known->takes_word() && i + 1 != name.size())) return false;
    }
    return !name.empty();
  }

  Status letters(const Word &word, std::string_view text) {
    for (std::size_t i = 0; i < word.name.size(); ++i) {
      const bool last = i + 1 == word.name.size();
      const Word one{.dashes = "-", .name = word.name.substr(i, 1), .value = last ? word.value : std::nullopt};
      if (Status set = value(invocation_.flags, *invocation_.flags.find(one.name), one, text); !set) return set;
    }
    return {};
  }

  // "-itv/a:/b": bools, and at the end one that takes what is left of the word as its value, else the next word.
  Status joined(std::string_view text) {
    for (std::size_t i = 1; i < text.size(); ++i) {
      const FlagSpec *known = invocation_.flags.find(text.substr(i, 1));
      if (known == nullptr) return unknown({.dashes = "-", .name = text.substr(i, 1), .value = {}});
      const std::string_view rest = text.substr(i + 1);
      const bool valued = known->kind != Kind::Bool || rest.starts_with('=');
      Word one{.dashes = "-", .name = text.substr(i, 1), .value = std::nullopt};
      if (valued && !rest.empty()) one.value = rest.substr(rest.starts_with('=') ? 1 : 0);
      if (Status set = value(invocation_.flags, *known, one, fmt::format("-{}", one.name)); !set || valued) return set;
    }
    return {};
  }

  [[nodiscard]] Status unknown(const Word &word) const {
    Nearest nearest(word.name);
    for (const auto table : {invocation_.flags.table(), program_.flags}) {
      for (const FlagSpec &known : table) {
        if (!known.hidden) nearest.offer(known.name);
      }
    }
    if (!nearest.found().empty()) {
      return placed(fail(fmt::format("unknown flag {}{}", word.dashes, word.name),
                         fmt::format("did you mean --{}?", nearest.found())));
    }
    const std::string_view name = named() ? invocation_.command->name : "";
    return placed(fail(fmt::format("unknown flag {}{}", word.dashes, word.name),
                       fmt::format("{}{}{} --help lists the flags", program_.name, name.empty() ? "" : " ", name)));
  }

  [[nodiscard]] Status placed(Status status) const {
    if (status || !named()) return status;
    return std::unexpected(in(invocation_.command->name, std::move(status).error()));
  }

  [[nodiscard]] Status check_count() const {
    const Command *command = invocation_.command;
    if (done()) return {};
    if (command == nullptr) {
      if (invocation_.positionals.empty()) return {};
      return fail(fmt::format("\"{}\" follows -- where a command belongs", invocation_.positionals.front()));
    }
    const int count = static_cast<int>(invocation_.positionals.size());
    const int least = command->min_positionals;
    const int most = command->max_positionals;
    if (count >= least && (most == kUnlimited || count <= most)) return {};
    const bool exact = least == most;
    const int wanted = count < least ? least : most;
    return fail(fmt::format("{}{}requires {} {} argument{}, got {}", command->name, named() ? ": " : "",
                            exact ? "exactly" : (count < least ? "at least" : "at most"), wanted,
                            wanted == 1 ? "" : "s", count),
                "usage: " + usage_line(program_, *command));
  }

  const Program &program_;
  std::span<const char *const> rest_;
  Invocation invocation_;
};

}  // namespace

Result<Invocation> parse(const Program &program, std::span<const char *const> arguments) {
  return Parser(program, arguments).run();
}

std::string second_words(const Program &program, std::string_view first) {
  std::string words;
  for (const Command *command : program.commands) {
    const std::size_t blank = command->name.find(' ');
    if (blank == std::string_view::npos || command->hidden || command->name.substr(0, blank) != first) continue;
    words += fmt::format("{}{}", words.empty() ? "" : ", ", command->name.substr(blank + 1));
  }
  return words;
}

const Command *find_command(const Program &program, std::string_view name) {
  for (const Command *command : program.commands) {
    if (command->name == name) return command;
  }
  return nullptr;
}

}  // namespace skiff::cli
