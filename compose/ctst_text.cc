#include "compose/ctst_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/cli/nearest.h"

namespace skiff::compose::ctst {
namespace {

constexpr std::array<std::string_view, 3> attributes = {"host", "port", "connection_string"};

bool is_letter(char letter) { return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z'); }
bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

bool is_secret_name(std::string_view text) {
  const auto allowed = [](char letter) { return continues_name(letter) || letter == '.'; };
  return !text.empty() && text != "." && text != ".." && std::ranges::all_of(text, allowed);
}

bool is_variable_name(std::string_view text) { return is_name(text) && text.find('-') == std::string_view::npos; }

// Reads one string's bytes; the position moves along.
class PieceParser {
 public:
  PieceParser(std::string_view raw, Position at, Findings &findings) : raw_(raw), at_(at), findings_(findings) {}

  std::vector<Piece> parse() {
    while (next_ < raw_.size()) step();
    flush();
    return std::move(pieces_);
  }

 private:
  [[nodiscard]] Position here(std::size_t offset) const {
    return {at_.source, at_.line, at_.column + static_cast<std::uint32_t>(offset)};
  }
  [[nodiscard]] std::string_view rest() const { return raw_.substr(next_); }
  void refuse(std::size_t offset, std::string text, std::string remedy) {
    findings_.error(here(offset), "bad-interpolation", std::move(text), std::move(remedy));
  }

  void flush() {
    if (!literal_.empty()) pieces_.emplace_back(std::exchange(literal_, {}));
  }

  void step() {
    if (rest().starts_with("$${")) {
      literal_ += "${";
      next_ += 3;
    } else if (rest().starts_with("${")) {
      take_reference();
    } else if (raw_[next_] == '\\') {
      literal_ += take_escape();
    } else {
      literal_ += raw_[next_++];
    }
  }

  std::string take_escape() {
    const std::size_t start = next_;
    const char letter = start + 1 < raw_.size() ? raw_[start + 1] : '\0';
    next_ = std::min(start + 2, raw_.size());
    switch (letter) {
      case '"':
      case '\\':
        return {letter};
      case 'n':
        return "\n";
      case 't':
        return "\t";
      default:
        findings_.error(here(start), "unknown-escape",
                        fmt::format("\\{} is no escape", letter == '\0' ? std::string() : std::string(1, letter)),
                        "write one of \\\" \\\\ \\n \\t");
        return {};
    }
  }

  void take_reference() {
    const std::size_t start = next_;
    const std::size_t end = raw_.find('}', start);
    if (end == std::string_view::npos) {
      refuse(start, "${ without its }", "write $${ for the two letters themselves");
      next_ = raw_.size();
      return;
    }
    next_ = end + 1;
    flush();
    if (std::optional<Reference> reference = read(raw_.substr(start + 2, end - start - 2), start)) {
      pieces_.emplace_back(std::move(*reference));
    }
  }

  std::optional<Reference> read(std::string_view inside, std::size_t start) {
    const std::size_t dot = inside.find('.');
    if (dot == std::string_view::npos) {
      refuse(start, fmt::format("${{{}}} says neither whose nor what", inside),
             is_name(inside) ? fmt::format("write ${{env.{}}} or ${{param.{}}}", inside, inside)
                             : "write ${component.host}, ${secret.NAME}, ${env.NAME} or ${param.NAME}");
      return std::nullopt;
    }
    const std::string_view head = inside.substr(0, dot);
    const std::string_view tail = inside.substr(dot + 1);
    if (head == "secret") return named(Reference::Kind::secret, inside, tail, is_secret_name(tail), start);
    if (head == "param") return named(Reference::Kind::parameter, inside, tail, is_name(tail), start);
    if (head == "env") return variable(inside, tail, start);
    return component(inside, head, tail, start);
  }

  std::optional<Reference> named(Reference::Kind kind, std::string_view inside, std::string_view name, bool fits,
                                 std::size_t start) {
    if (!fits) {
      refuse(start, fmt::format("${{{}}}: no name that one could have", inside), "");
      return std::nullopt;
    }
    return Reference{.kind = kind, .name = std::string(name), .fallback = {}, .at = here(start)};
  }

  std::optional<Reference> variable(std::string_view inside, std::string_view tail, std::size_t start) {
    const std::size_t colon = tail.find(":-");
    std::optional<Reference> found = named(Reference::Kind::environment, inside, tail.substr(0, colon),
                                           is_variable_name(tail.substr(0, colon)), start);
    if (!found || colon == std::string_view::npos) return found;
    const std::size_t offset = start + std::string_view("${env.").size() + colon + 2;
    PieceParser fallback(tail.substr(colon + 2), here(offset), findings_);
    const std::vector<Piece> pieces = fallback.parse();
    found->fallback.emplace();
    for (const Piece &piece : pieces) {
      if (const auto *literal = std::get_if<std::string>(&piece)) *found->fallback += *literal;
    }
    return found;
  }

  std::optional<Reference> component(std::string_view inside, std::string_view name, std::string_view attribute,
                                     std::size_t start) {
    const auto *const known = std::ranges::find(attributes, attribute);
    if (is_name(name) && known != attributes.end()) {
      return Reference{.name = std::string(name),
                       .attribute = static_cast<Reference::Attribute>(known - attributes.begin()),
                       .fallback = {},
                       .at = here(start)};
    }
    cli::Nearest nearest(attribute);
    for (const std::string_view one : attributes) nearest.offer(one);
    refuse(start, fmt::format("${{{}}}: a component has host, port and connection_string", inside),
           nearest.found().empty() ? std::string() : fmt::format("did you mean {}?", nearest.found()));
    return std::nullopt;
  }

  std::string_view raw_;
  Position at_;
  Findings &findings_;
  std::size_t next_ = 0;
  std::string literal_;
  std::vector<Piece> pieces_;
};

std::string shown_reference(const Reference &reference) {
  switch (reference.kind) {
    case Reference::Kind::secret:
      return fmt::format("${{secret.{}}}", reference.name);
    case Reference::Kind::parameter:
      return fmt::format("${{param.{}}}", reference.name);
    case Reference::Kind::environment:
      return fmt::format("${{env.{}{}{}}}", reference.name, reference.fallback ? ":-" : "",
                         reference.fallback.value_or(""));
    case Reference::Kind::component:
      break;
  }
  return fmt::format("${{{}.{}}}", reference.name, attributes[static_cast<std::size_t>(reference.attribute)]);
}

}  // namespace

bool starts_name(char letter) { return is_letter(letter) || letter == '_'; }

bool continues_name(char letter) { return starts_name(letter) || is_digit(letter) || letter == '-'; }

bool is_name(std::string_view text) {
  return !text.empty() && starts_name(text.front()) && std::ranges::all_of(text, continues_name);
}

bool Text::plain() const {
  return std::ranges::all_of(pieces, [](const Piece &piece) { return std::holds_alternative<std::string>(piece); });
}

std::string Text::shown() const {
  std::string out;
  for (const Piece &piece : pieces) {
    const auto *literal = std::get_if<std::string>(&piece);
    out += literal != nullptr ? *literal : shown_reference(std::get<Reference>(piece));
  }
  return out;
}

std::vector<Piece> parse_pieces(std::string_view raw, Position at, Findings &findings) {
  return PieceParser(raw, at, findings).parse();
}

std::string quote_text(std::string_view literal) {
  std::string out = "\"";
  for (std::size_t i = 0; i < literal.size(); ++i) {
    const char letter = literal[i];
    if (letter == '"' || letter == '\\') {
      out += '\\';
      out += letter;
    } else if (letter == '\n' || letter == '\t') {
      out += letter == '\n' ? "\\n" : "\\t";
    } else {
      if (literal.substr(i).starts_with("${")) out += '$';
      out += letter;
    }
  }
  return out + '"';
}

}  // namespace skiff::compose::ctst
