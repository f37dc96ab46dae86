#include "compose/finding.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace skiff::compose {
namespace {

std::string_view line_of(const Source &source, std::uint32_t number) {
  std::string_view rest = source.text;
  for (std::uint32_t i = 1; i < number && !rest.empty(); ++i) {
    rest.remove_prefix(std::min(rest.find('\n'), rest.size() - 1) + 1);
  }
  return rest.substr(0, rest.find('\n'));
}

// The spaces before the caret; a tab stays one, so that the caret stands below its place in any terminal.
std::string indent_of(std::string_view line, std::uint32_t column) {
  std::string indent(line.substr(0, std::min<std::size_t>(column - 1, line.size())));
  std::erase_if(indent, [](unsigned char byte) { return (byte & 0xC0U) == 0x80U; });  // one column a letter of UTF-8
  std::ranges::replace_if(indent, [](char letter) { return letter != '\t'; }, ' ');
  return indent;
}

}  // namespace

std::string Finding::message() const {
  if (at.source == nullptr || at.line == 0) return line();
  const std::string_view shown = line_of(*at.source, at.line);
  return fmt::format("{}\n  {}\n  {}^", line(), shown, indent_of(shown, at.column));
}

std::string Finding::line() const {
  std::string out = remedy.empty() ? text : fmt::format("{}; {}", text, remedy);
  if (at.source == nullptr || at.line == 0) return out;
  return fmt::format("{}:{}:{}: {}", at.source->path, at.line, at.column, out);
}

void Findings::error(Position at, std::string code, std::string text, std::string remedy) {
  all_.push_back({at, std::move(code), std::move(text), std::move(remedy), Finding::Level::error});
}

void Findings::warn(Position at, std::string code, std::string text, std::string remedy) {
  all_.push_back({at, std::move(code), std::move(text), std::move(remedy), Finding::Level::warning});
}

void Findings::note(Position at, std::string code, std::string text) {
  all_.push_back({at, std::move(code), std::move(text), {}, Finding::Level::note});
}

bool Findings::has_errors() const {
  return std::ranges::any_of(all_, [](const Finding &one) { return one.level == Finding::Level::error; });
}

Error as_error(const Findings &findings) {
  Error error{.number = finding_number, .text = {}, .remedy = {}};
  for (const Finding &one : findings.all()) {
    if (one.level != Finding::Level::error) continue;
    if (!error.text.empty()) error.text += '\n';
    error.text += one.message();
  }
  return error;
}

}  // namespace skiff::compose
