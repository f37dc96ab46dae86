#include "compose/interpolate.h"

#include <fmt/format.h>

#include <algorithm>

#include "compose/yaml.h"

namespace skiff::compose {
namespace {

bool begins_name(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || letter == '_';
}

bool in_name(char letter) { return begins_name(letter) || (letter >= '0' && letter <= '9'); }

std::size_t name_size(std::string_view text) {
  if (text.empty() || !begins_name(text[0])) return 0;
  const auto end = std::ranges::find_if_not(text, in_name);
  return static_cast<std::size_t>(end - text.begin());
}

// Where the brace closes that was open in front of the text: nested ones are passed over.
std::size_t closing_brace(std::string_view text) {
  int open = 1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("$$")) {
      ++i;
    } else if (text.substr(i).starts_with("${")) {
      ++open;
      ++i;
    } else if (text[i] == '}' && --open == 0) {
      return i;
    }
  }
  return std::string_view::npos;
}

class Expander {
 public:
  explicit Expander(const Variables &variables) : variables_(variables) {}

  Expansion expand(std::string_view text) {
    result_.text = walk(text, 0);
    return std::move(result_);
  }

 private:
  static constexpr int deepest = 32;

  std::string walk(std::string_view text, int depth) {
    if (depth > deepest) {
      fail("nested too deep");
      return {};
    }
    std::string out;
    while (!text.empty()) {
      const std::size_t dollar = text.find('$');
      out += text.substr(0, dollar);
      if (dollar == std::string_view::npos) break;
      text.remove_prefix(dollar + 1);
      if (text.starts_with('$')) {
        out += '$';
        text.remove_prefix(1);
      } else if (text.starts_with('{')) {
        text.remove_prefix(1);
        const std::size_t end = closing_brace(text);
        if (end == std::string_view::npos) {
          fail(fmt::format("${{{}: the brace is not closed", text));
          return out;
        }
        out += braced(text.substr(0, end), depth);
        text.remove_prefix(end + 1);
      } else if (const std::size_t size = name_size(text); size > 0) {
        out += plain(std::string(text.substr(0, size)));
        text.remove_prefix(size);
      } else {
        out += '$';
      }
    }
    return out;
  }

  std::string plain(const std::string &name) {
    use({.name = name});
    std::optional<std::string> value = variables_(name);
    if (!value) result_.missing.push_back(name);
    return value.value_or("");
  }

  std::string braced(std::string_view text, int depth) {
    const std::size_t size = name_size(text);
    if (size == 0) {
      fail(fmt::format("${{{}}}: this is no variable's name", text));
      return {};
    }
    const std::string name(text.substr(0, size));
    std::string_view rest = text.substr(size);
    if (rest.empty()) return plain(name);
    const bool colon = rest.starts_with(':');
    if (colon) rest.remove_prefix(1);
    const char operation = rest.empty() ? '\0' : rest[0];
    if (operation != '-' && operation != '+' && operation != '?') {
      fail(fmt::format("${{{}}}: only :- - :? ? :+ and + can follow the name", text));
      return {};
    }
    return chosen(name, operation, colon, rest.substr(1), depth);
  }

  std::string chosen(const std::string &name, char operation, bool colon, std::string_view word, int depth) {
    const std::optional<std::string> value = variables_(name);
    const bool there = value && !(colon && value->empty());
    VariableUse one{.name = name};
    if (operation == '-') one.default_value = word;
    if (operation == '+') one.alternate_value = word;
    one.required = operation == '?';
    use(std::move(one));
    if (operation == '+') return there ? walk(word, depth + 1) : std::string();
    if (there) return *value;
    if (operation == '-') return walk(word, depth + 1);
    const std::string why = walk(word, depth + 1);
    fail(fmt::format("the variable {} is required{}{}", name, why.empty() ? "" : ": ", why));
    return {};
  }

  void fail(std::string why) {
    if (result_.error.empty()) result_.error = std::move(why);
  }

  void use(VariableUse one) { result_.uses.push_back(std::move(one)); }

  const Variables &variables_;
  Expansion result_;
};

void interpolate_scalar(Value &value, const Variables &variables, std::set<std::string> &told, Findings &findings) {
  if (value.kind != Value::Kind::string || value.text.find('$') == std::string::npos) return;
  Expansion expansion = expand(value.text, variables);
  if (!expansion.error.empty()) {
    findings.error(value.at, "interpolation", std::move(expansion.error), "a dollar sign alone is written $$");
  }
  for (const std::string &name : expansion.missing) {
    if (told.insert(name).second) {
      findings.warn(value.at, "unset-variable", fmt::format("the variable {} is not set, so it is empty", name),
                    fmt::format("set it in the environment or in .env, or write ${{{}:-DEFAULT}}", name));
    }
  }
  value.text = std::move(expansion.text);
}

}  // namespace

Expansion expand(std::string_view text, const Variables &variables) { return Expander(variables).expand(text); }

void interpolate(Value &value, const Variables &variables, std::set<std::string> &told, Findings &findings) {
  interpolate_scalar(value, variables, told, findings);
  for (Value &item : value.items) interpolate(item, variables, told, findings);
  for (Member &member : value.members) interpolate(member.value, variables, told, findings);
}

void collect_variables(const Value &value, std::map<std::string, VariableUse> &uses) {
  if (value.kind == Value::Kind::string) {
    const Variables none = [](const std::string &) { return std::optional<std::string>(); };
    for (VariableUse &use : expand(value.text, none).uses) uses.try_emplace(use.name, use);
  }
  for (const Value &item : value.items) collect_variables(item, uses);
  for (const Member &member : value.members) collect_variables(member.value, uses);
}

void escape_dollars(Value &value) {
  for (std::size_t at = value.text.find('$'); at != std::string::npos; at = value.text.find('$', at + 2)) {
    value.text.insert(at, 1, '$');
  }
  for (Value &item : value.items) escape_dollars(item);
  for (Member &member : value.members) escape_dollars(member.value);
}

}  // namespace skiff::compose
