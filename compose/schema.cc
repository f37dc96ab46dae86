#include "compose/schema.h"

#include <fmt/format.h>

#include <algorithm>

#include "compose/scalars.h"
#include "runtime/cli/nearest.h"
#include "runtime/cli/value.h"

namespace skiff::compose {
namespace {

std::string_view words_of(Form form) {
  switch (form) {
    case Form::text:
      return "a string";
    case Form::boolean:
      return "true or false";
    case Form::integer:
      return "a whole number";
    case Form::number:
      return "a number";
    case Form::duration:
      return "a duration, such as 1m30s";
    case Form::bytes:
      return "a size, such as 512m";
    case Form::texts:
    case Form::objects:
      return "a list";
    case Form::text_map:
    case Form::object:
    case Form::named:
      return "a map";
    case Form::any:
      break;
  }
  return "a value";
}

std::string_view words_of(Value::Kind kind) {
  switch (kind) {
    case Value::Kind::null:
      return "nothing";
    case Value::Kind::boolean:
      return "a boolean";
    case Value::Kind::number:
      return "a number";
    case Value::Kind::string:
      return "a string";
    case Value::Kind::list:
      return "a list";
    case Value::Kind::map:
      break;
  }
  return "a map";
}

std::string shown(const Value &value) {
  if (!value.is_scalar() || value.kind == Value::Kind::null) return std::string(words_of(value.kind));
  return fmt::format("\"{}\"", value.text);
}

bool is_choice(std::string_view choices, std::string_view text) {
  while (!choices.empty()) {
    const std::size_t bar = choices.find('|');
    if (choices.substr(0, bar) == text) return true;
    choices.remove_prefix(bar == std::string_view::npos ? choices.size() : bar + 1);
  }
  return false;
}

class Checker {
 public:
  Checker(bool lenient, Findings &findings) : lenient_(lenient), findings_(findings) {}

  void object(const Value &map, std::span<const Key> keys, const std::string &path) {
    for (const Member &member : map.members) {
      const std::string place = join_path(path, member.key);
      if (const Key *key = find_key(keys, member.key)) {
        value(member, *key, place);
      } else if (!member.key.starts_with("x-")) {
        unknown(member, keys, place);
      }
    }
  }

 private:
  void unknown(const Member &member, std::span<const Key> keys, const std::string &place) {
    cli::Nearest nearest(member.key);
    for (const Key &key : keys) nearest.offer(key.name);
    findings_.error(
        member.at, "unknown-key", fmt::format("{}: there is no such key", place),
        nearest.found().empty() ? "keys of your own begin with x-" : fmt::format("did you mean {}?", nearest.found()));
  }

  void value(const Member &member, const Key &key, const std::string &place) {
    const Value &value = member.value;
    if (value.tag == Tag::reset || value.kind == Value::Kind::null) return;
    if (key.effect == Effect::none) {
      findings_.warn(member.at, "no-effect", fmt::format("{}: this key has no effect here", place));
    }
    switch (key.form) {
      case Form::any:
        return;
      case Form::object:
        if (expect(value, Value::Kind::map, key, place)) object(value, key.keys, place);
        return;
      case Form::named:
        if (expect(value, Value::Kind::map, key, place)) named(value, key, place);
        return;
      case Form::objects:
        if (expect(value, Value::Kind::list, key, place)) objects(value, key, place);
        return;
      case Form::texts:
        if (expect(value, Value::Kind::list, key, place)) texts(value, place);
        return;
      case Form::text_map:
        if (expect(value, Value::Kind::map, key, place)) text_map(value, place);
        return;
      default:
        scalar(value, key, place);
    }
  }

  bool expect(const Value &value, Value::Kind kind, const Key &key, const std::string &place) {
    if (value.kind == kind) return true;
    if (lenient_ && value.is_scalar() && value.text.find('$') != std::string::npos) return false;
    findings_.error(value.at, "type", fmt::format("{}: has to be {}, not {}", place, words_of(key.form), shown(value)));
    return false;
  }

  void named(const Value &map, const Key &key, const std::string &path) {
    for (const Member &member : map.members) {
      if (key.keys.data() != nullptr && member.key.starts_with("x-") && path != "services") continue;
      if (member.value.tag == Tag::reset || member.value.kind == Value::Kind::null) continue;
      const std::string place = join_path(path, member.key);
      // `nofile: 1024` stands for both limits.
      if (key.name == "ulimits" && member.value.kind == Value::Kind::number) continue;
      if (expect(member.value, Value::Kind::map, {.name = key.name, .form = Form::object}, place)) {
        object(member.value, key.keys, place);
      }
    }
  }

  void objects(const Value &list, const Key &key, const std::string &path) {
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      const std::string place = fmt::format("{}[{}]", path, i);
      if (list.items[i].tag == Tag::reset) continue;
      if (expect(list.items[i], Value::Kind::map, {.name = key.name, .form = Form::object}, place)) {
        object(list.items[i], key.keys, place);
      }
    }
  }

  void texts(const Value &list, const std::string &path) {
    for (std::size_t i = 0; i < list.items.size(); ++i) text(list.items[i], fmt::format("{}[{}]", path, i));
  }

  void text_map(const Value &map, const std::string &path) {
    for (const Member &member : map.members) {
      if (member.value.kind != Value::Kind::null) text(member.value, join_path(path, member.key));
    }
  }

  void text(const Value &value, const std::string &place) {
    if ((value.is_scalar() && value.kind != Value::Kind::null) || value.tag == Tag::reset) return;
    findings_.error(value.at, "type", fmt::format("{}: has to be a string, not {}", place, shown(value)));
  }

  void scalar(const Value &value, const Key &key, const std::string &place) {
    const bool open = lenient_ && value.is_scalar() && value.text.find('$') != std::string::npos;
    if (open) return;
    if (!fits(value, key.form)) {
      std::string remedy;
      if (key.form == Form::text && value.kind == Value::Kind::boolean) remedy = "put it in quotes";
      findings_.error(value.at, "type",
                      fmt::format("{}: has to be {}, not {}", place, words_of(key.form), shown(value)), remedy);
    } else if (!key.choices.empty() && !is_choice(key.choices, value.text)) {
      choice(value, key, place);
    }
  }

  void choice(const Value &value, const Key &key, const std::string &place) {
    cli::Nearest nearest(value.text);
    std::string choices(key.choices);
    for (std::size_t begin = 0; begin < choices.size();) {
      const std::size_t end = std::min(choices.find('|', begin), choices.size());
      nearest.offer(key.choices.substr(begin, end - begin));
      begin = end + 1;
    }
    std::string remedy;
    if (!nearest.found().empty()) remedy = fmt::format("did you mean {}?", nearest.found());
    for (std::size_t at = choices.find('|'); at != std::string::npos; at = choices.find('|'))
      choices.replace(at, 1, ", ");
    findings_.error(value.at, "choice", fmt::format("{}: {} is none of {}", place, shown(value), choices), remedy);
  }

  bool lenient_;
  Findings &findings_;
};

bool has_letter(std::string_view text) {
  return text.find_first_not_of("0123456789.-+eE") != std::string_view::npos || text.empty();
}

void sort_members(Value &map, std::span<const Key> keys) {
  std::ranges::stable_sort(map.members, [&](const Member &a, const Member &b) {
    const Key *left = find_key(keys, a.key);
    const Key *right = find_key(keys, b.key);
    if (left != nullptr && right != nullptr) return left < right;
    if (left != nullptr || right != nullptr) return left != nullptr;
    return a.key < b.key;
  });
}

void sort_any(Value &value) {
  sort_members(value, {});
  for (Member &member : value.members) sort_any(member.value);
  for (Value &item : value.items) sort_any(item);
}

void sort_object(Value &map, std::span<const Key> keys);

void sort_value(Value &value, const Key *key) {
  if (key == nullptr || key->form == Form::any || key->form == Form::text_map) return sort_any(value);
  if (key->form == Form::object) return sort_object(value, key->keys);
  if (key->form == Form::objects) {
    for (Value &item : value.items) sort_object(item, key->keys);
  }
  if (key->form != Form::named) return;
  sort_members(value, {});
  for (Member &member : value.members) sort_object(member.value, key->keys);
}

void sort_object(Value &map, std::span<const Key> keys) {
  sort_members(map, keys);
  for (Member &member : map.members) sort_value(member.value, find_key(keys, member.key));
}

}  // namespace

const Key *find_key(std::span<const Key> keys, std::string_view name) {
  const auto found = std::ranges::find(keys, name, &Key::name);
  return found == keys.end() ? nullptr : &*found;
}

void check_keys(const Value &file, bool lenient, Findings &findings) {
  if (file.kind == Value::Kind::null) return;
  if (file.kind != Value::Kind::map) {
    findings.error(file.at, "type", fmt::format("the file has to be a map, not {}", shown(file)),
                   "it begins with `services:`");
    return;
  }
  Checker(lenient, findings).object(file, file_keys(), "");
}

void sort_keys(Value &file) { sort_object(file, file_keys()); }

bool fits(const Value &value, Form form) {
  if (!value.is_scalar() || value.kind == Value::Kind::null) return false;
  switch (form) {
    case Form::text:
      return value.kind != Value::Kind::boolean;
    case Form::boolean:
      return value.kind != Value::Kind::number && parse_boolean(value.text);
    case Form::integer:
      return value.kind != Value::Kind::boolean && parse_integer(value.text);
    case Form::number:
      return value.kind != Value::Kind::boolean && !has_letter(value.text);
    case Form::duration:
      return value.kind != Value::Kind::boolean && parse_duration(value.text);
    case Form::bytes:
      return value.kind != Value::Kind::boolean && cli::parse_size(value.text);
    default:
      return false;
  }
}

std::string join_path(std::string_view parent, std::string_view key) {
  if (parent.empty()) return std::string(key);
  return fmt::format("{}.{}", parent, key);
}

}  // namespace skiff::compose
