#include "imgtool/dockerfile.h"

#include <fmt/format.h>

#include <algorithm>

#include "imgtool/dockerfile_check.h"
#include "spec/json.h"
#include "spec/names.h"
#include "spec/text.h"

namespace skiff::image {
namespace {

constexpr std::size_t largest_dockerfile = 16U << 20U;
constexpr std::string_view blanks = " \t";

std::string_view trim_front(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return text;
}

std::string_view trim(std::string_view text) {
  text = trim_front(text);
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char &letter : out) {
    if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
  }
  return out;
}

// The lines of the file, taken one after the other.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {
    if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
  }
  [[nodiscard]] bool end() const { return rest_.empty(); }
  [[nodiscard]] std::size_t number() const { return number_; }  // of the line taken last
  std::string_view take() {
    const std::size_t length = std::min(rest_.find('\n'), rest_.size());
    std::string_view line = rest_.substr(0, length);
    rest_.remove_prefix(std::min(length + 1, rest_.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    ++number_;
    return line;
  }

 private:
  std::string_view rest_;
  std::size_t number_ = 0;
};

std::string at_line(std::size_t line) { return fmt::format("line {}", line); }

class Parser {
 public:
  explicit Parser(std::string_view text) : lines_(text) {}

  Result<Dockerfile> run() {
    bool directives = true;
    while (!lines_.end()) {
      const std::string_view line = lines_.take();
      const std::string_view words = trim_front(line);
      const std::size_t number = lines_.number();
      if (words.starts_with('#')) {
        if (directives) directives = TRY(in(at_line(number), read_directive(words)));
        continue;
      }
      directives = false;
      if (trim(words).empty()) continue;
      TRY(in(at_line(number), read_instruction(words)));
    }
    return std::move(file_);
  }

 private:
  // "# escape=`". False where the comment is none: what follows is none either.
  Result<bool> read_directive(std::string_view line) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) return false;
    const std::string key = spec::lower_case(trim(line.substr(1, equals - 1)));
    const std::string_view value = trim(line.substr(equals + 1));
    // Which program is to read the file (syntax), and what that one is to complain about (check).
    if (key == "syntax" || key == "check") return true;
    if (key != "escape") return false;
    if (value != "\\" && value != "`") return fail(fmt::format("escape={}: it must be \\ or `", value));
    file_.escape = value.front();
    return true;
  }

  Status read_instruction(std::string_view first) {
    Instruction instruction;
    instruction.line = lines_.number();
    instruction.text = trim(TRY(join_lines(first)));
    std::string_view rest = instruction.text;
    const std::string_view keyword = rest.substr(0, rest.find_first_of(blanks));
    instruction.keyword = upper(keyword);
    rest = trim_front(rest.substr(keyword.size()));
    TRY(take_flags(instruction, rest));
    instruction.arguments = rest;
    if (takes_heredocs(instruction.keyword)) TRY(read_heredocs(instruction));
    if (takes_json(instruction.keyword) && rest.starts_with('[')) read_json(instruction);
    TRY(check_instruction(instruction, file_.warnings));
    file_.instructions.push_back(std::move(instruction));
    return {};
  }

  // A line that ends in the escape letter goes on with the next one; comments and empty lines between are no part of
  // it.
  Result<std::string> join_lines(std::string_view first) {
    std::string joined(first);
    while (goes_on(joined)) {
      if (lines_.end()) break;
      std::string_view next = lines_.take();
      while ((trim(next).empty() || trim_front(next).starts_with('#')) && !lines_.end()) next = lines_.take();
      if (trim(next).empty() || trim_front(next).starts_with('#')) break;
      joined += next;
    }
    return joined;
  }

  // Takes the escape letter off the end.
  [[nodiscard]] bool goes_on(std::string &line) const {
    const std::size_t end = line.find_last_not_of(blanks);
    if (end == std::string::npos || line[end] != file_.escape) return false;
    // Two of them are the letter itself only on a line that goes on no further: "\\" at the end escapes the end.
    line.resize(end);
    return true;
  }

  static Status take_flags(Instruction &instruction, std::string_view &rest) {
    while (rest.starts_with("--")) {
      const std::string_view word = rest.substr(0, rest.find_first_of(blanks));
      rest = trim_front(rest.substr(word.size()));
      if (word == "--") return {};
      const std::size_t equals = word.find('=');
      const std::string_view name = word.substr(2, equals == std::string_view::npos ? equals : equals - 2);
      // As a bool: --link
      const std::string_view value = equals == std::string_view::npos ? "true" : word.substr(equals + 1);
      if (name.empty()) return fail(fmt::format("{}: a flag without a name", spec::quote(word)));
      instruction.flags.push_back({spec::lower_case(name), std::string(value)});
    }
    return {};
  }

  static void read_json(Instruction &instruction) {
    const auto document = spec::json::Document::parse(instruction.arguments);
    if (!document || document->root().kind() != spec::json::Kind::array) return;
    std::vector<std::string> words;
    bool strings = true;
    document->root().each([&](spec::json::Value value) {
      strings = strings && value.kind() == spec::json::Kind::string;
      if (strings) words.emplace_back(value.text());
    });
    if (strings) instruction.json = std::move(words);
  }

  Status read_heredocs(Instruction &instruction) {
    bool tabs = false;
    for (std::string_view rest = instruction.arguments; !rest.empty();) {
      std::optional<Heredoc> heredoc = take_heredoc_mark(rest, tabs);
      if (heredoc) instruction.heredocs.push_back(TRY(read_body(std::move(*heredoc), tabs)));
    }
    return {};
  }

  // The next word of the shell's, and the heredoc that it begins: "<<NAME", "<<-NAME", "3<<'NAME'".
  static std::optional<Heredoc> take_heredoc_mark(std::string_view &rest, bool &tabs) {
    rest = trim_front(rest);
    const std::string_view whole = rest;
    std::string_view word = rest.substr(0, word_end(rest));
    rest.remove_prefix(word.size());
    while (!word.empty() && word.front() >= '0' && word.front() <= '9') word.remove_prefix(1);
    if (!word.starts_with("<<") || word.starts_with("<<<") || whole.starts_with('#')) return std::nullopt;
    word.remove_prefix(2);
    tabs = word.starts_with('-');
    if (tabs) word.remove_prefix(1);
    Heredoc heredoc;
    const bool quoted =
        word.size() >= 2 && (word.front() == '"' || word.front() == '\'') && word.back() == word.front();
    heredoc.expand = !quoted;
    heredoc.name = quoted ? word.substr(1, word.size() - 2) : word;
    if (heredoc.name.empty() || heredoc.name.find_first_of("<>&|;()") != std::string::npos) return std::nullopt;
    return heredoc;
  }

  static std::size_t word_end(std::string_view text) {
    char quote = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
      const char letter = text[at];
      if (quote != 0) {
        if (letter == quote) quote = 0;
      } else if (letter == '"' || letter == '\'') {
        quote = letter;
      } else if (letter == '\\') {
        ++at;
      } else if (blanks.find(letter) != std::string_view::npos) {
        return at;
      }
    }
    return text.size();
  }

  Result<Heredoc> read_body(Heredoc heredoc, bool tabs) {
    while (!lines_.end()) {
      std::string_view line = lines_.take();
      if (tabs) line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
      if (line == heredoc.name) return heredoc;
      heredoc.text += line;
      heredoc.text += '\n';
    }
    return fail(fmt::format("the heredoc <<{} has no end", heredoc.name),
                fmt::format("end it by a line that says {} and nothing else", heredoc.name));
  }

  Lines lines_;
  Dockerfile file_;
};

}  // namespace

const std::string *Instruction::flag(std::string_view name) const {
  const auto found = std::ranges::find(flags.rbegin(), flags.rend(), name, &InstructionFlag::name);
  return found == flags.rend() ? nullptr : &found->value;
}

Result<Dockerfile> parse_dockerfile(std::string_view text) {
  if (text.size() > largest_dockerfile) return fail(EFBIG, fmt::format("{} bytes", text.size()));
  if (text.find('\0') != std::string_view::npos) return fail("it holds a NUL", "it is no text");
  return Parser(text).run();
}

}  // namespace skiff::image
