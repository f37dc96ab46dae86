#include "compose/ctst_typed.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "compose/ctst_values.h"
#include "runtime/cli/value.h"

namespace skiff::compose::ctst {
namespace {

std::string_view kind_name(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::string:
      return "a string";
    case Node::Kind::integer:
      return "a number";
    case Node::Kind::boolean:
      return "true or false";
    case Node::Kind::list:
      return "a list";
    case Node::Kind::map:
      break;
  }
  return "a map";
}

}  // namespace

void Typed::refuse(std::string_view place, Position at, std::string_view what, std::string remedy, std::string code) {
  findings_.error(at, std::move(code), fmt::format("{}.{}: {}", flat_.name.text, place, what), std::move(remedy));
}

void Typed::refuse_type(std::string_view place, const Node &node, std::string_view wanted, std::string remedy) {
  refuse(place, node.at, fmt::format("{} in place of {}", kind_name(node.kind), wanted), std::move(remedy),
         "wrong-type");
}

std::optional<At> Typed::string(std::string_view place, const Node &node, Allowed allowed) {
  if (node.kind != Node::Kind::string) {
    const bool word = node.kind == Node::Kind::integer || node.kind == Node::Kind::boolean;
    refuse_type(place, node, "a string", word ? fmt::format("write \"{}\"", node.word) : std::string());
    return std::nullopt;
  }
  std::optional<Expanded> expanded = expander_.expand(node.text, allowed);
  if (!expanded) return std::nullopt;
  if (expanded->text.find('\0') != std::string::npos) {
    refuse(place, node.at, "a NUL byte");
    return std::nullopt;
  }
  return At{.text = std::move(expanded->text), .at = node.at, .has_secret = expanded->has_secret};
}

std::optional<std::uint64_t> Typed::integer(std::string_view place, const Node &node) {
  std::string digits = node.word;
  if (node.kind == Node::Kind::string && !node.text.plain()) {
    const std::optional<std::string> text = expander_.plain(node.text, false);
    if (!text) return std::nullopt;
    digits = *text;
  } else if (node.kind != Node::Kind::integer) {
    const bool looks = node.kind == Node::Kind::string && cli::parse_number<std::uint64_t>(node.text.shown());
    refuse_type(place, node, "a number",
                looks ? fmt::format("write {} without quotes", node.text.shown()) : std::string());
    return std::nullopt;
  }
  const std::optional<std::uint64_t> number = cli::parse_number<std::uint64_t>(digits);
  if (!number) refuse(place, node.at, fmt::format("{} is no number that fits", digits));
  return number;
}

std::optional<bool> Typed::boolean(std::string_view place, const Node &node) {
  std::string word = node.word;
  if (node.kind == Node::Kind::string && !node.text.plain()) {
    const std::optional<std::string> text = expander_.plain(node.text, false);
    if (!text) return std::nullopt;
    word = *text;
  } else if (node.kind != Node::Kind::boolean) {
    const std::string shown = node.kind == Node::Kind::string ? node.text.shown() : std::string();
    const bool looks = shown == "true" || shown == "false";
    refuse_type(place, node, "true or false", looks ? fmt::format("write {} without quotes", shown) : std::string());
    return std::nullopt;
  }
  if (word != "true" && word != "false") {
    refuse(place, node.at, fmt::format("{} is neither true nor false", word));
    return std::nullopt;
  }
  return word == "true";
}

std::optional<std::vector<At>> Typed::strings(std::string_view place, const Node &node, Allowed allowed) {
  if (node.kind != Node::Kind::list) {
    const bool scalar = node.kind == Node::Kind::string;
    refuse_type(place, node, "a list of strings",
                scalar ? fmt::format("write [{}]", quote_text(node.text.shown())) : std::string());
    return std::nullopt;
  }
  std::vector<At> out;
  bool good = true;
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    std::optional<At> item = string(fmt::format("{}[{}]", place, i), node.items[i], allowed);
    good = good && item;
    if (item) out.push_back(std::move(*item));
  }
  return good ? std::optional(std::move(out)) : std::nullopt;
}

std::optional<std::vector<At>> Typed::string_or_strings(std::string_view place, const Node &node) {
  if (node.kind == Node::Kind::list) return strings(place, node);
  std::optional<At> one = string(place, node);
  if (!one) return std::nullopt;
  return std::vector<At>{std::move(*one)};
}

std::optional<std::uint16_t> Typed::port(std::string_view place, const Node &node) {
  const std::optional<std::uint64_t> number = integer(place, node);
  if (!number) return std::nullopt;
  const std::optional<std::uint16_t> port = parse_port(fmt::format("{}", *number));
  if (!port) refuse(place, node.at, fmt::format("{} is no port", *number), "ports are 1 to 65535", "bad-port");
  return port;
}

}  // namespace skiff::compose::ctst
