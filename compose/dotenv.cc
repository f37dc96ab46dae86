#include "compose/dotenv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <ranges>

namespace skiff::compose {
namespace {

bool is_blank(char letter) {
  return letter == ' ' || letter == '\t' || letter == '\r' || letter == '\v' || letter == '\f';
}

bool is_space(char letter) { return is_blank(letter) || letter == '\n'; }

// Letters beyond ASCII are allowed in names, as docker compose allows them.
bool in_name(char letter) {
  const auto byte = static_cast<unsigned char>(letter);
  return byte >= 0x80U || std::isalnum(byte) != 0 || std::string_view("_.-[]").find(letter) != std::string_view::npos;
}

std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
    constexpr std::string_view letters = "nrtabfv\\\"";
    constexpr std::string_view meanings = "\n\r\t\a\b\f\v\\\"";
    if (const std::size_t found = letters.find(next); next != '\0' && found != std::string_view::npos) {
      out += meanings[found];
      ++i;
    } else if (next == '$') {
      out += "$$";  // a dollar sign to the expansion that follows
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

class Parser {
 public:
  Parser(const Source &source, const Variables &variables, Findings &findings)
      : source_(source), rest_(source.text), variables_(variables), findings_(findings) {
    if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
  }

  std::vector<DotenvEntry> parse() {
    while (skip_to_statement()) statement();
    return std::move(entries_);
  }

 private:
  Position here() const { return place(static_cast<std::size_t>(rest_.data() - source_.text.data())); }

  Position place(std::size_t offset) const {
    const std::string_view before = std::string_view(source_.text).substr(0, offset);
    const std::size_t begin = before.rfind('\n') + 1;
    return {&source_, static_cast<std::uint32_t>(std::ranges::count(before, '\n') + 1),
            static_cast<std::uint32_t>(offset - begin + 1)};
  }

  void skip_line() { rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size())); }

  void skip_blanks() {
    while (!rest_.empty() && is_blank(rest_[0])) rest_.remove_prefix(1);
  }

  bool skip_to_statement() {
    while (!rest_.empty()) {
      if (rest_[0] == '#') {
        skip_line();
      } else if (is_space(rest_[0])) {
        rest_.remove_prefix(1);
      } else {
        return true;
      }
    }
    return false;
  }

  void statement() {
    if (rest_.starts_with("export") && rest_.size() > 6 && is_blank(rest_[6])) {
      rest_.remove_prefix(6);
      skip_blanks();
    }
    const Position at = here();
    const auto end = std::ranges::find_if_not(rest_, in_name);
    std::string name(rest_.begin(), end);
    rest_.remove_prefix(name.size());
    skip_blanks();
    const char sign = rest_.empty() ? '\n' : rest_[0];
    if (name.empty() || (sign != '=' && sign != ':' && sign != '\n')) {
      findings_.error(here(), "env-file",
                      name.empty() ? "a line has to begin with a variable's name"
                                   : fmt::format("\"{}\" has to be followed by =", name));
      return skip_line();
    }
    if (sign == '\n') {
      entries_.push_back({name, variables_(name)});
      return;
    }
    rest_.remove_prefix(1);
    skip_blanks();
    std::optional<std::string> text = value(at);
    if (text) entries_.push_back({std::move(name), std::move(text)});
  }

  std::optional<std::string> value(Position at) {
    if (!rest_.empty() && (rest_[0] == '"' || rest_[0] == '\'')) return quoted(rest_[0]);
    std::string_view line = rest_.substr(0, rest_.find('\n'));
    rest_.remove_prefix(line.size());
    if (line.starts_with('#')) line = {};
    line = line.substr(0, line.find(" #"));
    while (!line.empty() && is_space(line.back())) line.remove_suffix(1);
    return expanded(line, at);
  }

  std::optional<std::string> quoted(char quote) {
    const Position at = here();
    std::string text;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '\\' && i + 1 < rest_.size()) {
        // In front of a quote it goes; in front of anything else it is the business of what the quotes mean.
        if (rest_[i + 1] != quote) text += '\\';
        text += rest_[i + 1];
        ++i;
      } else if (rest_[i] == quote) {
        rest_.remove_prefix(i + 1);
        rest_of_line();
        return quote == '"' ? expanded(unescape(text), at) : text;
      } else {
        text += rest_[i];
      }
    }
    findings_.error(at, "env-file", fmt::format("the quote {} is not closed", quote));
    rest_ = {};
    return std::nullopt;
  }

  void rest_of_line() {
    skip_blanks();
    if (rest_.empty() || rest_[0] == '\n' || rest_[0] == '#') return;
    findings_.error(here(), "env-file", "nothing but a comment can follow the closing quote");
    skip_line();
  }

  std::string expanded(std::string_view text, Position at) {
    const Variables variables = [&](const std::string &name) -> std::optional<std::string> {
      if (std::optional<std::string> value = variables_(name)) return value;
      const auto found = std::ranges::find(entries_ | std::views::reverse, name, &DotenvEntry::name);
      return found == entries_.rend() ? std::nullopt : found->value;
    };
    Expansion expansion = expand(text, variables);
    if (!expansion.error.empty()) findings_.error(at, "interpolation", std::move(expansion.error));
    for (const std::string &name : expansion.missing) {
      findings_.warn(at, "unset-variable", fmt::format("the variable {} is not set, so it is empty", name),
                     "a dollar sign alone is written $$, or the value stands in single quotes");
    }
    return std::move(expansion.text);
  }

  const Source &source_;
  std::string_view rest_;
  const Variables &variables_;
  Findings &findings_;
  std::vector<DotenvEntry> entries_;
};

}  // namespace

std::vector<DotenvEntry> parse_dotenv(const Source &source, const Variables &variables, Findings &findings) {
  return Parser(source, variables, findings).parse();
}

std::vector<DotenvEntry> parse_raw_env(const Source &source, Findings &findings) {
  std::vector<DotenvEntry> entries;
  std::string_view rest = source.text;
  for (std::uint32_t number = 1; !rest.empty(); ++number) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    const std::size_t sign = line.find('=');
    if (sign == 0) {
      findings.error({&source, number, 1}, "env-file", "a line has to begin with a variable's name");
    } else if (sign != std::string_view::npos) {
      entries.push_back({std::string(line.substr(0, sign)), std::string(line.substr(sign + 1))});
    } else {
      entries.push_back({std::string(line), std::nullopt});
    }
  }
  return entries;
}

}  // namespace skiff::compose
