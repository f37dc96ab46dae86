#include "compose/long_forms.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "compose/scalars.h"
#include "compose/schema.h"
#include "runtime/cli/value.h"

namespace skiff::compose {
namespace {

bool is_open(const Value &value, const LongForms &how) {
  return how.lenient && value.text.find('$') != std::string::npos;
}

bool is_text(const Value &value) { return value.is_scalar() && value.kind != Value::Kind::null; }

Value wrap(Value value) {
  Value list = Value::of_list(value.at);
  list.tag = value.tag;
  list.items.push_back(std::move(value));
  list.items[0].tag = Tag::none;
  return list;
}

Value wrap_as(std::string_view key, Value value) {
  Value map = Value::of_map(value.at);
  map.tag = value.tag;
  value.tag = Tag::none;
  map.get(key) = std::move(value);
  return map;
}

// ["A=1", "B"] to {A: 1, B: null}. The later of a name wins.
void list_to_map(Value &value) {
  if (value.kind != Value::Kind::list) return;
  if (!std::ranges::all_of(value.items, is_text)) return;
  Value map = Value::of_map(value.at);
  map.tag = value.tag;
  for (const Value &item : value.items) {
    const std::size_t sign = item.text.find('=');
    Value entry;
    entry.at = item.at;
    if (sign != std::string::npos) entry = Value::of_string(item.text.substr(sign + 1), item.at);
    map.get(item.text.substr(0, sign)) = std::move(entry);
    map.find(item.text.substr(0, sign))->at = item.at;
  }
  for (Member &member : map.members) member.at = member.value.at;
  value = std::move(map);
}

// ["a", "b"] to {a: null, b: null}
void names_to_map(Value &value) {
  if (value.kind != Value::Kind::list || !std::ranges::all_of(value.items, is_text)) return;
  Value map = Value::of_map(value.at);
  map.tag = value.tag;
  for (const Value &item : value.items) map.get(item.text).at = item.at;
  for (Member &member : map.members) member.at = member.value.at;
  value = std::move(map);
}

void texts_to_strings(Value &value) {
  for (Value &item : value.items) {
    if (is_text(item)) item.kind = Value::Kind::string;
  }
}

void text_map_to_strings(Value &value, bool keep_null) {
  for (Member &member : value.members) {
    if (member.value.kind == Value::Kind::null && !keep_null && member.value.tag == Tag::none) {
      member.value.kind = Value::Kind::string;
    }
    if (is_text(member.value)) member.value.kind = Value::Kind::string;
  }
}

// "0.50" is 0.5.
std::string shortest(const std::string &text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? fmt::format("{}", number) : text;
}

void scalar_to_form(Value &value, Form form) {
  if (!fits(value, form)) return;
  switch (form) {
    case Form::text:
      value.kind = Value::Kind::string;
      return;
    case Form::boolean:
      value = make_boolean(*parse_boolean(value.text), value.at);
      return;
    case Form::integer:
      value.kind = Value::Kind::number;
      return;
    case Form::number:
      value = make_number(shortest(value.text), value.at);
      return;
    case Form::bytes:
      value = Value::of_string(fmt::format("{}", *cli::parse_size(value.text)), value.at);
      return;
    case Form::duration:
      value = Value::of_string(print_duration(*parse_duration(value.text)), value.at);
      return;
    default:
      return;
  }
}

class Lengthener {
 public:
  explicit Lengthener(const LongForms &how) : how_(how) {}

  void object(Value &map, std::span<const Key> keys, const std::string &path) {
    for (Member &member : map.members) {
      const Key *key = find_key(keys, member.key);
      if (key == nullptr || member.value.tag == Tag::reset) continue;
      const Tag tag = member.value.tag;
      const std::string place = join_path(path, member.key);
      shorten_aside(member.value, *key, place);
      value(member.value, *key, place);
      member.value.tag = tag;
    }
  }

 private:
  // What the form alone does not tell, by the key's name.
  void shorten_aside(Value &value, const Key &key, const std::string &path) {
    const std::string_view name = key.name;
    const bool scalar = is_text(value);
    if (scalar && is_open(value, how_) && key.form != Form::objects && key.form != Form::object) return;
    if (scalar && (name == "command" || name == "entrypoint") && key.form == Form::texts) {
      command(value, path);
    } else if (scalar && name == "test") {
      Value list = wrap(Value::of_string("CMD-SHELL", value.at));
      list.items.push_back(value);
      value = std::move(list);
    } else if (scalar && takes_one(name) && key.form != Form::text) {
      value = wrap(std::move(value));
    } else if (scalar && name == "gpus") {
      gpus(value);
    } else if (scalar && (name == "build" || name == "extends")) {
      value = wrap_as(name == "build" ? "context" : "service", std::move(value));
    } else if (value.kind == Value::Kind::list && key.form == Form::named && name != "services") {
      names_to_map(value);
    } else if (name == "extra_hosts") {
      extra_hosts(value);
    }
  }

  static bool takes_one(std::string_view name) {
    for (const std::string_view one : {"dns", "dns_search", "tmpfs", "env_file", "label_file", "path"}) {
      if (name == one) return true;
    }
    return false;
  }

  void command(Value &value, const std::string &path) {
    Result<std::vector<std::string>> words = split_command(value.text);
    if (!words) {
      how_.findings.error(value.at, "command", fmt::format("{}: {}", path, words.error().text),
                          "write it as a list to need no quotes");
      words = std::vector<std::string>();
    }
    Value list = Value::of_list(value.at);
    for (std::string &word : *words) list.items.push_back(Value::of_string(std::move(word), value.at));
    value = std::move(list);
  }

  void gpus(Value &value) {
    if (value.text != "all") return;
    value = wrap(wrap_as("count", make_number("-1", value.at)));
  }

  static void extra_hosts(Value &value) {
    if (value.kind == Value::Kind::map) {
      Value list = Value::of_list(value.at);
      for (const Member &member : value.members) {
        const std::vector<Value> one = {member.value};
        for (const Value &address : member.value.kind == Value::Kind::list ? member.value.items : one) {
          list.items.push_back(Value::of_string(fmt::format("{}={}", member.key, address.text), address.at));
        }
      }
      value = std::move(list);
    }
    for (Value &item : value.items) {
      std::string &text = item.text;
      const std::size_t sign = text.find_first_of("=:");
      if (sign == std::string::npos) continue;
      text[sign] = '=';
      if (text.size() > sign + 2 && text[sign + 1] == '[' && text.ends_with(']')) {
        text = text.substr(0, sign + 1) + text.substr(sign + 2, text.size() - sign - 3);
      }
    }
  }

  void value(Value &value, const Key &key, const std::string &path) {
    switch (key.form) {
      case Form::object:
        if (value.kind == Value::Kind::map) object(value, key.keys, path);
        break;
      case Form::named:
        named(value, key, path);
        break;
      case Form::objects:
        objects(value, key, path);
        break;
      case Form::texts:
        texts_to_strings(value);
        break;
      case Form::text_map:
        list_to_map(value);
        text_map_to_strings(value, key.name == "environment" || key.name == "args");
        break;
      case Form::any:
        break;
      default:
        if (!is_open(value, how_)) scalar_to_form(value, key.form);
    }
  }

  void named(Value &map, const Key &key, const std::string &path) {
    for (Member &member : map.members) {
      const std::string place = join_path(path, member.key);
      if (key.name == "depends_on") depends_on(member.value, member.at);
      if (key.name == "ulimits" && member.value.kind == Value::Kind::string && parse_integer(member.value.text)) {
        member.value.kind = Value::Kind::number;
      }
      if (member.value.kind != Value::Kind::map) continue;
      external(member.value);
      object(member.value, key.keys, place);
    }
  }

  static void depends_on(Value &value, Position at) {
    if (value.tag == Tag::reset) return;
    if (value.kind == Value::Kind::null) value = Value::of_map(at);
    if (value.kind != Value::Kind::map) return;
    if (value.find("condition") == nullptr) value.get("condition") = Value::of_string("service_started", at);
    if (value.find("required") == nullptr) value.get("required") = make_boolean(true, at);
  }

  // The old `external: {name: X}`.
  static void external(Value &map) {
    Value *external = map.find("external");
    if (external == nullptr || external->kind != Value::Kind::map) return;
    if (const Value *name = external->find("name"); name != nullptr && map.find("name") == nullptr) {
      const Value copy = *name;
      map.get("name") = copy;
    }
    *map.find("external") = make_boolean(true, map.at);
  }

  void objects(Value &list, const Key &key, const std::string &path) {
    if (list.kind != Value::Kind::list) return;
    std::vector<Value> items;
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      for (Value &one : entries(list.items[i], key, fmt::format("{}[{}]", path, i))) items.push_back(std::move(one));
    }
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (items[i].kind == Value::Kind::map) object(items[i], key.keys, fmt::format("{}[{}]", path, i));
    }
    list.items = std::move(items);
  }

  std::vector<Value> entries(const Value &entry, const Key &key, const std::string &path) {
    if (key.name == "ports") return make_long_port(entry, path, how_);
    if (key.name == "volumes") return {make_long_mount(entry, path, how_)};
    if (key.name == "devices" && key.join == Join::by_target) return {make_long_device(entry, path, how_)};
    if (key.join == Join::by_file) return {file_mount(entry)};
    if (key.name == "env_file") return {env_file(entry)};
    if (key.name == "include" && is_text(entry)) return {wrap_as("path", wrap(entry))};
    return {key.name == "gpus" || key.name == "devices" ? device_request(entry) : entry};
  }

  static Value env_file(const Value &entry) {
    Value file = is_text(entry) ? wrap_as("path", entry) : entry;
    if (file.kind == Value::Kind::map && file.find("required") == nullptr) {
      file.get("required") = make_boolean(true, entry.at);
    }
    return file;
  }

  static Value device_request(const Value &entry) {
    Value request = entry;
    if (Value *count = request.find("count"); count != nullptr && count->text == "all") {
      *count = make_number("-1", count->at);
    }
    return request;
  }

  // `mode: 0440` is octal, as YAML 1.1 and docker read it; a string always is.
  static Value file_mount(const Value &entry) {
    Value mount = is_text(entry) ? wrap_as("source", entry) : entry;
    Value *mode = mount.find("mode");
    if (mode == nullptr || !is_text(*mode)) return mount;
    const bool octal = mode->kind == Value::Kind::string && !mode->text.starts_with('0');
    const std::optional<std::int64_t> bits = parse_integer(octal ? "0" + mode->text : mode->text, true);
    if (bits && *bits >= 0) *mode = Value::of_string(fmt::format("0{:o}", *bits), mode->at);
    return mount;
  }

  const LongForms &how_;
};

}  // namespace

Value make_boolean(bool yes, Position at) {
  Value value = Value::of_string(yes ? "true" : "false", at);
  value.kind = Value::Kind::boolean;
  return value;
}

Value make_number(std::string text, Position at) {
  Value value = Value::of_string(std::move(text), at);
  value.kind = Value::Kind::number;
  return value;
}

void make_long(Value &file, const LongForms &how) {
  if (file.kind == Value::Kind::map) Lengthener(how).object(file, file_keys(), "");
}

}  // namespace skiff::compose
