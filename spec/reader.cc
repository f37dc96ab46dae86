#include "spec/reader.h"

#include <fmt/format.h>

#include <array>

#include "spec/findings.h"
#include "spec/names.h"

namespace skiff::spec {

using json::Kind;
using json::Value;

namespace {

constexpr std::array<std::string_view, 8> kind_names = {"null",     "a boolean", "an integer", "an integer",
                                                        "a number", "a string",  "an array",   "an object"};

std::string_view kind_name(Kind kind) { return kind_names[static_cast<std::size_t>(kind)]; }

std::string describe(Value value) {
  switch (value.kind()) {
    case Kind::boolean:
      return value.number() != 0 ? "true" : "false";
    case Kind::negative:
      return fmt::format("{}", static_cast<std::int64_t>(value.number()));
    case Kind::natural:
      return fmt::format("{}", value.number());
    case Kind::fraction:
      return std::string(value.text());
    case Kind::string:
      return fmt::format("the string {}", quote(value.text()));
    default:
      return std::string(kind_name(value.kind()));
  }
}

std::string remedy_for(Value value, Kind wanted) {
  const Kind found = value.kind();
  if (found == Kind::null) return "remove it";
  if (found == Kind::string && wanted != Kind::array && wanted != Kind::object) return "write it without quotes";
  if (wanted == Kind::array && found != Kind::object) return "put it in brackets: [ ]";
  if (wanted == Kind::string && found != Kind::array && found != Kind::object) return "write it in quotes";
  return {};
}

std::string range_words(std::int64_t min, std::uint64_t max) {
  return fmt::format("expected an integer from {} to {}", min, max);
}

}  // namespace

void Reader::report(Value value, std::string text, std::string remedy) {
  if (!takes_finding(*findings_)) return;
  add_finding(*findings_, {value.pointer(), std::move(text), std::string(clause_), std::move(remedy)});
}

void Reader::missing(std::string_view key) {
  if (!takes_finding(*findings_)) return;
  std::string pointer = object_.pointer();
  json::append_step(pointer, key);
  add_finding(*findings_, {std::move(pointer), "is required", std::string(clause_), {}});
}

bool Reader::expect(Value value, Kind kind) {
  if (value.kind() == kind) return true;
  report(value, fmt::format("expected {}, found {}", kind_name(kind), describe(value)), remedy_for(value, kind));
  return false;
}

bool Reader::read(Value value, bool &out) {
  if (!expect(value, Kind::boolean)) return false;
  out = value.number() != 0;
  return true;
}

bool Reader::read(Value value, std::string &out) {
  if (!expect(value, Kind::string)) return false;
  if (!nul_allowed_ && value.text().find('\0') != std::string_view::npos) {
    report(value, fmt::format("{} holds a NUL byte, where the kernel ends a string", quote(value.text())),
           "remove \\u0000");
    return false;
  }
  out = value.text();
  return true;
}

bool Reader::in_range(Value value, std::int64_t min, std::uint64_t max) {
  const bool fits = (value.kind() == Kind::natural && value.number() <= max) ||
                    (value.kind() == Kind::negative && static_cast<std::int64_t>(value.number()) >= min);
  if (fits) return true;
  std::string remedy = remedy_for(value, Kind::natural);
  if (value.kind() == Kind::fraction) remedy = "write it without fraction and exponent";
  report(value, fmt::format("{}, found {}", range_words(min, max), describe(value)), std::move(remedy));
  return false;
}

std::optional<std::size_t> Reader::index_in(Value value, Names names) {
  if (!expect(value, Kind::string)) return std::nullopt;
  const auto index = find_name(names, value.text());
  if (!index) {
    report(value, fmt::format("unknown value {}", quote(value.text())), suggest_name(names, value.text()));
  }
  return index;
}

bool Reader::blank(Value object, std::string_view key) {
  if (object.kind() != Kind::object) return false;
  const Value value = object.member(key);
  if (!value) return true;
  bool empty = true;
  if (value.kind() == Kind::string) return value.text().empty();
  if (value.kind() != Kind::array) return false;
  value.each([&](Value) { empty = false; });
  return empty;
}

void Reader::check_key(Value member) {
  if (nul_allowed_ || member.key().find('\0') == std::string_view::npos) return;
  report(member, fmt::format("the name {} holds a NUL byte, where the kernel ends a string", quote(member.key())),
         "remove \\u0000");
}

}  // namespace skiff::spec
