#include "compose/ctst_syntax.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "compose/ctst_lexer.h"
#include "runtime/cli/nearest.h"

namespace skiff::compose::ctst {
namespace {

using Kind = Token::Kind;

constexpr std::array<std::string_view, 4> statements = {"IMPORT", "COMPONENT", "CONNECT", "EXPOSE"};

bool is_statement(std::string_view word) { return std::ranges::find(statements, word) != statements.end(); }

std::string upper(std::string_view word) {
  std::string out(word);
  for (char &letter : out) letter = letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 32) : letter;
  return out;
}

std::string shown(const Token &token) {
  return token.kind == Kind::end ? "the end of the file" : std::string(token.written);
}

class Parser {
 public:
  Parser(const Source &source, Findings &findings) : findings_(findings), tokens_(lex(source, findings)) {}

  Tree parse() {
    while (!at(Kind::end)) statement();
    return std::move(tree_);
  }

 private:
  [[nodiscard]] const Token &token() const { return tokens_[next_]; }
  [[nodiscard]] const Token &after() const { return tokens_[std::min(next_ + 1, tokens_.size() - 1)]; }
  [[nodiscard]] bool at(Kind kind) const { return token().kind == kind; }
  [[nodiscard]] bool at_word(std::string_view word) const { return at(Kind::word) && token().written == word; }
  // A key that is spelt like a statement begins none.
  [[nodiscard]] bool at_statement() const {
    return at(Kind::word) && is_statement(token().written) && after().kind != Kind::equals;
  }
  [[nodiscard]] bool at_entry() const { return at(Kind::word) && after().kind == Kind::equals; }
  [[nodiscard]] bool at_parameter() const { return at_word("param") && after().kind == Kind::word; }

  const Token &take() {
    const Token &taken = token();
    if (next_ + 1 < tokens_.size()) ++next_;
    return taken;
  }
  bool take_if(Kind kind) {
    if (!at(kind)) return false;
    take();
    return true;
  }

  void unexpected(std::string_view wanted, std::string remedy = {}) {
    findings_.error(token().at, "unexpected", fmt::format("{} in place of {}", shown(token()), wanted),
                    std::move(remedy));
  }

  void skip_to_statement() {
    while (!at(Kind::end) && !at_statement()) take();
  }

  // One of the names of the reserved words is told and taken all the same, unless a statement begins with it.
  std::optional<Name> name(std::string_view of_what) {
    if (!at(Kind::word) || (token().begins_line && at_statement())) {
      unexpected(fmt::format("the name of {}", of_what),
                 at(Kind::string) ? "names stand without quotes" : std::string());
      return std::nullopt;
    }
    if (is_reserved(token().written)) {
      findings_.error(token().at, "reserved-name", fmt::format("{} is a word of the language", token().written),
                      fmt::format("choose another name for {}", of_what));
    }
    const Token &word = take();
    return Name{std::string(word.written), word.at};
  }

  void statement() {
    if (take_if(Kind::comma)) return;
    if (at_word("IMPORT")) return import();
    if (at_word("COMPONENT")) return component();
    if (at_word("CONNECT")) return connect();
    if (at_word("EXPOSE")) return expose();
    const std::string word = upper(token().written);
    cli::Nearest nearest(word);
    for (const std::string_view one : statements) nearest.offer(one);
    const bool near = at(Kind::word) && !nearest.found().empty();
    unexpected("IMPORT, COMPONENT, CONNECT or EXPOSE",
               near ? fmt::format("did you mean {}?", nearest.found()) : std::string());
    take();
    skip_to_statement();
  }

  void import() {
    take();
    if (!at(Kind::string)) {
      unexpected("the file to import", "write it in quotes");
      return skip_to_statement();
    }
    Import import{.path = take().text, .alias = {}};
    if (at_word("AS")) {
      take();
      import.alias = name("the import");
      if (!import.alias) return skip_to_statement();
    }
    tree_.imports.push_back(std::move(import));
  }

  void connect() {
    take();
    std::optional<Name> from = name("the component that needs another");
    if (!from) return skip_to_statement();
    if (!take_if(Kind::arrow)) {
      unexpected("->", "write CONNECT a -> b, where a needs b");
      return skip_to_statement();
    }
    std::optional<Name> to = name("the component that is needed");
    if (!to) return skip_to_statement();
    tree_.connects.push_back({std::move(*from), std::move(*to)});
  }

  void expose() {
    Expose expose{.at = take().at, .component = {}, .host = {}, .container = {}};
    if (at(Kind::word) && !at_statement()) expose.component = name("the component");
    const std::optional<ExposedPort> first = port();
    if (!first) return skip_to_statement();
    expose.host = expose.container = *first;
    if (take_if(Kind::colon)) {
      const std::optional<ExposedPort> second = port();
      if (!second) return skip_to_statement();
      expose.container = *second;
    }
    tree_.exposes.push_back(std::move(expose));
  }

  std::optional<ExposedPort> port() {
    if (!at(Kind::integer)) {
      unexpected("a port", at(Kind::string) ? "ports stand without quotes" : "write EXPOSE HOST:CONTAINER");
      return std::nullopt;
    }
    const Token &digits = take();
    return ExposedPort{std::string(digits.written), digits.at};
  }

  void component() {
    const Position start = take().at;
    std::optional<Name> given = name("the component");
    if (!given) return skip_to_statement();
    Component component{.name = std::move(*given), .from = {}, .from_member = {}, .properties = {}, .parameters = {}};
    if (at_word("FROM")) {
      take();
      component.from = name("the template");
      if (component.from && take_if(Kind::dot)) component.from_member = name("the template in it");
    }
    if (!at(Kind::open_brace)) {
      unexpected("{", fmt::format("the properties of {} stand between {{ and }}", component.name.text));
      skip_to_statement();
    } else {
      take();
      body(component, start);
    }
    tree_.components.push_back(std::move(component));
  }

  void body(Component &component, Position start) {
    while (!take_if(Kind::close_brace)) {
      if (at(Kind::end) || at_statement()) {
        findings_.error(token().at, "missing-brace",
                        fmt::format("component {} of line {} has no }}", component.name.text, start.line));
        return;
      }
      if (take_if(Kind::comma)) continue;
      if (at_parameter()) {
        parameter(component);
      } else if (at_entry()) {
        property(component);
      } else {
        unexpected("a property", property_remedy());
        skip_to_property();
      }
    }
  }

  std::string property_remedy() {
    if (!at(Kind::word)) return "write key = value";
    return after().kind == Kind::colon ? fmt::format("write {} = ...", token().written)
                                       : fmt::format("a value is given with =, as in {} = ...", token().written);
  }

  // To what may begin the next property, or end the component; what stands in brackets in between is left out.
  void skip_to_property() {
    std::size_t depth = 0;
    take_nesting(depth);
    while (!at(Kind::end) && !at_statement()) {
      if (depth == 0 && (at(Kind::close_brace) || at_entry() || at_parameter())) return;
      take_nesting(depth);
    }
  }

  void take_nesting(std::size_t &depth) {
    const Kind kind = token().kind;
    if (kind == Kind::open_brace || kind == Kind::open_bracket) ++depth;
    if ((kind == Kind::close_brace || kind == Kind::close_bracket) && depth > 0) --depth;
    take();
  }

  void parameter(Component &component) {
    take();
    std::optional<Name> given = name("the parameter");
    if (!given) return;
    Parameter parameter{.name = std::move(*given), .initial = {}};
    if (take_if(Kind::equals)) {
      if (!at(Kind::string)) {
        unexpected("the parameter's value", "write it in quotes");
        if (at(Kind::integer) || (at(Kind::word) && !at_entry() && !at_statement())) take();
        return;
      }
      parameter.initial = take().text;
    }
    const auto same = [&](const Parameter &one) { return one.name.text == parameter.name.text; };
    if (const auto first = std::ranges::find_if(component.parameters, same); first != component.parameters.end()) {
      findings_.error(parameter.name.at, "duplicate-parameter",
                      fmt::format("param {} stands in line {} already", parameter.name.text, first->name.at.line));
      return;
    }
    component.parameters.push_back(std::move(parameter));
  }

  void property(Component &component) {
    const Token &word = take();
    take();
    std::optional<Node> node = value(word.written);
    if (!node) return;
    if (word.written == "template" && node->kind == Node::Kind::boolean) {
      component.is_template = node->word == "true";
    }
    add(component.properties, {{std::string(word.written), word.at}, std::move(*node)}, "duplicate-property");
  }

  void add(std::vector<Entry> &entries, Entry entry, std::string code) {
    const auto same = [&](const Entry &one) { return one.key.text == entry.key.text; };
    if (const auto first = std::ranges::find_if(entries, same); first != entries.end()) {
      findings_.error(entry.key.at, std::move(code),
                      fmt::format("{} stands in line {} already", entry.key.text, first->key.at.line));
      return;
    }
    entries.push_back(std::move(entry));
  }

  std::optional<Node> value(std::string_view key) {
    if (at(Kind::open_bracket)) return list();
    if (at(Kind::open_brace)) return map();
    if (std::optional<Node> found = scalar()) return found;
    if (at_word("true") || at_word("false")) {
      const Token &word = take();
      return Node{.kind = Node::Kind::boolean, .at = word.at, .word = std::string(word.written), .entries = {}};
    }
    refuse_value(fmt::format("the value of {}", key));
    return std::nullopt;
  }

  // A word in the place of a value is most often a string whose quotes are missing.
  void refuse_value(const std::string &place) {
    const bool nothing = at_entry() || at_parameter() || at_statement() || !at(Kind::word);
    if (nothing) return unexpected(place);
    const std::string lower = upper(token().written);
    const bool boolean = lower == "TRUE" || lower == "FALSE";
    unexpected(place, boolean ? fmt::format("did you mean {}?", lower == "TRUE" ? "true" : "false")
                              : fmt::format("strings stand in quotes: \"{}\"", token().written));
    take();
  }

  std::optional<Node> scalar() {
    if (at(Kind::string)) {
      const Token &text = take();
      return Node{.kind = Node::Kind::string, .at = text.at, .text = text.text, .entries = {}};
    }
    if (at(Kind::integer)) {
      const Token &digits = take();
      return Node{.kind = Node::Kind::integer, .at = digits.at, .word = std::string(digits.written), .entries = {}};
    }
    return std::nullopt;
  }

  Node list() {
    Node list{.kind = Node::Kind::list, .at = take().at, .entries = {}};
    while (!take_if(Kind::close_bracket)) {
      if (at(Kind::end) || at(Kind::close_brace) || at_statement() || at_entry() || at_parameter()) {
        findings_.error(token().at, "missing-bracket", fmt::format("the list of line {} has no ]", list.at.line));
        return list;
      }
      if (take_if(Kind::comma)) continue;
      if (std::optional<Node> item = scalar()) {
        list.items.push_back(std::move(*item));
      } else if (at(Kind::word)) {
        refuse_value("an item");
      } else {
        unexpected("an item", "a list holds strings and numbers");
        std::size_t depth = 0;
        do take_nesting(depth);
        while (depth > 0 && !at(Kind::end) && !at_statement());
      }
    }
    return list;
  }

  Node map() {
    Node map{.kind = Node::Kind::map, .at = take().at, .entries = {}};
    while (!take_if(Kind::close_brace)) {
      if (at(Kind::end) || at_statement()) {
        findings_.error(token().at, "missing-brace", fmt::format("the map of line {} has no }}", map.at.line));
        return map;
      }
      if (take_if(Kind::comma)) continue;
      if (at_entry()) {
        member(map);
      } else {
        unexpected("a name", at(Kind::string) ? "names stand without quotes" : "write NAME = \"value\"");
        skip_to_property();
      }
    }
    return map;
  }

  void member(Node &map) {
    const Token &key = take();
    take();
    std::optional<Node> node = at(Kind::open_bracket) ? list() : scalar();
    if (node) return add(map.entries, {{std::string(key.written), key.at}, std::move(*node)}, "duplicate-key");
    if (at_word("true") || at_word("false")) {
      unexpected(fmt::format("the value of {}", key.written), fmt::format("write \"{}\"", token().written));
      take();
    } else if (at(Kind::open_brace)) {
      unexpected(fmt::format("the value of {}", key.written), "a map holds strings, numbers and lists");
      skip_to_property();
    } else {
      refuse_value(fmt::format("the value of {}", key.written));
    }
  }

  Findings &findings_;
  std::vector<Token> tokens_;
  std::size_t next_ = 0;
  Tree tree_;
};

}  // namespace

const Node *Component::find(std::string_view key) const {
  const auto found =
      std::ranges::find(properties, key, [](const Entry &one) -> std::string_view { return one.key.text; });
  return found == properties.end() ? nullptr : &found->value;
}

Tree parse(const Source &source, Findings &findings) { return Parser(source, findings).parse(); }

}  // namespace skiff::compose::ctst
