#include "runtime/cli/flags.h"

#include <fmt/format.h>

#include <cstdlib>
#include <string>

#include "runtime/cli/value.h"

namespace skiff::cli {
namespace {

// The words of a table's "a|b|c".
bool is_choice(std::string_view choices, std::string_view value) {
  while (!choices.empty()) {
    const std::size_t bar = choices.find('|');
    if (choices.substr(0, bar) == value) return true;
    choices = bar == std::string_view::npos ? std::string_view() : choices.substr(bar + 1);
  }
  return false;
}

// What a value of the kind looks like, as the end of "wants ..."; empty where the value is one.
std::string_view complaint(Kind kind, std::string_view value) {
  switch (kind) {
    case Kind::Bool:
      return parse_bool(value) ? "" : "true or false";
    case Kind::Integer:
    case Kind::Integers:
      return parse_number<std::int64_t>(value) ? "" : "a whole number";
    case Kind::Unsigned:
      return parse_number<std::uint64_t>(value) ? "" : "a whole number, not negative";
    case Kind::Uint32:
      return parse_number<std::uint32_t>(value) ? "" : "a whole number from 0 to 4294967295";
    case Kind::Size:
      return parse_size(value) ? "" : "bytes such as 1048576, 512k, 64m or 1.5g, or -1 for no limit";
    case Kind::Duration:
      return parse_duration(value) ? "" : "a time such as 5s, 1m30s or 300ms";
    case Kind::String:
    case Kind::Strings:
      return "";
  }
  return "";
}

}  // namespace

const FlagSpec *Flags::find(std::string_view name) const {
  for (const FlagSpec &flag : table_) {
    if (flag.name == name || (flag.letter != 0 && name == std::string_view(&flag.letter, 1))) return &flag;
  }
  return nullptr;
}

Status Flags::set(const FlagSpec &flag, std::string_view value) {
  // runc reads most numbers as strings and takes an empty one for "not given"; scripts rely on `--memory "$limit"`.
  const bool textual = flag.choices.empty() && (flag.kind == Kind::String || flag.kind == Kind::Strings);
  if (value.empty() && !textual) return {};
  if (!flag.choices.empty() && !is_choice(flag.choices, value)) {
    return fail(fmt::format("--{}: \"{}\" is not one of {}", flag.name, value, flag.choices),
                value.contains("{{") ? "Go templates are not understood; take json, and pick from it with jq" : "");
  }
  if (const std::string_view wanted = complaint(flag.kind, value); !wanted.empty()) {
    return fail(fmt::format("--{} wants {}, not \"{}\"", flag.name, wanted, value));
  }
  given_.push_back({&flag, value});
  return {};
}

const FlagSpec &Flags::expect(std::string_view name) const {
  const FlagSpec *flag = find(name);
  if (flag == nullptr) std::abort();
  return *flag;
}

std::string_view Flags::last(std::string_view name) const {
  const FlagSpec &flag = expect(name);
  for (auto entry = given_.rbegin(); entry != given_.rend(); ++entry) {
    if (entry->flag == &flag) return entry->value;
  }
  return flag.initial;
}

bool Flags::given(std::string_view name) const {
  const FlagSpec &flag = expect(name);
  for (const Given &entry : given_) {
    if (entry.flag == &flag) return true;
  }
  return false;
}

bool Flags::boolean(std::string_view name) const { return parse_bool(last(name)).value_or(false); }

std::string_view Flags::string(std::string_view name) const { return last(name); }

std::optional<std::int64_t> Flags::integer(std::string_view name) const {
  return parse_number<std::int64_t>(last(name));
}

std::optional<std::uint64_t> Flags::unsigned64(std::string_view name) const {
  return parse_number<std::uint64_t>(last(name));
}

std::optional<std::uint32_t> Flags::uint32(std::string_view name) const {
  return parse_number<std::uint32_t>(last(name));
}

std::optional<std::int64_t> Flags::size(std::string_view name) const { return parse_size(last(name)); }

std::optional<std::chrono::nanoseconds> Flags::duration(std::string_view name) const {
  return parse_duration(last(name));
}

std::vector<std::string_view> Flags::strings(std::string_view name) const {
  const FlagSpec &flag = expect(name);
  std::vector<std::string_view> values;
  for (const Given &entry : given_) {
    if (entry.flag == &flag) values.push_back(entry.value);
  }
  return values;
}

std::vector<std::int64_t> Flags::integers(std::string_view name) const {
  std::vector<std::int64_t> values;
  for (const std::string_view text : strings(name)) values.push_back(parse_number<std::int64_t>(text).value_or(0));
  return values;
}

}  // namespace skiff::cli
