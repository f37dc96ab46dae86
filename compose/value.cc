#include "compose/value.h"

#include <algorithm>
#include <utility>

namespace skiff::compose {

Value Value::of_string(std::string text, Position at) {
  Value value;
  value.kind = Kind::string;
  value.at = at;
  value.text = std::move(text);
  return value;
}

Value Value::of_map(Position at) {
  Value value;
  value.kind = Kind::map;
  value.at = at;
  return value;
}

Value Value::of_list(Position at) {
  Value value;
  value.kind = Kind::list;
  value.at = at;
  return value;
}

const Value *Value::find(std::string_view key) const {
  const auto found = std::ranges::find(members, key, &Member::key);
  return found == members.end() ? nullptr : &found->value;
}

Value *Value::find(std::string_view key) {
  const auto found = std::ranges::find(members, key, &Member::key);
  return found == members.end() ? nullptr : &found->value;
}

Value &Value::get(std::string_view key) {
  if (Value *there = find(key)) return *there;
  kind = Kind::map;
  return members.emplace_back(Member{.key = std::string(key), .at = at, .value = {}}).value;
}

void Value::remove(std::string_view key) {
  std::erase_if(members, [&](const Member &member) { return member.key == key; });
}

}  // namespace skiff::compose
