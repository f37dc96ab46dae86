#include "compose/fields.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "compose/scalars.h"
#include "compose/schema.h"
#include "runtime/cli/value.h"

namespace skiff::compose {
namespace {

std::optional<double> parse_decimal(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) return std::nullopt;
  return number;
}

}  // namespace

const Value *Fields::find(std::string_view key) const {
  const Value *value = map_ == nullptr ? nullptr : map_->find(key);
  return value == nullptr || value->kind == Value::Kind::null ? nullptr : value;
}

Fields Fields::sub(std::string_view key) const { return {find(key), join_path(path_, key), *findings_}; }

Fields Fields::entry(const Value &value, std::string_view key, std::size_t index) const {
  return {&value, fmt::format("{}[{}]", join_path(path_, key), index), *findings_};
}

std::string Fields::text(std::string_view key) const {
  const Value *value = find(key);
  if (value == nullptr) return {};
  if (!value->is_scalar()) refuse(key, *value, "a string");
  return value->text;
}

bool Fields::boolean(std::string_view key, bool otherwise) const { return maybe_boolean(key).value_or(otherwise); }

std::optional<bool> Fields::maybe_boolean(std::string_view key) const {
  const Value *value = find(key);
  if (value == nullptr) return std::nullopt;
  const std::optional<bool> yes = value->is_scalar() ? parse_boolean(value->text) : std::nullopt;
  if (!yes) refuse(key, *value, "true or false");
  return yes;
}

std::optional<std::int64_t> Fields::integer(std::string_view key, std::int64_t least, std::int64_t most) const {
  const Value *value = find(key);
  if (value == nullptr) return std::nullopt;
  const std::optional<std::int64_t> number = value->is_scalar() ? parse_integer(value->text) : std::nullopt;
  if (!number || *number < least || *number > most) {
    refuse(key, *value, fmt::format("a whole number from {} to {}", least, most));
    return std::nullopt;
  }
  return number;
}

std::optional<double> Fields::number(std::string_view key) const {
  const Value *value = find(key);
  if (value == nullptr) return std::nullopt;
  const std::optional<double> number = value->is_scalar() ? parse_decimal(value->text) : std::nullopt;
  if (!number || *number < 0) {
    refuse(key, *value, "a number from 0");
    return std::nullopt;
  }
  return number;
}

std::optional<std::int64_t> Fields::bytes(std::string_view key, bool unlimited) const {
  const Value *value = find(key);
  if (value == nullptr) return std::nullopt;
  const std::optional<std::int64_t> size = value->is_scalar() ? cli::parse_size(value->text) : std::nullopt;
  if (!size || (*size < 0 && !unlimited)) {
    refuse(key, *value, "a size, such as 512m");
    return std::nullopt;
  }
  return size;
}

std::optional<Duration> Fields::duration(std::string_view key) const {
  const Value *value = find(key);
  if (value == nullptr) return std::nullopt;
  const std::optional<Duration> duration = value->is_scalar() ? parse_duration(value->text) : std::nullopt;
  if (!duration) refuse(key, *value, "a duration, such as 1m30s");
  return duration;
}

std::optional<std::uint32_t> Fields::mode(std::string_view key) const {
  const Value *value = find(key);
  if (value == nullptr) return std::nullopt;
  const std::optional<std::int64_t> bits = value->is_scalar() ? parse_integer(value->text, true) : std::nullopt;
  if (!bits || *bits < 0 || *bits > 07777) {
    refuse(key, *value, "a mode from 0 to 07777");
    return std::nullopt;
  }
  return static_cast<std::uint32_t>(*bits);
}

std::vector<std::string> Fields::texts(std::string_view key) const {
  return maybe_texts(key).value_or(std::vector<std::string>());
}

std::optional<std::vector<std::string>> Fields::maybe_texts(std::string_view key) const {
  const Value *value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->kind != Value::Kind::list) {
    refuse(key, *value, "a list");
    return std::nullopt;
  }
  std::vector<std::string> texts;
  for (const Value &item : value->items) texts.push_back(item.text);
  return texts;
}

std::map<std::string, std::string> Fields::text_map(std::string_view key) const {
  std::map<std::string, std::string> map;
  for (auto &[name, value] : environment(key)) map[name] = value.value_or("");
  return map;
}

Environment Fields::environment(std::string_view key) const {
  const Value *value = find(key);
  Environment all;
  if (value == nullptr) return all;
  if (value->kind != Value::Kind::map) refuse(key, *value, "a map");
  for (const Member &member : value->members) {
    std::optional<std::string> text;
    if (member.value.kind != Value::Kind::null) text = member.value.text;
    all.emplace_back(member.key, std::move(text));
  }
  return all;
}

void Fields::refuse(std::string_view key, const Value &value, std::string_view wanted) const {
  error(value.at, "value",
        value.is_scalar() ? fmt::format("{}: \"{}\" is not {}", join_path(path_, key), value.text, wanted)
                          : fmt::format("{}: this is not {}", join_path(path_, key), wanted));
}

void Fields::error(Position at, std::string_view code, std::string text, std::string remedy) const {
  findings_->error(at, std::string(code), std::move(text), std::move(remedy));
}

}  // namespace skiff::compose
