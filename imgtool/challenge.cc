#include "imgtool/challenge.h"

#include <algorithm>
#include <optional>

#include "imgtool/header_field.h"
#include "spec/text.h"

namespace skiff::image {
namespace {

bool is_token68(char letter) {
  return is_token_letter(letter) || letter == '/' || letter == '=';  // the other letters of token68 are a token's
}

// Walks over a field; every function takes what it finds from the front.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool done() const { return rest_.empty(); }
  void skip_blanks() { drop(rest_.find_first_not_of(" \t")); }
  void skip_separators() { drop(rest_.find_first_not_of(" \t,")); }
  bool take(char letter) {
    if (!rest_.starts_with(letter)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view take_token() { return take_while(is_token_letter); }
  std::string_view take_token68() { return take_while(is_token68); }
  void skip_to_comma() { drop(rest_.find(',')); }

  // quoted-string of RFC 9110, 5.6.4; nothing where it has no end.
  std::optional<std::string> take_quoted() {
    std::string value;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        return value;
      }
      if (rest_[i] == '\\' && i + 1 < rest_.size()) ++i;
      value += rest_[i];
    }
    rest_ = {};
    return std::nullopt;
  }

  [[nodiscard]] bool at_quote() const { return rest_.starts_with('"'); }
  [[nodiscard]] Scanner ahead() const { return *this; }

 private:
  void drop(std::size_t count) { rest_.remove_prefix(std::min(count, rest_.size())); }
  std::string_view take_while(bool (*fits)(char)) {
    const auto *const end = std::ranges::find_if_not(rest_, fits);
    const std::string_view taken = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(taken.size());
    return taken;
  }

  std::string_view rest_;
};

// name BWS "=" BWS ( token / quoted-string ); false where the next thing is no parameter, but a scheme or a token68.
bool take_parameter(Scanner &scanner, Challenge &challenge) {
  Scanner ahead = scanner.ahead();
  const std::string_view name = ahead.take_token();
  ahead.skip_blanks();
  if (name.empty() || !ahead.take('=')) return false;
  ahead.skip_blanks();
  if (ahead.at_quote()) {
    if (auto value = ahead.take_quoted()) challenge.parameters[spec::lower_case(name)] = *std::move(value);
  } else {
    const std::string_view value = ahead.take_token();
    if (value.empty()) return false;  // "abc=" is a token68
    challenge.parameters[spec::lower_case(name)] = value;
  }
  scanner = ahead;
  return true;
}

void take_parameters(Scanner &scanner, Challenge &challenge) {
  while (!scanner.done()) {
    if (!take_parameter(scanner, challenge)) return;
    scanner.skip_separators();
  }
}

}  // namespace

std::string_view Challenge::parameter(std::string_view name) const {
  const auto found = parameters.find(std::string(name));
  return found == parameters.end() ? std::string_view() : std::string_view(found->second);
}

std::vector<Challenge> parse_challenges(std::string_view field) {
  std::vector<Challenge> challenges;
  Scanner scanner(field);
  for (scanner.skip_separators(); !scanner.done(); scanner.skip_separators()) {
    const std::string_view scheme = scanner.take_token();
    if (scheme.empty()) {
      scanner.skip_to_comma();
      continue;
    }
    Challenge challenge{.scheme = spec::lower_case(scheme), .parameters = {}, .token68 = {}};
    scanner.skip_blanks();
    take_parameters(scanner, challenge);
    Scanner ahead = scanner.ahead();
    const std::string_view token68 = ahead.take_token68();
    if (challenge.parameters.empty() && token68.ends_with('=')) {
      challenge.token68 = token68;
      scanner = ahead;
    }
    challenges.push_back(std::move(challenge));
  }
  return challenges;
}

}  // namespace skiff::image
