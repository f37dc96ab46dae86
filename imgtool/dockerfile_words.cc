#include "imgtool/dockerfile_words.h"

#include <fmt/format.h>

#include <algorithm>

#include "spec/names.h"

namespace skiff::image {
namespace {

constexpr int deepest = 16;

bool is_blank(char letter) { return letter == ' ' || letter == '\t' || letter == '\n'; }
bool in_name(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
         letter == '_';
}

// One pass over a text.
class Expansion {
 public:
  Expansion(std::string_view text, char escape, const Variables &variables, bool quotes, int depth)
      : rest_(text), escape_(escape), variables_(&variables), quotes_(quotes), depth_(depth) {}

  Result<std::string> run() {
    while (!rest_.empty()) {
      const char letter = take();
      if (letter == escape_) {
        take_escaped();
      } else if (letter == '$') {
        out_ += TRY(take_variable());
      } else if (quotes_ && letter == '\'') {
        TRY(take_single());
      } else if (quotes_ && letter == '"') {
        TRY(take_double());
      } else {
        out_ += letter;
      }
    }
    return std::move(out_);
  }

 private:
  char take() {
    const char letter = rest_.front();
    rest_.remove_prefix(1);
    return letter;
  }

  void take_escaped() {
    if (rest_.empty()) {
      out_ += escape_;
      return;
    }
    // A heredoc's text is a file's: there the escape letter is for what would be expanded alone.
    if (!quotes_ && rest_.front() != '$' && rest_.front() != escape_) out_ += escape_;
    out_ += take();
  }

  Status take_single() {
    const std::size_t end = rest_.find('\'');
    if (end == std::string_view::npos) return fail("a ' without its other end");
    out_ += rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return {};
  }

  Status take_double() {
    while (!rest_.empty()) {
      const char letter = take();
      if (letter == '"') return {};
      if (letter == '$') {
        out_ += TRY(take_variable());
      } else if (letter == escape_ && !rest_.empty()) {
        const char next = take();
        if (next != '"' && next != '$' && next != escape_) out_ += escape_;
        out_ += next;
      } else {
        out_ += letter;
      }
    }
    return fail("a \" without its other end");
  }

  // What follows the '$'.
  Result<std::string> take_variable() {
    if (rest_.starts_with('{')) return take_braces();
    const std::string_view name = take_name();
    if (name.empty()) return "$";
    return (*variables_)(name).value_or("");
  }

  std::string_view take_name() {
    const std::size_t length = std::min<std::size_t>(
        static_cast<std::size_t>(std::ranges::find_if_not(rest_, in_name) - rest_.begin()), rest_.size());
    const std::string_view name = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return name;
  }

  Result<std::string> take_braces() {
    const std::string_view whole = rest_;
    rest_.remove_prefix(1);
    const std::string_view name = take_name();
    const std::size_t end = closing_brace(rest_);
    if (end == std::string_view::npos) return fail(fmt::format("${}: no closing brace", spec::quote(whole)));
    if (name.empty()) return fail(fmt::format("${}: no name", whole.substr(0, whole.find('}') + 1)));
    std::string_view modifier = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    const std::optional<std::string> value = (*variables_)(name);
    if (modifier.empty()) return value.value_or("");
    const bool empty_is_unset = modifier.starts_with(':');
    if (empty_is_unset) modifier.remove_prefix(1);
    const bool set = value && !(empty_is_unset && value->empty());
    const char kind = modifier.empty() ? '\0' : modifier.front();
    if (modifier.empty() || std::string_view("-+?").find(kind) == std::string_view::npos) {
      return fail(fmt::format("${{{}...}}: this modifier is not supported", name), "there are :- :+ :? - + and ?");
    }
    if (depth_ >= deepest) return fail("variables stand too deep in each other");
    if (kind == '-' && set) return *value;
    if (kind == '+' && !set) return "";
    if (kind == '?' && set) return *value;
    std::string word = TRY(Expansion(modifier.substr(1), escape_, *variables_, quotes_, depth_ + 1).run());
    if (kind == '?') return fail(fmt::format("{}: {}", name, word.empty() ? "it is not set" : word));
    return word;
  }

  // Of the brace that the text's beginning is inside of.
  [[nodiscard]] std::size_t closing_brace(std::string_view text) const {
    int open = 1;
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (text[at] == escape_) {
        ++at;
      } else if (text[at] == '{' && at > 0 && text[at - 1] == '$') {
        ++open;
      } else if (text[at] == '}' && --open == 0) {
        return at;
      }
    }
    return std::string_view::npos;
  }

  std::string_view rest_;
  char escape_;
  const Variables *variables_;
  bool quotes_;
  int depth_;
  std::string out_;
};

// Where the first '=' is that no quote surrounds.
std::size_t find_equals(std::string_view word) {
  const std::size_t equals = word.find('=');
  return std::min(equals, word.find_first_of("\"'")) == equals ? equals : std::string_view::npos;
}

}  // namespace

Result<std::string> expand_word(std::string_view text, char escape, const Variables &variables) {
  return Expansion(text, escape, variables, true, 0).run();
}

Result<std::string> expand_text(std::string_view text, char escape, const Variables &variables) {
  return Expansion(text, escape, variables, false, 0).run();
}

std::vector<std::string> split_words(std::string_view text, char escape) {
  std::vector<std::string> words;
  std::string word;
  char quote = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char letter = text[at];
    if (letter == escape && quote != '\'' && at + 1 < text.size()) {
      word += letter;
      word += text[++at];
    } else if (quote == 0 && is_blank(letter)) {
      if (!word.empty()) words.push_back(std::exchange(word, {}));
    } else {
      if (letter == quote) {
        quote = 0;
      } else if (quote == 0 && (letter == '"' || letter == '\'')) {
        quote = letter;
      }
      word += letter;
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

Result<std::vector<std::string>> expand_words(std::string_view text, char escape, const Variables &variables) {
  std::vector<std::string> all;
  for (const std::string &word : split_words(text, escape)) {
    const std::string value = TRY(expand_word(word, escape, variables));
    for (std::string_view rest = value; !rest.empty();) {
      const std::size_t end = static_cast<std::size_t>(std::ranges::find_if(rest, is_blank) - rest.begin());
      if (end > 0) all.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return all;
}

Result<Pairs> expand_pairs(std::string_view text, char escape, const Variables &variables) {
  const std::vector<std::string> words = split_words(text, escape);
  Pairs pairs;
  if (words.empty()) return fail("a name and a value are missing");
  if (find_equals(words.front()) == std::string::npos && words.front().find('=') == std::string::npos) {
    // The old form: the rest of the line is the value.
    if (words.size() < 2) return fail(fmt::format("{} has no value", spec::quote(words.front())), "write NAME=VALUE");
    std::string_view value = text.substr(text.find(words.front()) + words.front().size());
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    pairs.emplace_back(TRY(expand_word(words.front(), escape, variables)), TRY(expand_word(value, escape, variables)));
    return pairs;
  }
  for (const std::string &word : words) {
    const std::string plain = TRY(expand_word(word, escape, variables));
    // LABEL "a name"="a value" quotes its name too.
    const std::size_t equals = find_equals(word);
    if (equals != std::string::npos) {
      pairs.emplace_back(TRY(expand_word(std::string_view(word).substr(0, equals), escape, variables)),
                         TRY(expand_word(std::string_view(word).substr(equals + 1), escape, variables)));
    } else if (plain.find('=') != std::string::npos) {
      pairs.emplace_back(plain.substr(0, plain.find('=')), plain.substr(plain.find('=') + 1));
    } else {
      return fail(fmt::format("{} has no value", spec::quote(plain)),
                  "write NAME=VALUE, in quotes where it has blanks");
    }
    if (pairs.back().first.empty()) return fail(fmt::format("{}: the name is empty", spec::quote(word)));
  }
  return pairs;
}

}  // namespace skiff::image
