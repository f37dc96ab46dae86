#include "compose/ctst_lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace skiff::compose::ctst {
namespace {

constexpr std::array<std::string_view, 12> reserved = {"IMPORT",  "AS",     "COMPONENT",   "FROM",
                                                       "CONNECT", "EXPOSE", "HEALTHCHECK", "RESTART",
                                                       "NETWORK", "SECRET", "true",        "false"};

struct Sign {
  char letter;
  Token::Kind kind;
};
constexpr std::array<Sign, 8> signs = {{{'{', Token::Kind::open_brace},
                                        {'}', Token::Kind::close_brace},
                                        {'[', Token::Kind::open_bracket},
                                        {']', Token::Kind::close_bracket},
                                        {'=', Token::Kind::equals},
                                        {',', Token::Kind::comma},
                                        {'.', Token::Kind::dot},
                                        {':', Token::Kind::colon}}};

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

// The length of the letter of UTF-8 in front of the text, 0 where there is none (RFC 3629, section 4).
std::size_t letter_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : 0xBF;
    return follows(1, low, high) && follows(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
    return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

class Lexer {
 public:
  Lexer(const Source &source, Findings &findings) : source_(source), findings_(findings), rest_(source.text) {}

  std::vector<Token> lex() {
    if (!check_encoding()) rest_ = {};
    while (!rest_.empty()) step();
    add(Token::Kind::end, 0);
    return std::move(tokens_);
  }

 private:
  [[nodiscard]] Position here() const { return {&source_, line_, column_}; }
  [[nodiscard]] std::size_t length_of(auto belongs) const {
    return static_cast<std::size_t>(std::ranges::find_if_not(rest_, belongs) - rest_.begin());
  }

  void advance(std::size_t count) {
    column_ += static_cast<std::uint32_t>(count);
    rest_.remove_prefix(count);
  }

  Token &add(Token::Kind kind, std::size_t length) {
    Token &token = tokens_.emplace_back();
    token.kind = kind;
    token.begins_line = std::exchange(begins_line_, false);
    token.at = here();
    token.written = rest_.substr(0, length);
    advance(length);
    return token;
  }

  // What is no text is not guessed at: nothing of the file counts.
  bool check_encoding() {
    std::string_view text = source_.text;
    Position at{&source_, 1, 1};
    while (!text.empty()) {
      const std::size_t length = letter_length(text);
      if (text.front() == '\0') {
        findings_.error(at, "not-text", "a NUL byte", "is this a text file?");
        return false;
      }
      if (length == 0) {
        findings_.error(at, "not-text", "no UTF-8", "save the file as UTF-8");
        return false;
      }
      at = text.front() == '\n' ? Position{&source_, at.line + 1, 1}
                                : Position{&source_, at.line, at.column + static_cast<std::uint32_t>(length)};
      text.remove_prefix(length);
    }
    return true;
  }

  void step() {
    const char letter = rest_.front();
    if (letter == '\n') {
      rest_.remove_prefix(1);
      ++line_;
      column_ = 1;
      begins_line_ = true;
    } else if (letter == ' ' || letter == '\t' || letter == '\r') {
      advance(1);
    } else if (rest_.starts_with("//")) {
      advance(std::min(rest_.find('\n'), rest_.size()));
    } else {
      take_token(letter);
    }
  }

  void take_token(char letter) {
    if (starts_name(letter)) return take_word();
    if (is_digit(letter)) return take_integer();
    if (letter == '"') return take_string();
    if (rest_.starts_with("->")) {
      add(Token::Kind::arrow, 2);
      return;
    }
    const auto *const sign = std::ranges::find(signs, letter, &Sign::letter);
    if (sign != signs.end()) {
      add(sign->kind, 1);
      return;
    }
    refuse_letter();
  }

  // "a->b" is a, -> and b, though a name may end in "-".
  void take_word() {
    std::size_t length = length_of(continues_name);
    if (rest_[length - 1] == '-' && rest_.substr(length).starts_with('>')) --length;
    add(Token::Kind::word, length);
  }

  void take_integer() {
    const std::size_t length = length_of(is_digit);
    if (rest_.substr(length).empty() || !continues_name(rest_[length])) {
      add(Token::Kind::integer, length);
      return;
    }
    const std::size_t all = length_of(continues_name);
    findings_.error(here(), "bad-number", fmt::format("{} is neither a number nor a name", rest_.substr(0, all)),
                    fmt::format("write \"{}\" if it is meant as text", rest_.substr(0, all)));
    // It stands for a value: what follows is read as if it were right.
    Token &token = add(Token::Kind::string, all);
    token.text = {.at = token.at, .pieces = {}};
  }

  void take_string() {
    std::size_t end = 1;
    while (end < rest_.size() && rest_[end] != '"' && rest_[end] != '\n') {
      const bool escapes = rest_[end] == '\\' && end + 1 < rest_.size() && rest_[end + 1] != '\n';
      end += escapes ? 2U : 1U;
    }
    const bool closed = end < rest_.size() && rest_[end] == '"';
    if (!closed) {
      end = std::min(rest_.find('\n'), rest_.size());
      findings_.error(here(), "unterminated-string", "the string has no end on its line", "close it with \"");
    }
    const std::string_view raw = rest_.substr(1, end - 1);
    Position inside = here();
    ++inside.column;
    Token &token = add(Token::Kind::string, closed ? end + 1 : end);
    token.text.at = token.at;
    if (closed) token.text.pieces = parse_pieces(raw, inside, findings_);
  }

  void refuse_letter() {
    const std::size_t length = letter_length(rest_);
    const std::string_view letter = rest_.substr(0, length);
    const bool hash = letter == "#";
    const bool quote = letter == "'";
    findings_.error(here(), "unexpected",
                    static_cast<unsigned char>(letter.front()) < 0x20 ? "a control character"
                                                                      : fmt::format("{} means nothing here", letter),
                    hash    ? "write // in front of a comment"
                    : quote ? "write strings in double quotes"
                            : "");
    advance(hash ? std::min(rest_.find('\n'), rest_.size()) : length);
  }

  const Source &source_;
  Findings &findings_;
  std::string_view rest_;
  std::uint32_t line_ = 1;
  std::uint32_t column_ = 1;
  bool begins_line_ = true;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> lex(const Source &source, Findings &findings) { return Lexer(source, findings).lex(); }

std::string without_mark(std::string bytes) {
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.erase(0, 3);
  return bytes;
}

bool is_reserved(std::string_view word) { return std::ranges::find(reserved, word) != reserved.end(); }

}  // namespace skiff::compose::ctst
